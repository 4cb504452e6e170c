"""The questions of the lesson, in its order.

start            notebook 0
rolling          notebook 1
parallel         notebook 2
rolling_back     notebook 3
shutting_down    notebook 4
conclusion       notebook 5
common, spec_updates   what their readings share
"""

from __future__ import annotations

from labkit.lessons.checks.question import Question
from labkit.lessons.checks.questions import (
    conclusion,
    parallel,
    rolling,
    rolling_back,
    shutting_down,
    start,
)

_ALL: tuple[Question, ...] = (
    start.SCALE_TOUCHED,
    rolling.MISSING,
    rolling.ORDER,
    rolling.COMPLETED,
    parallel.PAIRS_COMPLETED,
    parallel.PAIRS_BATCHES,
    parallel.PARALLELISM_ZERO,
    parallel.NO_DELAY,
    rolling_back.BUGGED_SLOTS,
    rolling_back.WHICH_FLAGS,
    rolling_back.BUDGET,
    rolling_back.ROLLBACK_AGAIN,
    shutting_down.STACK_RM,
    conclusion.REDEPLOY_NEW,
    conclusion.TWELVE_NEW,
)

#: Each question by its name, in the order of the lesson.
QUESTIONS = {question.name: question for question in _ALL}
