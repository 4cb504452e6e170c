"""The engine around the model: containers, networks, events, logs, the clock."""
