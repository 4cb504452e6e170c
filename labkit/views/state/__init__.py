"""What a view shows, as JSON. Pure."""
