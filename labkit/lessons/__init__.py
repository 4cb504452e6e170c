"""The lesson *Updating a Service*: its steps, its edits, and the way back to where one begins."""

from labkit.lessons.edits import edit
from labkit.lessons.steps import STEPS, Step, reset

__all__ = ["STEPS", "Step", "edit", "reset"]
