"""The scale study."""
