"""The steps of the lesson, and the way to the state in which each begins."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from labkit.base import echo, settings
from labkit.base.errors import BadValue, NotFound, NotSettled
from labkit.base.jobs import PATIENCE, poll
from labkit.engines import nodes as node_containers
from labkit.engines import ports, state
from labkit.lessons import workspace
from labkit.lessons.checks import Image
from labkit.lessons.steps import edits
from labkit.recordings.update.phases import describe
from labkit.recordings.values import RollbackConfig, Snapshot, UpdateConfig
from labkit.swarm import compose, stack
from labkit.swarm.client import Swarm
from labkit.swarm.images import images
from swarmsim.go import defaults

#: What every step begins with.
REPLICAS = 10
_WAIT_SECONDS = PATIENCE
#: Docker's own, in nanoseconds; what the lesson's file says, and what it says nothing of.
_GRACE, _PAUSE = defaults.STOP_GRACE_PERIOD, defaults.RESTART_DELAY
_SLOT = "SLOT={{.Task.Slot}}"
_ADDED = frozenset(
    {"Args", "Command", "Configs", "Healthcheck", "Hostname", "Mounts", "Secrets", "StopSignal"}
)
_POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the lesson: which notebook, and the state that it begins in."""

    number: int
    #: The name of its notebook, without `.ipynb`.
    notebook: str
    #: The tag that every replica of worker runs when the step begins.
    tag: str
    #: The edits that the learner's files hold when the step begins.
    edits: tuple[str, ...]

    @property
    def shipped(self) -> Path:
        """Its notebook as it is shipped."""
        return settings.lesson_files() / "notebooks" / f"{self.notebook}.ipynb"

    @property
    def stack(self) -> str:
        """The name of the learner's stack."""
        return settings.stack_name()

    @property
    def worker(self) -> str:
        """The name of the worker service, such as `dc_worker`."""
        return f"{self.stack}_worker"

    @property
    def folder(self) -> Path:
        """The learner's copy of dockercoins."""
        return workspace.mine("")

    def image(self, tag: str) -> str:
        """Return the name of the worker's image: `<Docker ID>/dockercoins_worker:1.1`."""
        return f"{settings.docker_id()}/dockercoins_worker:{tag}"


STEPS = (
    Step(0, "00-start-here", "1.0", ()),
    Step(1, "01-rolling-updates", "1.0", ()),
    Step(2, "02-updates-in-parallel", "1.1", ("faster",)),
    Step(3, "03-rolling-back", "1.0", ("faster", "in pairs")),
    Step(4, "04-shutting-down", "1.0", ("faster", "in pairs")),
    Step(5, "05-conclusion", "1.0", ("faster", "in pairs")),
)


def find(step: int | str | None) -> Step:
    """Return a step by its number (`1`, `"01"`) or its notebook's name; the first by default."""
    if step is None:
        return STEPS[0]
    name = str(step).removesuffix(".ipynb")
    for each in STEPS:
        if name in (str(each.number), f"{each.number:02}", each.notebook, each.notebook[3:]):
            return each
    known = ", ".join(each.notebook for each in STEPS)
    raise BadValue(f"the steps are 0 to {len(STEPS) - 1} ({known}), not {step!r}")


def reset(swarm: Swarm, step: Step) -> list[str]:
    """Bring the learner's files and stack to where a step begins; returns what was done.

    What is already as it should be stays as it is. Only the lab's own stack is touched:
    one that somebody else deployed under its name raises `NotOurs`.
    """
    base = images.base_image(swarm)
    done = ["your copy of dockercoins is up to date"] if workspace.refresh(base) else []
    done += [did for file in edits.FILES if (did := edits.put(file, step.edits, base))]
    built = _build(swarm, step)
    given = node_containers.share(swarm)
    return [*done, *built, *given, *_bring_stack(swarm, step, anew=bool(built))]


def build_edited(swarm: Swarm, wanted: Image) -> str:
    """Build worker as it is shipped, with some of the lesson's edits made to it.

    Returns what was done in a sentence, or `""` if the image was there already, made from
    the same. Raises `BuildFailed`.
    """
    image = f"{settings.docker_id()}/dockercoins_worker:{wanted.tag}"
    with TemporaryDirectory() as temporary:
        folder = Path(temporary) / "worker"
        write_edited(folder, wanted.edits)
        built = images.ensure(swarm, {image: folder})
    shared = node_containers.share(swarm)
    return "; ".join([*built, *shared]) if built else ""


def write_edited(folder: Path, names: Sequence[str]) -> None:
    """Write the files of worker as they are after these edits to a new folder."""
    ignored = shutil.ignore_patterns("__pycache__", ".*")
    shutil.copytree(workspace.shipped("worker"), folder, ignore=ignored)
    for name in names:
        change = edits.EDITS[name]
        path = folder.parent / change.file
        path.write_text(change.apply(path.read_text(encoding="utf-8")), encoding="utf-8")


def _build(swarm: Swarm, step: Step) -> list[str]:
    """Build the images that the step begins with; returns what was built.

    What is there already, made from the same, stays. The first tag is dockercoins as it is
    shipped; any other is what the learner's files, which are the step's by now, make.
    """
    done = images.build_all(swarm, settings.docker_id(), settings.lesson_files() / "dockercoins")
    image = step.image(step.tag)
    if step.tag != images.FIRST_TAG:
        done += images.ensure(swarm, {image: step.folder / "worker"})
    return done


def _bring_stack(swarm: Swarm, step: Step, *, anew: bool) -> list[str]:
    """Deploy the stack as the step has it.

    A worker in another state is removed and made anew, which takes seconds: an update
    would take as long as the lesson's, and leave its traces in the service's history.
    With `anew` it is another one in any case: what its image has may have changed.
    """
    found = look(swarm, step.worker)
    there = not anew and found is not None and found.service is not None
    plain = there and _is_plain(swarm.service(step.worker)["Spec"])
    if found and plain and _in_place(found, step):
        _wait_for_all(swarm, step)
        return []
    anew = found is not None and not (plain and _runs(found, step.tag))
    with ExitStack() as held:
        if found is None:  # somebody may have taken its ports since it was removed
            ports.choose_for(swarm, step.stack, held)
        env = state.compose_environment()
        file = held.enter_context(_compose_file(step))
        # before anything is removed: what is wrong with it would come to light halfway
        stack.check(swarm, step.stack, compose.load([file], env).specs(step.stack))
        done = _remove(swarm, found) if found and anew else []
        with echo.muted():  # what was done is said in a sentence afterwards
            stack.deploy(swarm, [file], step.stack, env=env)
        _wait(swarm, step.worker, lambda now: bool(now and _runs(now, step.tag)), "ten replicas")
        _wait_for_all(swarm, step)
    return [*done, f"{step.stack} deployed: {REPLICAS} replicas of {step.worker} run {step.tag}"]


@contextmanager
def _compose_file(step: Step) -> Iterator[Path]:
    """Lend the learner's compose file with the tag that worker has when the step begins."""
    text = workspace.mine(edits.COMPOSE).read_text(encoding="utf-8")
    text = text.replace("/dockercoins_worker:1.0", f"/dockercoins_worker:{step.tag}")
    with TemporaryDirectory() as folder:
        file = Path(folder) / edits.COMPOSE
        file.write_text(text, encoding="utf-8")
        yield file


def _remove(swarm: Swarm, found: Snapshot) -> list[str]:
    """Remove a service, wait until its last task is gone, or its node down, and say so."""
    if found.service is None:
        return []
    swarm.delete(f"/services/{found.service.id}")
    name = found.service.name

    def gone(now: Snapshot | None) -> bool:
        return now is None or (now.service is None and all(task.lost for task in now.tasks))

    _wait(swarm, name, gone, "its last task to be gone")
    return [f"{name} removed"]


def _in_place(found: Snapshot, step: Step) -> bool:
    """Whether the worker is just as the step begins, so that nothing need be done."""
    in_pairs = UpdateConfig(parallelism=2, delay=timedelta(seconds=5))
    wanted = in_pairs if "in pairs" in step.edits else UpdateConfig()
    service = found.service
    return (
        service is not None
        and service.update_config == wanted
        and service.rollback_config == RollbackConfig()
        and _runs(found, step.tag)
    )


def _is_plain(spec: Mapping[str, Any]) -> bool:
    """Whether a spec's tasks are those of the lesson's file: nothing was set beside it."""
    template = spec["TaskTemplate"]
    container, policy = template["ContainerSpec"], template.get("RestartPolicy") or {}
    placement, resources = template.get("Placement") or {}, template.get("Resources") or {}
    return (
        (container.get("Env") or []) == [_SLOT]
        and container.get("StopGracePeriod", _GRACE) == _GRACE
        and not _ADDED.intersection(container)
        and (policy.get("Condition", "any"), policy.get("Delay", _PAUSE)) == ("any", _PAUSE)
        and not policy.get("MaxAttempts")
        and not placement.get("Constraints")
        and not any(resources.values())
    )


def _runs(found: Snapshot, tag: str) -> bool:
    """Whether all replicas run this tag, and nothing is on its way."""
    service = found.service
    if service is None or service.tag != tag or service.replicas != REPLICAS:
        return False
    if service.update_status and not service.update_status.settled:
        return False
    live = [task for task in found.tasks if not (task.ended or task.lost)]
    return len(live) == REPLICAS and all(task.running and task.tag == tag for task in live)


def look(swarm: Swarm, name: str) -> Snapshot | None:
    """Return a service and its tasks as they are; `None` if there are none."""
    try:
        return swarm.snapshot(name)
    except NotFound:
        return None


def _wait(swarm: Swarm, name: str, condition: Callable[[Snapshot | None], bool], what: str) -> None:
    """Wait until a condition holds of a service. Raises `NotSettled` when the time is up."""
    for _ in poll(_WAIT_SECONDS, _POLL_SECONDS):
        found = look(swarm, name)
        if condition(found):
            return
    how = (
        describe(found.service, found.tasks, found.nodes) if found else "the service is not there."
    )
    raise _not_settled(f"{what} of {name}", how)


def _wait_for_all(swarm: Swarm, step: Step) -> None:
    """Wait until the services beside worker run, too: workers count nothing without redis."""
    names = {f"{step.stack}_{each}" for each in images.SERVICES}
    for _ in poll(_WAIT_SECONDS, _POLL_SECONDS):
        counts = stack.running(swarm, step.stack)
        short = [each for each, (run, wanted) in counts.items() if each in names and run < wanted]
        if not short:
            return
    raise _not_settled(
        f"all services of {step.stack} to run", f"{', '.join(sorted(short))} do not."
    )


def _not_settled(what: str, how: str) -> NotSettled:
    return NotSettled(
        f"{what} within {_WAIT_SECONDS} s.",
        how,
        "run the cell again to wait longer, or look for errors with "
        f"`labkit stack ps {settings.stack_name()}`.",
    )
