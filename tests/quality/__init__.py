"""The comparison of outputs by the models trained on them."""
