"""A private engine: a dockerd of the lab's own, in a network namespace of its own."""
