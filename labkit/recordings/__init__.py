"""What happened, or would happen, to a service: recorded, read, compared, predicted."""
