"""What the steps of the lesson go by that a learner types in a terminal. Pure.

Their checks read what the notebook's view has recorded, and the service as it is now; who
sent the command, and from where, is all the same.
"""

from datetime import timedelta
from functools import partial

from labkit.base.rules import Facts
from labkit.lessons.checks.attempts import Attempt
from labkit.lessons.checks.exercise import Evidence, exercise

#: What the three `--rollback-` flags set: parallelism, monitor, max-failure-ratio.
_WANTED = (2, timedelta(seconds=20), 0.2)


def _updates(evidence: Evidence, _: Attempt | None) -> Facts:
    to_new = [each for each in evidence.attempts if each.tag == "1.1" and not each.by_hand]
    sudden = [each for each in to_new if not each.config.parallelism]
    return {"to_new": to_new, "sudden": sudden}


@partial(exercise, "type-flags", typed=True)
def _flags(evidence: Evidence, _: Attempt | None) -> Facts:
    if (service := evidence.service) is None:
        return {"action": False, "rollback": False}
    back = service.rollback_config
    return {
        "action": service.update_config.failure_action == "rollback",
        "rollback": (back.parallelism, back.monitor, back.max_failure_ratio) == _WANTED,
    }


TYPE_IMAGE = exercise("type-image", _updates, typed=True)
TYPE_SUDDEN = exercise("type-sudden", _updates, typed=True)
TYPE_REMOVE = exercise("type-remove", typed=True)
