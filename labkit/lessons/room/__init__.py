"""The room: what a class predicts and where it is stuck, for the instructor.

It is off unless the instructor names a folder in `LABKIT_CLASS`. Then each thing that a learner
does appends one line to a file there, and nothing leaves the machine by itself.

    noting      the learner's side: a line an event, under an alias
    gathering   the instructor's side: many such files, read, and what to do next
    serving     the instructor's page, while the class goes on
"""

from labkit.base.lazy import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
