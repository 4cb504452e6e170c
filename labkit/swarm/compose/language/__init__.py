"""The language of compose files: the keys, the kinds of values, their short forms, variables."""
