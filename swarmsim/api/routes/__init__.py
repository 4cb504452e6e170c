"""The Engine API's paths, a module for each kind of thing."""
