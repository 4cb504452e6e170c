"""What notebook 3 asks: how far a broken image comes, and what brings it back. Pure."""

from functools import partial

from labkit.base.rules import Facts
from labkit.lessons.checks.attempts import Attempt, attempts
from labkit.lessons.checks.question import question
from labkit.lessons.checks.questions.common import newest, not_over
from labkit.recordings import story
from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import ServiceSeen
from labkit.recordings.values import Service
from swarmsim.model.orchestration.budget import tolerated


@partial(question, "bugged-slots")
def _bugged_slots(recording: Recording) -> Facts:
    """Return in how many slots there was a task of the image that failed."""
    facts, attempt = newest(recording, _failed)
    budget = attempt.budget
    ran = story.slots_that_ran(attempt.recording, attempt.tag)
    return facts | {
        "slots": sorted(slot for slot in ran if slot is not None),
        "every": budget.slots if budget else attempt.touched,
        "at_once": attempt.config.at_once(budget.slots) if budget else 0,
    }


def _failed(attempt: Attempt) -> bool:
    budget = attempt.budget
    return bool(budget and (budget.failures or budget.missed)) or attempt.state != "completed"


_RATIO = 0.2


@partial(question, "budget")
def _budget(recording: Recording) -> Facts:
    """Return how many failures a ratio of 0.2 tolerates of the slots that were updated."""
    facts, attempt = newest(recording)
    if attempt.budget is None:
        raise not_over(recording, "an update of which the slots were seen")
    return facts | {"ratio": _RATIO, "may": tolerated(attempt.budget.slots, _RATIO)}


@partial(question, "which-flags")
def _which_flags(recording: Recording) -> Facts:
    """Return the configs of the update that failed, and when Swarm began to take it back."""
    facts, attempt = newest(recording, lambda each: each.rolled_back)
    if not facts["fits"]:
        facts, attempt = newest(recording, lambda each: each.state == "paused")
    states = attempt.recording.update_states()
    back = [at for at, status in states if status and status.state == "rollback_started"]
    began = back[0] - attempt.update.began if back else None
    return facts | {"back": _restored(attempt).rollback_config, "began": began}


def _restored(attempt: Attempt) -> Service:
    """Return the service as its rollback found it, or as the update asked if there was none."""
    for change in attempt.recording.of(ServiceSeen):
        status = change.service.update_status
        if status and status.state.startswith("rollback"):
            return change.service
    return attempt.requested


@partial(question, "rollback-again")
def _rollback_again(recording: Recording) -> Facts:
    """Return the service after a rollback, and what another one would go back to."""
    over = [each for each in attempts(recording) if each.state == "rollback_completed"]
    if not over:
        raise not_over(recording, "a rollback")
    attempt = over[-1]
    # as it was last seen while its rollback was the last that happened
    seen = [change.service for change in attempt.recording.of(ServiceSeen)]
    service = [each for each in seen if each.update_status][-1]
    return {
        "attempt": attempt,
        "service": service,
        "previous": (service.previous_image or "").partition("@")[0].rpartition(":")[2],
        "left": attempt.before if attempt.by_hand else attempt.requested,
    }
