"""What notebook 5 asks: how little a deploy of a running stack changes. Pure."""

from __future__ import annotations

from labkit.lessons.checks.question import Reading, question
from labkit.lessons.checks.questions.common import not_over
from labkit.lessons.checks.questions.spec_updates import SpecUpdate, spec_updates
from labkit.lessons.checks.questions.start import newest_scale
from labkit.lessons.checks.wording import counted, listed
from labkit.recordings.recording import Recording

_DIFFERS = "A task is replaced only if something that it is made of differs from the spec."

# ---- the same file again -----------------------------------------------------------


def _redeploy_new(recording: Recording) -> Reading:
    """Read how many tasks of the worker were made when the same was asked for again."""
    over = [update for update in spec_updates(recording) if update.over]
    same = [update for update in over if update.same]
    if not over:
        raise not_over(recording, "a service that is deployed again")
    update = (same or over)[-1]
    made = len(update.new)
    if not made:
        saw = "the service was written anew, and not one of its tasks was touched."
        return Reading("none", saw, _why_same(update))
    saw = f"{counted(made, 'task')} of worker {'is' if made == 1 else 'are'} new."
    every = len(update.replaced) == len(update.had)
    return Reading("worker" if every else "", saw, _why_same(update))


def _why_same(update: SpecUpdate) -> str:
    if not update.same:
        return f"This time the spec was another one. {_DIFFERS}"
    if update.new:
        return f"More than the image and the replica count counts. {_DIFFERS}"
    return f"{_DIFFERS} The file was sent whole, and nothing in it differs from what runs."


REDEPLOY_NEW = question("redeploy-new", _redeploy_new)

# ---- twelve in the file ------------------------------------------------------------


def _twelve_new(recording: Recording) -> Reading:
    """Read how many tasks of the worker were made when the replica count was changed."""
    scale = newest_scale(recording)
    made, kept = len(scale.new), len(scale.had) - len(scale.replaced)
    added = (scale.after.replicas or 0) - (scale.before.replicas or 0)
    new = f"{counted(made, 'task')} {'is' if made == 1 else 'are'} new"
    saw = (
        f"{new}, in {listed(scale.filled)}; {kept} went on." if made else f"{new}; {kept} went on."
    )
    if scale.replaced:
        slots = counted(len(scale.replaced), "slot")
        saw = f"{new}; {slots} had a task already, which was replaced."
    every = bool(scale.replaced) and made >= (scale.after.replicas or 0)
    choice = "two" if made == added == 2 else "twelve" if every else ""
    return Reading(choice, saw, _why_new(scale))


def _why_new(scale: SpecUpdate) -> str:
    if scale.before.image != scale.after.image:
        return f"The image differs as well as the replica count. {_DIFFERS}"
    if scale.replaced:
        return f"More than the replica count differs. {_DIFFERS}"
    return (
        "The replica count is no part of what a task is made of: Swarm fills the slots that are "
        "missing, or takes away those that are too many, and leaves the others alone."
    )


TWELVE_NEW = question("twelve-new", _twelve_new)
