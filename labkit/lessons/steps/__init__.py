"""The steps of the lesson, the edits they ask for, and the images they need."""
