"""An update: how far it is, what Swarm's updater does in it, and what it would do. Pure."""
