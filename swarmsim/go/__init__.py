"""How Docker and its Go code write things down: JSON, structs, durations, references, times."""
