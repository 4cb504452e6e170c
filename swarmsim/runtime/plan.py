"""What a task is to run: its image's config, and what the service's spec changes about it. Pure.

The rules are those of moby's `daemon/create.go` and `image/cache`: `Command` replaces the
entrypoint and drops the image's command, `Args` replaces the command; variables are added;
a healthcheck takes from the image's what it does not say itself.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from swarmsim.go import values
from swarmsim.model import SECOND, Node, Task
from swarmsim.runtime import templates
from swarmsim.runtime.templates import Spec

_SIGTERM = 15


@dataclass(frozen=True, slots=True)
class Healthcheck:
    """How a task's health is probed. Durations are nanoseconds of the engine's clock."""

    #: The words of the command. Of a shell's, the last is what the shell is given.
    command: tuple[str, ...]
    interval: int = 30 * SECOND
    timeout: int = 30 * SECOND
    start_period: int = 0
    start_interval: int = 5 * SECOND
    retries: int = 3


@dataclass(frozen=True, slots=True)
class Plan:
    """What a task runs."""

    image_id: str
    command: tuple[str, ...]
    env: Mapping[str, str]
    working_dir: str
    hostname: str
    stop_signal: int
    healthcheck: Healthcheck | None
    #: What makes one kind of process another: see `kinds`.
    kind: str


def make(task: Task, image_id: str, config: Mapping[str, Any], node: Node | None) -> Plan:
    """Return what a task of an image with that config runs."""
    container = container_of(task, node)
    words = command(container, config)
    check = _healthcheck(container.get("Healthcheck") or {}, config)
    working_dir = container.get("Dir") or config.get("WorkingDir") or "/"
    mounts = [task.container.get("Mounts"), container.get("Configs"), container.get("Secrets")]
    # variables as they are written: the slot's number in one makes no kind of its own
    what = [image_id, words, task.container.get("Env"), working_dir, mounts, repr(check)]
    variables = (it.partition("=") for it in environment(container, config))
    return Plan(
        image_id=image_id,
        command=tuple(words),
        env={name: value for name, equals, value in variables if equals},
        working_dir=working_dir,
        hostname=container.get("Hostname") or "",
        stop_signal=stop_signal(container, config),
        healthcheck=check,
        kind=sha256(json.dumps(what, default=repr).encode()).hexdigest(),
    )


def container_of(task: Task, node: Node | None) -> Spec:
    """Return the spec that a task's container is created from: its templates are filled in."""
    return templates.expanded(task.container, templates.of_task(task, node))


def refusal(task: Task, node: Node | None) -> str:
    """Return why Docker makes no container of a task's spec, or `""`."""
    container = task.container
    limits = (task.spec.get("Resources") or {}).get("Limits") or {}
    if node and limits.get("NanoCPUs", 0) > node.nano_cpus:
        cpus = node.nano_cpus // 10**9
        return f"Range of CPUs is from 0.01 to {cpus}.00, as there are only {cpus} CPUs available"
    if not (container.get("Dir") or "/").startswith("/"):
        why = "is invalid, it needs to be an absolute path"
        return f"the working directory '{container['Dir']}' {why}"
    name = container.get("StopSignal") or "SIGTERM"
    if not name.isdecimal() and values.signal_number(name) is None:
        return f"Invalid signal: {name}"
    return ""


def command(container: Spec, config: Mapping[str, Any]) -> list[str]:
    """Return the words that a process is started with, from its spec and its image."""
    if container.get("Command"):
        return [*container["Command"], *(container.get("Args") or ())]
    arguments = container.get("Args") or config.get("Cmd") or ()
    return [*(config.get("Entrypoint") or ()), *arguments]


def environment(container: Spec, config: Mapping[str, Any]) -> list[str]:
    """Return its variables: the spec's first, then those of the image that the spec leaves.

    One without a value is shown, and taken away from the process.
    """
    given = list(container.get("Env") or [])
    names = {variable.partition("=")[0] for variable in given}
    return given + [it for it in config.get("Env") or [] if it.partition("=")[0] not in names]


def stop_signal(container: Spec, config: Mapping[str, Any]) -> int:
    """Return the number of the signal that asks a process to end."""
    name = container.get("StopSignal") or config.get("StopSignal") or ""
    return values.signal_number(name) or _SIGTERM


def _healthcheck(of_service: Mapping[str, Any], config: Mapping[str, Any]) -> Healthcheck | None:
    of_image = config.get("Healthcheck") or {}
    test = of_service.get("Test") or of_image.get("Test") or []
    if not test or test[0] == "NONE":
        return None
    shell = config.get("Shell") or ["/bin/sh", "-c"]
    command = [*shell, *test[1:]] if test[0] == "CMD-SHELL" else test[1:]

    def setting(key: str, default: int) -> int:
        return int(of_service.get(key) or of_image.get(key) or default)

    return Healthcheck(
        tuple(command),
        interval=setting("Interval", 30 * SECOND),
        timeout=setting("Timeout", 30 * SECOND),
        start_period=setting("StartPeriod", 0),
        start_interval=setting("StartInterval", 5 * SECOND),
        retries=setting("Retries", 3),
    )
