"""What stands in for a registry."""
