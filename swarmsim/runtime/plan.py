"""What a task is to run: its image's config, and what the service's spec changes about it. Pure.

The rules are those of moby's `daemon/create.go` and `image/cache`: `Command` replaces the
entrypoint and drops the image's command, `Args` replaces the command; variables are added;
a healthcheck takes from the image's what it does not say itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from swarmsim.model import Task

_SECOND = 10**9
_PLACEHOLDER = re.compile(r"\{\{\s*\.(\w+)\.(\w+)(?:\s+\"([^\"]*)\")?\s*\}\}")


@dataclass(frozen=True, slots=True)
class Healthcheck:
    """How a task's health is probed. Durations are nanoseconds of the engine's clock."""

    #: The words of the command. Of a shell's, the last is what the shell is given.
    command: tuple[str, ...]
    interval: int = 30 * _SECOND
    timeout: int = 30 * _SECOND
    start_period: int = 0
    retries: int = 3


@dataclass(frozen=True, slots=True)
class Plan:
    """What a task runs."""

    image_id: str
    command: tuple[str, ...]
    env: Mapping[str, str]
    working_dir: str
    hostname: str
    stop_signal: str
    healthcheck: Healthcheck | None
    #: Folders that the image wants to have apart.
    volumes: tuple[str, ...]
    #: What makes one kind of process another: see `kinds`.
    kind: str


def make(task: Task, image_id: str, config: Mapping[str, Any], node_name: str) -> Plan:
    """Return what a task of an image with that config runs."""
    container = task.container
    command = _command(container, config)
    env = _env(config.get("Env"), container.get("Env"), task, node_name)
    check = _healthcheck(container.get("Healthcheck") or {}, config)
    working_dir = container.get("Dir") or config.get("WorkingDir") or "/"
    mounts = [container.get("Mounts"), container.get("Configs"), container.get("Secrets")]
    # variables as they are written: the slot's number in one makes no kind of its own
    what = [image_id, command, container.get("Env"), working_dir, mounts, repr(check)]
    return Plan(
        image_id=image_id,
        command=tuple(command),
        env=env,
        working_dir=working_dir,
        hostname=_filled(str(container.get("Hostname") or ""), task, node_name),
        stop_signal=container.get("StopSignal") or config.get("StopSignal") or "SIGTERM",
        healthcheck=check,
        volumes=tuple(config.get("Volumes") or ()),
        kind=sha256(json.dumps(what, default=repr).encode()).hexdigest(),
    )


def _command(container: Mapping[str, Any], config: Mapping[str, Any]) -> list[str]:
    if container.get("Command"):
        return [*container["Command"], *(container.get("Args") or ())]
    arguments = container.get("Args") or config.get("Cmd") or ()
    return [*(config.get("Entrypoint") or ()), *arguments]


def _env(
    of_image: list[str] | None, of_service: list[str] | None, task: Task, node_name: str
) -> dict[str, str]:
    env = dict(pair.partition("=")[::2] for pair in of_image or ())
    for pair in of_service or ():
        name, equals, value = _filled(pair, task, node_name).partition("=")
        if equals:
            env[name] = value
        else:
            env.pop(name, None)
    return env


def _filled(text: str, task: Task, node_name: str) -> str:
    """Fill in the placeholders of Swarm's templates, such as `{{.Task.Slot}}`."""
    if "{{" not in text:
        return text
    slot = str(task.slot if task.slot is not None else task.node_id)
    values = {
        ("Service", "ID"): task.service_id,
        ("Service", "Name"): task.service_name,
        ("Node", "ID"): task.node_id,
        ("Node", "Hostname"): node_name,
        ("Task", "ID"): task.id,
        ("Task", "Name"): f"{task.service_name}.{slot}.{task.id}",
        ("Task", "Slot"): slot,
    }
    return _PLACEHOLDER.sub(lambda found: values.get((found[1], found[2]), found[0]), text)


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
        interval=setting("Interval", 30 * _SECOND),
        timeout=setting("Timeout", 30 * _SECOND),
        start_period=setting("StartPeriod", 0),
        retries=setting("Retries", 3),
    )
