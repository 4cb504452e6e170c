"""Where a task runs: its files, its names, its programs."""
