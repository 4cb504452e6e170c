"""What notebook 3 asks: how far a broken image comes, and what brings it back. Pure."""

from __future__ import annotations

from labkit.lessons.checks.attempts import Attempt, attempts
from labkit.lessons.checks.question import Reading, question
from labkit.lessons.checks.questions.common import how_it_ended, newest, not_over, workers
from labkit.lessons.checks.wording import counted, listed, seconds
from labkit.recordings import story
from labkit.recordings.recording import Recording, ServiceSeen
from labkit.recordings.update_tracker import Budget
from labkit.recordings.values import Service
from swarmsim.go import durations
from swarmsim.model.orchestration.budget import tolerated

# ---- how many slots had a broken task ----------------------------------------------


def _bugged_slots(recording: Recording) -> Reading:
    """Read in how many slots there was a task of the image that failed."""
    attempt, fits = newest(recording, _failed)
    slots = _slots_that_ran(attempt)
    saw = f"{counted(len(slots), 'slot')} had a task of {attempt.tag}: {listed(slots)}."
    if not fits:
        because = (
            "None of its tasks failed, so nothing made Swarm stop, and every slot had its turn."
        )
        return Reading("", saw, because, "update to an image that fails.")
    every = attempt.budget.slots if attempt.budget else attempt.touched
    choice = {2: "two", 1: "one", 3: "three"}.get(len(slots), "")
    if len(slots) == every > 1:
        choice = "all"
    return Reading(choice, saw, _why_so_many(attempt, len(slots)))


def _failed(attempt: Attempt) -> bool:
    """Whether a task of an update failed, counted or not."""
    budget = attempt.budget
    return bool(budget and (budget.failures or budget.missed)) or attempt.state != "completed"


def _slots_that_ran(attempt: Attempt) -> list[int]:
    slots = story.slots_that_ran(attempt.recording, attempt.tag)
    return sorted(slot for slot in slots if slot is not None)


def _why_so_many(attempt: Attempt, slots: int) -> str:
    config, budget = attempt.config, attempt.budget
    if budget is None:
        return "Swarm goes on with the next slot until more tasks have failed than it tolerates."
    if attempt.state == "completed":
        if not budget.watched:
            return "With failure action continue Swarm does not look at failures at all."
        return (
            f"{counted(budget.failures, 'failure')} counted, of {budget.tolerated} that were "
            "tolerated: a task counts if it ends within "
            f"{durations.to_text(config.monitor)} of its start."
        )
    at_once = workers(config, budget.slots)
    hand = "one slot was in hand" if at_once == 1 else f"{at_once} slots were in hand"
    because = (
        f"With parallelism {config.parallelism}, {hand} at the same time, and "
        f"{_one_too_many(budget)} for a max failure ratio of {config.max_failure_ratio:g}."
    )
    if slots > at_once and not config.delay:
        because += " Without a delay an updater takes its next slot before the failure is noticed."
    return because


def _one_too_many(budget: Budget) -> str:
    if not budget.tolerated:
        return "the first failure was one too many"
    return f"failure number {budget.tolerated + 1} was one too many"


BUGGED_SLOTS = question("bugged-slots", _bugged_slots)

# ---- how many failures are tolerated -----------------------------------------------

_RATIO = 0.2


def _budget(recording: Recording) -> Reading:
    """Read how many failures a ratio of 0.2 tolerates of the slots that were updated."""
    attempt, _ = newest(recording)
    budget = attempt.budget
    if budget is None:
        raise not_over(recording, "an update of which the slots were seen")
    may = tolerated(budget.slots, _RATIO)
    own = budget.config.max_failure_ratio
    saw = (
        f"{counted(budget.slots, 'slot')} had to be updated, and of these a ratio of {_RATIO:g} "
        f"tolerates {counted(may, 'failure')}. This update's own ratio was {own:g}, which "
        f"tolerates {counted(budget.tolerated, 'failure')}; it had "
        f"{counted(budget.failures, 'failure')}."
    )
    because = (
        f"Failures divided by the slots being updated must be more than the ratio: {may} of "
        f"{budget.slots} are not more than {_RATIO:g}, and {may + 1} of {budget.slots} are."
    )
    choice = {0: "none", 1: "one", 2: "two", 3: "three"}.get(may, "")
    return Reading(choice, saw, because)


BUDGET = question("budget", _budget)

# ---- which setting it was ----------------------------------------------------------


def _which_flags(recording: Recording) -> Reading:
    """Read from the configs of the update that failed what made Swarm take it back."""
    attempt, fits = newest(recording, lambda each: each.rolled_back)
    if not fits:
        attempt, fits = newest(recording, lambda each: each.state == "paused")
    config, back = attempt.config, _restored(attempt).rollback_config
    update = (
        f"the update had failure action {config.failure_action}, ratio "
        f"{config.max_failure_ratio:g} and monitor {durations.to_text(config.monitor)}"
    )
    rollback = f"ratio {back.max_failure_ratio:g} and monitor {durations.to_text(back.monitor)}"
    if attempt.rolled_back:
        saw = f"{update}; the rollback had {rollback}, and it began {_began(attempt)}."
        return Reading("action", saw, _why_back(attempt))
    saw = f"{update}; {how_it_ended(attempt)}"
    return Reading("", saw, _why_not_back(attempt))


def _restored(attempt: Attempt) -> Service:
    """Return the service as its rollback found it, or as the update asked if there was none."""
    for change in attempt.recording.changes:
        if isinstance(change, ServiceSeen):
            status = change.service.update_status
            if status and status.state.startswith("rollback"):
                return change.service
    return attempt.requested


def _began(attempt: Attempt) -> str:
    """Return when Swarm began to take an update back, and after how many failures."""
    began = attempt.update.began
    back = (
        at for at, s in attempt.recording.update_states() if s and s.state == "rollback_started"
    )
    after = next((f"at {seconds(at - began)}" for at in back), "between two looks")
    return f"{after}, after {counted(attempt.failures, 'failure')}" if attempt.failures else after


def _why_back(attempt: Attempt) -> str:
    budget = attempt.budget
    many = _one_too_many(budget) if budget else "there were more failures than are tolerated"
    return (
        "Update failure action rollback says whether to roll back; the update's own ratio and "
        f"monitor say when: {many}. What begins with --rollback- governs the rollback itself."
    )


def _why_not_back(attempt: Attempt) -> str:
    if attempt.state == "completed":
        return "Fewer tasks failed than are tolerated, so no action was taken."
    if attempt.config.failure_action == "pause":
        return (
            "Update failure action pause, the default, stops an update where it is. "
            "What begins with --rollback- governs a rollback, and starts none."
        )
    return "The rollback that it asked for has not come to its end."


WHICH_FLAGS = question("which-flags", _which_flags)

# ---- a rollback after it -----------------------------------------------------------


def _rollback_again(recording: Recording) -> Reading:
    """Read from the service after a rollback what another one would go back to."""
    over = [each for each in attempts(recording) if each.state == "rollback_completed"]
    if not over:
        raise not_over(recording, "a rollback")
    attempt = over[-1]
    service = _after(attempt)
    previous = service.previous_image
    if previous is None:
        saw = f"the service is at {service.tag}, and the swarm keeps no previous spec of it."
        because = (
            "Swarm keeps one previous spec, and its own rollback uses that up: there is nothing "
            "to go back to, so docker service rollback is refused."
        )
        return Reading("refused", saw, because)
    tag = previous.partition("@")[0].rpartition(":")[2]
    saw = f"the service is at {service.tag}, and its previous spec has {tag}."
    left = attempt.before if attempt.by_hand else attempt.requested
    because = (
        "A rollback by hand exchanges the spec with the previous one, so the one that was just "
        "left is the previous one now, and another rollback goes forward again."
    )
    if not attempt.by_hand:
        because = "It is the spec before the one that runs, as this engine keeps it."
    choice = "forward" if tag == left.tag else "older"
    return Reading(choice, saw, because)


def _after(attempt: Attempt) -> Service:
    """Return the service as it was last seen while its rollback was the last that happened."""
    seen = [
        change.service
        for change in attempt.recording.changes
        if isinstance(change, ServiceSeen) and change.service.update_status
    ]
    return seen[-1]


ROLLBACK_AGAIN = question("rollback-again", _rollback_again)
