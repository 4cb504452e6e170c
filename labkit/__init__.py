"""A lab for understanding how Docker Swarm updates a service."""
