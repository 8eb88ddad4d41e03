"""Fine-tuning on an export."""
