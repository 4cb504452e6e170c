"""The versions of the notebooks, on small made ones."""
