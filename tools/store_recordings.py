"""Record each update of the lesson on a real engine, for `notebooks/recordings/`.

Run it after changing what the lesson does: `labkit up`, on an engine that nobody else
uses and a machine at rest, then `.venv/bin/python tools/store_recordings.py [NAME …]`.
The recordings are what a room without Docker is shown, and what the times that the
notebooks state are held to (`tests/lessons/test_recordings.py`); `riddle` is the chart that an
exercise shows. A recording made on a simulated engine is refused.
"""

import math
import sys
from collections.abc import Callable
from pathlib import Path

import labkit
from labkit import lessons
from labkit.base import settings
from labkit.recordings.recorder import Recorder

FOLDER = settings.lesson_files() / "notebooks" / "recordings"
#: Seconds at rest before an update, in which dockercoins' speed is seen.
_REST = 8
_LONGEST = 200


def scaled(path: Path) -> None:
    """Notebook 0: from ten replicas to twelve."""
    step = labkit.reset(0)
    with recorded(path) as recorder:
        labkit.update(step.worker, replicas=12)
        recorder.wait(_LONGEST)


def rolling(path: Path) -> None:
    """Notebook 1: one slot after the other, from 1.0 to 1.1."""
    step = labkit.reset(1)
    lessons.edit("faster")
    labkit.build(step.folder / "worker", step.image("1.1"))
    updated(path, step, "1.1")


def pairs(path: Path) -> None:
    """Notebook 2: two at a time, with a delay of five seconds, from 1.1 to 1.0."""
    step = labkit.reset(2)
    lessons.edit("in pairs")
    with recorded(path) as recorder:
        rest(recorder)
        labkit.deploy(step.folder / "docker-compose.yml", step.stack)
        recorder.wait(_LONGEST)


def all_at_once(path: Path) -> None:
    """Notebook 2: `parallelism: 0`, from 1.0 to 1.1."""
    updated(path, labkit.reset(3), "1.1", parallelism=0, delay="0s")


def no_delay(path: Path) -> None:
    """Notebook 2: two at a time without a delay, from 1.1 to 1.0."""
    updated(path, labkit.reset(2), "1.0", parallelism=2, delay="0s")


def rolled_back(path: Path) -> None:
    """Notebook 3: a broken image goes out, fails, and is taken back."""
    step = labkit.reset(3)
    labkit.update(
        step.worker,
        update_config={"failure_action": "rollback"},
        rollback_config={"parallelism": 2, "monitor": "20s", "max_failure_ratio": 0.2},
    )
    lessons.edit("bugged")
    labkit.build(step.folder / "worker", step.image("bugged"))
    updated(path, step, "bugged")


def removed(path: Path) -> None:
    """Notebook 4: the stack is removed."""
    step = labkit.reset(4)
    with recorded(path) as recorder:
        labkit.remove(step.stack)
        recorder.wait(_LONGEST)


def redeployed(path: Path) -> None:
    """Notebook 5: the same file once more, and then with twelve replicas in it."""
    step = labkit.reset(5)
    with recorded(path) as recorder:
        labkit.deploy(step.folder / "docker-compose.yml", step.stack)
        rest(recorder)
        lessons.edit("twelve")
        labkit.deploy(step.folder / "docker-compose.yml", step.stack)
        recorder.wait(_LONGEST)


def riddle(path: Path) -> None:
    """The chart of an exercise: three at a time, four seconds' delay, the new one first."""
    updated(path, labkit.reset(2), "1.0", parallelism=3, delay="4s", order="start-first")


MAKERS: dict[str, Callable[[Path], None]] = {
    "00-scaled": scaled,
    "01-rolling": rolling,
    "02-pairs": pairs,
    "02-all-at-once": all_at_once,
    "02-no-delay": no_delay,
    "03-rolled-back": rolled_back,
    "04-removed": removed,
    "05-redeployed": redeployed,
    "riddle": riddle,
}


def updated(path: Path, step: lessons.Step, tag: str, **config: object) -> None:
    """Record an update of the worker to a tag, with these fields of its update config, if any."""
    with recorded(path) as recorder:
        rest(recorder)
        labkit.update(step.worker, image=step.image(tag), update_config=config or None)
        recorder.wait(_LONGEST)


def recorded(path: Path) -> Recorder:
    """Return a recorder that writes to a path."""
    path.unlink(missing_ok=True)
    return labkit.record(lessons.STEPS[0].worker, path=path)


def rest(recorder: Recorder) -> None:
    """Let the application's speed be seen before the update."""
    began = recorder.now()
    recorder.wait_for(
        lambda _: (recorder.now() - began).total_seconds() > _REST, "a rest", timeout=math.inf
    )


def main(names: list[str]) -> None:
    """Make the recordings that are named, or all."""
    if labkit.connect().provenance != "engine":
        sys.exit("These recordings are to be of a real engine.")
    for name in names or MAKERS:
        print(f"== {name}")
        MAKERS[name](FOLDER / f"{name}.jsonl")
    labkit.reset(0)


if __name__ == "__main__":
    main(sys.argv[1:])
