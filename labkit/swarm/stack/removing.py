"""Removing a stack, or what a deploy has pruned, and waiting until it is gone."""

import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta

from labkit.base import echo
from labkit.base.errors import EngineRefused, NotFound, NotSettled
from labkit.base.jobs import poll
from labkit.swarm import ownership
from labkit.swarm.client import Swarm
from labkit.swarm.ownership import NAMESPACE
from labkit.swarm.stack.cluster_state import ClusterState, Thing, name_of
from labkit.swarm.stack.refusals import explained, require_ours

_POLL_SECONDS = 0.1
#: A wait is spoken of after this long, and then every so often.
_FIRST_WORD_SECONDS = 1.0
_WORD_EVERY_SECONDS = 5.0


def rm(
    swarm: Swarm,
    name: str,
    *,
    timeout: timedelta = timedelta(minutes=2),
    show_command: bool = True,
) -> None:
    """Remove a stack as `docker stack rm` does, and wait until it is gone.

    docker returns while containers still stop and the node still knows the stack's
    network, so that a deploy right after it fails with `network … not found`. This
    returns when the tasks, their containers on this node and the networks are gone. That
    there is nothing to remove is said, and is not an error. Named volumes stay.

    Raises `NotOurs`, before anything has changed, for what somebody else deployed, and
    `NotSettled` when the time is up.
    """
    if show_command:
        echo.command(["docker", "stack", "rm", name])
    cluster = ClusterState.fetch(swarm)
    if not cluster.in_stack(name):
        echo.say(f"Nothing found in stack: {name}")
        return
    require_ours(name, cluster)
    for kind in ("service", "secret", "config"):
        remove_all(swarm, kind, cluster.of(kind, name))
    _remove_networks(swarm, name, cluster.of("network", name), timeout)


def remove_all(swarm: Swarm, kind: str, things: Iterable[Thing]) -> None:
    """Remove services, configs or secrets; one that is gone already is not an error."""
    for each in things:
        echo.say(f"Removing {kind} {name_of(each)}")
        with explained(f"the {kind} {name_of(each)} to be removed."), suppress(NotFound):
            swarm.delete(f"/{kind}s/{ownership.identity(each)}")
        ownership.forget(ownership.identity(each))


def _remove_networks(
    swarm: Swarm, stack: str, networks: Iterable[Thing], timeout: timedelta
) -> None:
    """Remove the networks of a stack, and wait until nothing of the stack is left.

    The engine refuses while a task still runs on a network, so that this is tried again.
    """
    for each in networks:
        echo.say(f"Removing network {name_of(each)}")
    next_word = _FIRST_WORD_SECONDS
    for waited in poll(timeout.total_seconds(), _POLL_SECONDS):
        left, refusal = _left(swarm, stack)
        if not left:
            break
        if user := _other_user(swarm, refusal):
            raise NotSettled(
                f"the stack {stack!r} to be gone, with its networks.",
                f"the service {user}, which is not part of it, uses one of them.",
                f"`docker service rm {user}`, or take it off that network; then do this again.",
                docker_says=refusal,
            )
        if waited >= next_word:
            echo.say(f"Waiting for {left} …")
            next_word = waited + _WORD_EVERY_SECONDS
    else:
        raise NotSettled(
            f"the stack {stack!r} to be gone after {timeout.total_seconds():.0f} s.",
            f"still there: {left}.",
            "wait, and check with `docker stack ps` and `docker ps`.",
            docker_says=refusal,
        )
    for each in networks:
        ownership.forget(ownership.identity(each))


def _left(swarm: Swarm, stack: str) -> tuple[str, str]:
    """Remove what can be removed by now; return what is still there, in words, or `""`.

    The second text is why the engine would not remove a network.
    Tasks of a job that are complete do not count: the engine keeps them, and their
    containers, although the service is gone (seen with 20.10). Nor do those on a node that
    is down: they end when it is back.
    """
    label = f"{NAMESPACE}={stack}"
    filters = {"label": [label]}
    swarm.nodes()  # or a node that went down since would not be known to be
    tasks = swarm.task_values(label=label)
    done = {task.id for task in tasks if task.ended and task.desired_state == "complete"}
    staying = done | {task.id for task in tasks if task.lost}
    containers = [
        each
        for each in swarm.get("/containers/json", filters=filters, all="true")
        if each["Labels"].get("com.docker.swarm.task.id") not in staying
    ]
    networks = swarm.get("/networks", filters=filters)
    leaving = len(tasks) - len(staying)
    refusals = [] if leaving else [_try_to_delete(swarm, each) for each in networks]
    counts = (("task", leaving), ("container", len(containers)), ("network", len(networks)))
    words = ", ".join(f"{n} {what}{'s' * (n > 1)}" for what, n in counts if n)
    return words, "; ".join(filter(None, refusals))


def _other_user(swarm: Swarm, refusal: str) -> str:
    """Return the name of the service that keeps a network from being removed, or `""`.

    A service of the stack itself is gone by then.
    """
    found = re.search(r"is in use by service (\w+)", refusal)
    with suppress(NotFound):
        return str(swarm.service(found[1])["Spec"]["Name"]) if found else ""
    return ""


def _try_to_delete(swarm: Swarm, network: Thing) -> str:
    """Remove a network, or return why the engine refused; the next poll tries again."""
    try:
        swarm.delete(f"/networks/{network['Id']}")
    except EngineRefused as problem:
        return problem.docker_says
    return ""
