"""The lesson *Updating a Service*: its steps, its edits, and the way back to where one begins."""

from labkit.lessons.edits import edit
from labkit.lessons.steps import REPLICAS, STEPS, Step, find, reset

__all__ = ["REPLICAS", "STEPS", "Step", "edit", "find", "reset"]
