"""How fast, and at what cost, beside the tools that people use instead. `make bench`."""
