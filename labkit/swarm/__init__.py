"""A swarm through the Docker SDK: services, stacks, images, compose files."""
