"""A simulated Swarm engine: the Docker Engine API over a unix socket, with no Docker beneath.

The rules of Swarm are in `labkit.rollout`, which is pure. Here is what surrounds them: a
server that speaks HTTP, the clock, images that are built for real, and the processes that
stand for containers. `python -m labkit.simulated --socket PATH` runs it.
"""
