"""What notebook 0 asks: what a change of the replica count does to those that run. Pure."""

from __future__ import annotations

from labkit.lessons.checks.question import Reading, question
from labkit.lessons.checks.questions.common import not_over
from labkit.lessons.checks.questions.spec_updates import SpecUpdate, spec_updates
from labkit.lessons.checks.wording import counted, listed
from labkit.recordings import story
from labkit.recordings.recording import Recording

_COUNT = "The replica count is no part of what a task is made of, so no task that runs differs."


def _scale_touched(recording: Recording) -> Reading:
    """Read how many of the replicas that ran were replaced."""
    scale = newest_scale(recording)
    touched = scale.replaced
    if not touched:
        return Reading("none", _saw(scale), _because(scale))
    tag = scale.after.tag
    together = story.most_at_once(scale.since, tag) >= len(touched)
    saw = f"{listed(touched)} had another task made, of those that ran already."
    return Reading("at-once" if together else "in-turn", saw, _because(scale))


def newest_scale(recording: Recording) -> SpecUpdate:
    """Return the newest change of the replica count that is over, one up if there is one.

    Raises `NotSettled` if there is none.
    """
    over = [write for write in spec_updates(recording) if write.scaled and write.over]
    up = [w for w in over if (w.after.replicas or 0) > (w.before.replicas or 0)]
    if not over:
        raise not_over(recording, "a change of the replica count")
    return (up or over)[-1]


def _saw(scale: SpecUpdate) -> str:
    was, now = scale.before.replicas or 0, scale.after.replicas or 0
    if now > was:
        return f"{listed(scale.filled)} got a task, and none of the {was} that ran was touched."
    went = f"{counted(was - now, 'slot')} {'was' if was - now == 1 else 'were'} taken away"
    return f"{went}, and none of the {now} others was touched."


def _because(scale: SpecUpdate) -> str:
    if scale.before.image != scale.after.image:
        return (
            f"The image was changed as well, from {scale.before.tag} to {scale.after.tag}: that is "
            "a part of every task, so Swarm updates each slot. The replica count alone is none."
        )
    if scale.replaced:
        return (
            "More than the replica count was changed, or tasks ended by themselves: the count "
            "alone touches no task that runs."
        )
    return f"{_COUNT} Swarm makes what is missing, or takes away what is too much, and no more."


SCALE_TOUCHED = question("scale-touched", _scale_touched)
