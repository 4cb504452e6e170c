"""A learner at work: an exercise session, hints, the activity log, starting over."""
