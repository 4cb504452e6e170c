"""What nodes do with their tasks, and how long it takes."""
