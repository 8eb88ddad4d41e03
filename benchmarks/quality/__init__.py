"""Compare outputs by the models that are trained on them."""
