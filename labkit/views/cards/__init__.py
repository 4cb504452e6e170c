"""Cards and pages of the lesson: questions, exercises, progress, report, room."""
