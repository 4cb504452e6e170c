"""What notebook 1 asks of an update with Swarm's defaults. Pure."""

from datetime import timedelta
from functools import partial

from labkit.base.rules import Facts
from labkit.lessons.checks.question import question
from labkit.lessons.checks.questions.common import at_worst, nearest, newest, tail, workers
from labkit.recordings.recording import Recording


@partial(question, "rolling-missing")
def _missing(recording: Recording) -> Facts:
    """Return how many replicas were missing at the worst moment."""
    facts, attempt = newest(recording)
    fewest, wanted = at_worst(attempt)
    at_once = workers(attempt.config, attempt.budget.slots if attempt.budget else attempt.touched)
    return facts | {
        "fewest": fewest,
        "wanted": wanted,
        "missing": wanted - fewest,
        "at_once": at_once,
        "allowed": 0 if attempt.config.order == "start-first" else at_once,
    }


@partial(question, "rolling-order")
def _order(recording: Recording) -> Facts:
    """Return in which order the slots were taken."""
    facts, attempt = newest(recording)
    slots = [each.slot for each in attempt.changeovers]
    more = ", …" if len(slots) > 10 else ""
    return facts | {"slots": slots, "shown": ", ".join(map(str, slots[:10])) + more}


@partial(question, "rolling-completed")
def _completed(recording: Recording) -> Facts:
    """Return how long after its last new task ran the update was completed."""
    facts, attempt = newest(recording, lambda each: tail(each) is not None)
    end = facts["end"]
    if not end:
        return facts
    beliefs = {
        "window": attempt.tail,
        "at-once": timedelta(0),
        "each": len(attempt.changeovers) * attempt.config.monitor,
    }
    return facts | {"nearest": nearest(end.watched, beliefs)}
