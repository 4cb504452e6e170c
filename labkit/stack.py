"""Deploy, list and remove stacks as `docker stack` does, with no docker command line.

The specs that reach the engine are those that `docker stack deploy` sends for the same
files (`labkit.compose`), in the same order of operations (docker/cli 28,
command/stack/swarm/), with the same lines printed.

    deploy(swarm, files, name, *, prune=False, resolve_image="always", env=None,
           show_command=True) -> None
    rm(swarm, name, *, timeout=timedelta(minutes=2), show_command=True) -> None
    ls(swarm), services(swarm, name), ps(swarm, name) -> str, a table to print
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from labkit import echo
from labkit import ps as rows_of
from labkit.errors import LabError
from labkit.swarm import Swarm

#: Docker's label for the stack that something belongs to.
NAMESPACE = "com.docker.stack.namespace"


def ls(swarm: Swarm, *, show_command: bool = True) -> str:
    """Return the table that `docker stack ls` prints: each stack and its services' number."""
    _show(["docker", "stack", "ls"], show_command)
    return rows_of.stack_table(
        Counter(service["Spec"]["Labels"][NAMESPACE] for service in swarm.services(label=NAMESPACE))
    )


def services(swarm: Swarm, name: str, *, show_command: bool = True) -> str:
    """Return the table that `docker stack services NAME` prints.

    Raises `LabError` when there is no such stack.
    """
    _show(["docker", "stack", "services", name], show_command)
    found = swarm.services(label=f"{NAMESPACE}={name}")
    if not found:
        raise _nothing(swarm, name)
    return rows_of.service_table(map(rows_of.ServiceRow.from_api, found))


def ps(swarm: Swarm, name: str, *, no_trunc: bool = False, show_command: bool = True) -> str:
    """Return the table that `docker stack ps NAME` prints.

    It still has rows while a removed stack stops; the service's id then stands for its
    name. Raises `LabError` when there is no task of such a stack.
    """
    words = ["docker", "stack", "ps", *(["--no-trunc"] if no_trunc else []), name]
    _show(words, show_command)
    tasks = swarm.task_values(label=f"{NAMESPACE}={name}")
    if not tasks:
        raise _nothing(swarm, name)
    names = {service["ID"]: service["Spec"]["Name"] for service in swarm.services()}
    return rows_of.table(rows_of.rows(tasks, names, datetime.now(UTC), no_trunc=no_trunc))


def _nothing(swarm: Swarm, name: str) -> LabError:
    """Return the error for a stack that has nothing; it names those there are."""
    labels = (service["Spec"]["Labels"][NAMESPACE] for service in swarm.services(label=NAMESPACE))
    known = ", ".join(sorted(set(labels)))
    return LabError(
        f"a stack called {name!r}.",
        f"this swarm has {known}." if known else "this swarm has no stack.",
        "use one of those names." if known else "deploy one first (`labkit up`).",
        docker_says=f"Nothing found in stack: {name}",
    )


def _show(words: list[str], show_command: bool) -> None:
    if show_command:
        echo.command(words)
