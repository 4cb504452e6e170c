"""The paths of what a whole swarm has: services and tasks, nodes, configs and secrets, itself."""
