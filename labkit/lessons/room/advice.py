"""What the spread of predictions for a question says about what to do next. Pure.

Nearly all as the recordings showed: go on. Most with one other answer: that belief is worth
addressing. Evenly spread: explain anew, in other words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal, NamedTuple

from labkit.lessons.room.gathering import Guess

#: What part of a class is nearly all of it, and what part is most of it.
_NEARLY_ALL = 0.8
_MOST = 0.5


class Advice(NamedTuple):
    """What to do next, and the answer that it is about."""

    what: Literal["wait", "move on", "address", "explain"]
    #: The key of the answer that the recordings showed, or of the one to address; else `""`.
    choice: str = ""


def advise(guesses: Sequence[Guess]) -> Advice:
    """Return what to do next after a question; until a comparison, wait."""
    answers = Counter(each.answer for each in guesses if each.answer)
    if not answers:
        return Advice("wait")
    shown = answers.most_common(1)[0][0]
    # recordings differ: each learner's own one answers their prediction
    others = [each.choice for each in guesses if each.choice != (each.answer or shown)]
    if len(guesses) - len(others) >= len(guesses) * _NEARLY_ALL:
        return Advice("move on", shown)
    choice, count = Counter(others).most_common(1)[0]
    return Advice("address", choice) if count >= len(guesses) * _MOST else Advice("explain")
