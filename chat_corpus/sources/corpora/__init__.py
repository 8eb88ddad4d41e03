"""The bundled corpora: each module defines a `SOURCE`, and is found without a list of modules."""
