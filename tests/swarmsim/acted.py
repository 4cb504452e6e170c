"""What tasks do where a test is about the API: the image's name says it.

`acts/fail:1.5s`, say, is a task that fails after 1.5 s of the engine's time, `acts/deaf` one
that takes no notice of a stop signal, and `missing/…` an image that cannot be had. All others
run until they are stopped.
"""

from functools import partial
from typing import Any

from swarmsim.model import Behaviour, Task
from swarmsim.runtime.acted import Acted as ByBehaviour


def behaviour(task: Task) -> Behaviour:
    """What a task does, by its image and its slot."""
    name, _, tag = task.image.partition(":")
    does: dict[str, Any] = {"stdout": f"hello from {task.slot}\n", "stderr": "a warning\n"}
    if name == "acts/fail":
        does |= {"exits_after": tag, "exit_code": 1}
    if name.startswith("missing"):
        does |= {"pull_error": f"No such image: {task.image}"}
    return Behaviour(**does, stops_after=None if name == "acts/deaf" else "100ms")  # type: ignore[arg-type]


#: A runtime for `Engine(folder, Acted)`.
Acted = partial(ByBehaviour, behaviour=behaviour)
