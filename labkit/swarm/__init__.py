"""A swarm through the Engine API: services, stacks, images, compose files."""
