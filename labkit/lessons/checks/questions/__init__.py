"""The questions of the lesson: a module a notebook, the words in `questions.yaml`.

start            notebook 0
rolling          notebook 1
parallel         notebook 2
rolling_back     notebook 3
shutting_down    notebook 4
conclusion       notebook 5
common, spec_updates   what their readings share
"""

from __future__ import annotations

from labkit.lessons.checks.content import in_order
from labkit.lessons.checks.question import Question
from labkit.lessons.checks.questions import (
    conclusion,
    parallel,
    rolling,
    rolling_back,
    shutting_down,
    start,
)

_MODULES = (start, rolling, parallel, rolling_back, shutting_down, conclusion)

#: Each question by its name, in the order of the lesson.
QUESTIONS = in_order(Question, _MODULES, "questions/questions")
