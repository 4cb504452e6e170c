"""The lesson *Updating a Service*: its steps, edits and exercises, and the way back.

| module     | what is in it                                              |
|------------|------------------------------------------------------------|
| `steps`    | where each notebook begins, and how to get back there      |
| `restart`  | the same with progress                                     |
| `edits`    | the edits that the lesson asks for                         |
| `variants` | images of an edited worker                                 |
| `bench`    | the exercise that is being worked on                       |
| `diary`    | what a learner does, noted                                 |
| `helping`  | hints and solutions                                        |
| `wordings` | what questions and exercises say, as plain texts            |
"""

from labkit.lessons.edits import edit
from labkit.lessons.helping import Hint, Solution, hint, solution
from labkit.lessons.restart import restart
from labkit.lessons.steps import REPLICAS, STEPS, Step, find, reset

__all__ = [
    "REPLICAS",
    "STEPS",
    "Hint",
    "Solution",
    "Step",
    "edit",
    "find",
    "hint",
    "reset",
    "restart",
    "solution",
]
