"""The tables of `docker stack ls`, `docker stack services` and `docker stack ps`."""

from collections import Counter
from collections.abc import Iterator

from labkit.base.errors import LabError
from labkit.recordings.ps import (
    SERVICE_HEADER,
    STACK_HEADER,
    TASK_HEADER,
    natural_key,
    rows,
    service_row,
    write,
)
from labkit.recordings.values import instant
from labkit.swarm.client import Swarm
from labkit.swarm.ownership import NAMESPACE


def ls(swarm: Swarm) -> str:
    """Return the table that `docker stack ls` prints: each stack and its services' number."""
    counts = Counter(_stacks(swarm))
    return write(
        STACK_HEADER, ((each, str(counts[each])) for each in sorted(counts, key=natural_key))
    )


def services(swarm: Swarm, name: str) -> str:
    """Return the table that `docker stack services NAME` prints.

    Raises `LabError` when there is no such stack.
    """
    found = swarm.services(label=f"{NAMESPACE}={name}")
    if not found:
        raise _nothing(swarm, name)
    in_order = sorted(found, key=lambda each: natural_key(each["Spec"]["Name"]))
    return write(SERVICE_HEADER, map(service_row, in_order))


def ps(swarm: Swarm, name: str, *, no_trunc: bool = False) -> str:
    """Return the table that `docker stack ps NAME` prints.

    It still has rows while a removed stack stops; the service's id then stands for its
    name. Raises `LabError` when there is no task of such a stack.
    """
    tasks = swarm.task_values(label=f"{NAMESPACE}={name}")
    if not tasks:
        raise _nothing(swarm, name)
    names = {service["ID"]: service["Spec"]["Name"] for service in swarm.services()}
    return write(TASK_HEADER, rows(tasks, names, swarm.now(), no_trunc=no_trunc))


def running(swarm: Swarm, name: str) -> dict[str, tuple[int, int]]:
    """Return, for each service of a stack, how many of its replicas run and how many should.

    Docker's own count also has tasks that ran on a node that is down.
    """
    label = f"{NAMESPACE}={name}"
    services, tasks = swarm.services(label=label), swarm.task_values(label=label)
    run = Counter(t.service_id for t in tasks if t.running and t.desired_state == "running")
    return {
        each["Spec"]["Name"]: (
            run[each["ID"]],
            each.get("ServiceStatus", {}).get("DesiredTasks", 0),
        )
        for each in services
    }


def since_deploy(swarm: Swarm, name: str) -> tuple[int, int]:
    """Return how many running tasks are older than a stack's last deploy, and how many are not.

    A deploy writes every service of the stack; the times are the engine's own.
    """
    label = f"{NAMESPACE}={name}"
    written = [instant(service["UpdatedAt"]) for service in swarm.services(label=label)]
    tasks = [task for task in swarm.task_values(label=label) if task.running]
    newer = sum(task.created_at > min(filter(None, written)) for task in tasks)
    return len(tasks) - newer, newer


def _stacks(swarm: Swarm) -> Iterator[str]:
    return (service["Spec"]["Labels"][NAMESPACE] for service in swarm.services(label=NAMESPACE))


def _nothing(swarm: Swarm, name: str) -> LabError:
    """Return the error for a stack that has nothing; it names those there are."""
    known = ", ".join(sorted(set(_stacks(swarm))))
    return LabError(
        f"a stack called {name!r}.",
        f"this swarm has {known}." if known else "this swarm has no stack.",
        "use one of those names." if known else "deploy one first (`labkit up`).",
        docker_says=f"Nothing found in stack: {name}",
    )
