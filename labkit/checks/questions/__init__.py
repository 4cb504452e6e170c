"""The questions of the lesson, in its order."""

from __future__ import annotations

from labkit.checks.question import Question

_ALL: tuple[Question, ...] = ()

#: Each question by its name, in the order of the lesson.
QUESTIONS = {question.name: question for question in _ALL}
