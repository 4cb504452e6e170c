"""Specs that clients send: read, checked, completed."""
