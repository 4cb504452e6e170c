"""The room: what a class predicts and where it is stuck, for the instructor.

It is off unless the instructor names a folder in `LABKIT_CLASS`. Then each check, hint and
prediction appends one line to a file there, and nothing leaves the machine by itself.

    noting      the learner's side: a line an event, under an alias
    gathering   the instructor's side: many such files, read, and what to do next
"""

from labkit.lessons.room.gathering import Advice, Guess, Note, Room, Stuck, advise, gather
from labkit.lessons.room.noting import alias, announcement, note

__all__ = [
    "Advice",
    "Guess",
    "Note",
    "Room",
    "Stuck",
    "advise",
    "alias",
    "announcement",
    "gather",
    "note",
]
