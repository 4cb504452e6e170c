"""Why a stack stays as it is: what must hold before it changes, and what Docker refuses."""

from collections.abc import Iterator
from contextlib import contextmanager

from labkit.base.errors import EngineRefused, LabError, NotOurs
from labkit.swarm import ownership
from labkit.swarm.compose.specs import StackSpecs, is_user_defined
from labkit.swarm.stack.cluster_state import (
    ClusterState,
    Thing,
    is_swarm_wide,
    name_of,
    stack_of,
)


def require_ours(stack: str, cluster: ClusterState) -> None:
    """Raise `NotOurs` if something in the stack was deployed by somebody else."""
    theirs = [(kind, each) for kind, each in cluster.in_stack(stack) if not ownership.is_ours(each)]
    if theirs:
        listed = ", ".join(f"{kind} {name_of(each)}" for kind, each in theirs)
        raise NotOurs(
            f"a stack {stack!r} that labkit deployed, or none of that name.",
            f"somebody else deployed it: {listed}.",
            "use another name for the stack (LABKIT_STACK), or `docker stack rm` if it is yours.",
        )


def require_changeable(stack: str, specs: StackSpecs, cluster: ClusterState) -> None:
    """Raise before half is done if something that is there cannot become what is asked for."""
    sent = {
        "service": specs.services,
        "network": specs.networks,
        "config": specs.configs,
        "secret": specs.secrets,
    }
    for kind, each_sent in sent.items():
        present = {name_of(each): each for each in cluster.of(kind) if is_swarm_wide(each)}
        for spec in each_sent:
            found = present.get(spec["Name"])
            if found is not None:
                _require_one_changeable(kind, spec, found, stack)


def _require_one_changeable(kind: str, spec: Thing, found: Thing, stack: str) -> None:
    name = spec["Name"]
    foreign = stack_of(found) != stack and kind in ("service", "network")
    if foreign or not ownership.is_ours(found):
        raise NotOurs(
            f"the {kind} {name} to be free, or part of the stack {stack!r}.",
            f"there is a {kind} of that name that does not belong to the stack.",
            "use another name, or declare it with `external: true`.",
        )
    if kind == "service" and spec["Mode"].keys() != found["Spec"]["Mode"].keys():
        raise LabError(
            f"{name} to keep its mode: Swarm cannot change the mode of a service.",
            f"it is {_first(found['Spec']['Mode'])}, and the file says {_first(spec['Mode'])}.",
            "remove the service first, or give it another name.",
        )
    if kind == "config" and spec["Data"] != found["Spec"].get("Data", ""):
        raise LabError(
            f"the config {name} to have the same content as before: Swarm never changes one.",
            "the content of its file is different now.",
            "give it a new name in the file (`name: …_v2`), and Swarm replaces its tasks.",
        )


def _first(mode: Thing) -> str:
    return next(iter(mode), "none").lower()


def require_external(specs: StackSpecs, cluster: ClusterState) -> None:
    """Raise unless every network, config and secret that is declared external is there."""
    swarm_wide = {name_of(each) for each in cluster.of("network") if is_swarm_wide(each)}
    for name in specs.external_networks:
        if is_user_defined(name) and name not in swarm_wide:
            raise _missing("network", name, "docker network create --driver overlay " + name)
    for kind, sent in (("config", specs.configs), ("secret", specs.secrets)):
        known = {name_of(each) for each in cluster.of(kind)} | {spec["Name"] for spec in sent}
        field = kind.capitalize()
        containers = (spec["TaskTemplate"]["ContainerSpec"] for spec in specs.services)
        wanted = (each for container in containers for each in container.get(f"{field}s", ()))
        for name in (each[f"{field}Name"] for each in wanted):
            if name not in known:
                raise _missing(kind, name, f"docker {kind} create {name} FILE")


def _missing(kind: str, name: str, command: str) -> LabError:
    return LabError(
        f"a {kind} called {name!r} in the swarm; the file declares it as external.",
        "there is none.",
        f"create it first: `{command}`.",
    )


@contextmanager
def explained(expected: str) -> Iterator[None]:
    """Say what was being done when the engine refuses, and that the rest is not undone."""
    try:
        yield
    except EngineRefused as problem:
        raise type(problem)(
            expected,
            problem.found,
            "fix what Docker names and try again; what was done before this stays.",
            docker_says=problem.docker_says,
            status=problem.status,
        ) from None
