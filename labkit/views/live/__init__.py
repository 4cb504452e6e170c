"""Views that a kernel or a page keeps up to date."""
