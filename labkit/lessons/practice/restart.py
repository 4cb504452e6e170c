"""Beginning a step anew: stack, files and progress."""

from __future__ import annotations

from labkit.lessons.practice import activity_log, exercise_session
from labkit.lessons.steps.steps import Step, reset
from labkit.swarm.client import Swarm


def restart(swarm: Swarm, step: Step) -> list[str]:
    """Bring stack, files and progress to where a step begins; returns what was done."""
    exercise_session.stop()
    done = reset(swarm, step)
    open_again = activity_log.done_since(step.number)
    activity_log.note_reset(step.number)  # no exercise has the worker any more
    if open_again:
        things = "1 thing is" if open_again == 1 else f"{open_again} things are"
        done.append(
            f"{things} open again in your progress, of this step and later ones; "
            "the journal keeps what you have done"
        )
    return done
