"""Deploy, list and remove stacks as `docker stack` does, with no docker command line.

The specs that reach the engine are those that `docker stack deploy` sends for the same
files (`labkit.compose`), in the same order of operations (docker/cli 28,
command/stack/swarm/), with the same lines printed. Before anything changes, all that can
be checked has been: the files, that the engine is a manager, that whatever is there
already is the lab's (`labkit.ownership`), and that whatever must be there is.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from labkit import compose, digests, echo, ownership, references
from labkit import ps as rows_of
from labkit.compose.specs import IMAGE, StackSpecs, is_user_defined
from labkit.errors import EngineRefused, LabError, NotOurs, NotSettled
from labkit.swarm import Swarm
from labkit.waiting import looks

NAMESPACE = compose.NAMESPACE
#: When a registry is asked for the digest of an image: docker's `--resolve-image`.
ResolveImage = Literal["always", "changed", "never"]

#: Something on the engine, or a spec of it, as the Engine API has it.
Thing = dict[str, Any]
#: An image with its digest, and the platforms that it is for.
Pinned = tuple[str, list[dict[str, str]]]

#: In the order in which docker removes them.
_KINDS = ("service", "secret", "config", "network")
_POLL_SECONDS = 0.1
#: A wait is spoken of after this long, and then every so often.
_FIRST_WORD_SECONDS = 1.0
_WORD_EVERY_SECONDS = 5.0
#: As many as the connections that a `Swarm` keeps.
_LOOK_UPS_AT_ONCE = 4


def deploy(
    swarm: Swarm,
    files: Sequence[Path],
    name: str,
    *,
    prune: bool = False,
    resolve_image: ResolveImage = "always",
    env: Mapping[str, str] | None = None,
    show_command: bool = True,
) -> None:
    """Deploy compose files as a stack, or update it, as `docker stack deploy` does.

    Returns as soon as the engine has taken everything; tasks start in Swarm's own time.
    `prune` removes the services of the stack that the files no longer have. Variables
    in the files come from `env`, by default the environment of the process.

    Raises `BadComposeFile`, `NotAManager`, `NotOurs` for what somebody else deployed, and
    `LabError` for what is missing or cannot be changed, all before anything has changed;
    `EngineRefused` when the engine refuses something later, after which what was already
    done stands, as with docker.
    """
    _show(_deploy_command(files, name, prune, resolve_image), show_command)
    loaded = compose.load(files, os.environ if env is None else env)
    specs = loaded.specs(name)
    swarm.require_manager()
    there = _There.on(swarm)
    _require_ours(name, there)
    _require_changeable(name, specs, there)
    _require_external(specs, there)
    for note in loaded.notes:
        echo.say(f"{note}\n")
    present = {_name(each): each for each in there.of("service", name)}
    images = _look_up(swarm, specs, present, resolve_image)
    if prune:
        _remove(swarm, "service", _left_out(present, specs))
    _create_networks(swarm, specs, there.of("network", name))
    ids = {
        kind: _put_files(swarm, kind, sent, there.of(kind))
        for kind, sent in (("secret", specs.secrets), ("config", specs.configs))
    }
    unpinned = set()
    for spec in specs.services:
        _fill_ids(spec["TaskTemplate"]["ContainerSpec"], ids)
        _put_service(swarm, spec, present.get(spec["Name"]), images)
        if spec["Name"] in present:
            unpinned.add(_image(spec))
    # docker warns of each service that it updates, and says nothing of one that it creates
    for image in sorted(unpinned):
        if image in images and images[image] is None:
            digests.warn_unpinned(image)


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
    there is nothing to remove is said, and is no error. Named volumes stay.

    Raises `NotOurs`, before anything has changed, for what somebody else deployed, and
    `NotSettled` when the time is up.
    """
    _show(["docker", "stack", "rm", name], show_command)
    there = _There.on(swarm)
    if not there.in_stack(name):
        echo.say(f"Nothing found in stack: {name}")
        return
    _require_ours(name, there)
    for kind in ("service", "secret", "config"):
        _remove(swarm, kind, there.of(kind, name))
    _remove_networks(swarm, name, there.of("network", name), timeout)


def ls(swarm: Swarm, *, show_command: bool = True) -> str:
    """Return the table that `docker stack ls` prints: each stack and its services' number."""
    _show(["docker", "stack", "ls"], show_command)
    return rows_of.stack_table(Counter(_stacks(swarm)))


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


# ---- what is there ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _There:
    """What the swarm has, of each kind, before anything is done."""

    things: dict[str, list[Thing]]

    @classmethod
    def on(cls, swarm: Swarm) -> _There:
        return cls({kind: sorted(swarm.get(f"/{kind}s"), key=_name) for kind in _KINDS})

    def of(self, kind: str, stack: str | None = None) -> list[Thing]:
        """Return what there is of a kind, in all or in one stack, by name."""
        return [each for each in self.things[kind] if stack in (None, _stack(each))]

    def in_stack(self, stack: str) -> list[tuple[str, Thing]]:
        """Return everything that belongs to a stack, with its kind."""
        return [(kind, each) for kind in _KINDS for each in self.of(kind, stack)]


def _name(thing: Thing) -> str:
    return str(thing.get("Spec", thing)["Name"])


def _stack(thing: Thing) -> str | None:
    return ownership.labels(thing).get(NAMESPACE)


def _stacks(swarm: Swarm) -> Iterator[str]:
    """Yield the stack of each service that belongs to one."""
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


# ---- what must hold before anything changes ----------------------------------------------


def _require_ours(stack: str, there: _There) -> None:
    """Raise `NotOurs` if something in the stack was deployed by somebody else."""
    theirs = [(kind, each) for kind, each in there.in_stack(stack) if not ownership.is_ours(each)]
    if theirs:
        listed = ", ".join(f"{kind} {_name(each)}" for kind, each in theirs)
        raise NotOurs(
            f"a stack {stack!r} that labkit deployed, or none of that name.",
            f"somebody else deployed it: {listed}.",
            "use another name for the stack (LABKIT_STACK), or `docker stack rm` if it is yours.",
        )


def _require_changeable(stack: str, specs: StackSpecs, there: _There) -> None:
    """Raise before half is done if something that is there cannot become what is asked for."""
    sent = {
        "service": specs.services,
        "network": specs.networks,
        "config": specs.configs,
        "secret": specs.secrets,
    }
    for kind, each_sent in sent.items():
        present = {_name(each): each for each in there.of(kind) if _swarm_wide(each)}
        for spec in each_sent:
            found = present.get(spec["Name"])
            if found is not None:
                _require_one_changeable(kind, spec, found, stack)


def _require_one_changeable(kind: str, spec: Thing, found: Thing, stack: str) -> None:
    name = spec["Name"]
    foreign = _stack(found) != stack and kind in ("service", "network")
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
            "give it a new name in the file (`name: …_v2`), and Swarm restarts what uses it.",
        )


def _swarm_wide(thing: Thing) -> bool:
    """Whether something is known to the whole swarm; a network may be this node's alone."""
    return bool(thing.get("Scope", "swarm") == "swarm")


def _first(mode: Thing) -> str:
    return next(iter(mode), "none").lower()


def _require_external(specs: StackSpecs, there: _There) -> None:
    """Raise unless every network, config and secret that is declared external is there."""
    swarm_wide = {_name(each) for each in there.of("network") if _swarm_wide(each)}
    for name in specs.external_networks:
        if is_user_defined(name) and name not in swarm_wide:
            raise _missing("network", name, "docker network create --driver overlay " + name)
    for kind, sent in (("config", specs.configs), ("secret", specs.secrets)):
        known = {_name(each) for each in there.of(kind)} | {spec["Name"] for spec in sent}
        for name in _wanted(kind, specs.services):
            if name not in known:
                raise _missing(kind, name, f"docker {kind} create {name} FILE")


def _wanted(kind: str, sent: Iterable[Thing]) -> list[str]:
    """Return the names of the configs or secrets that services refer to."""
    field = kind.capitalize()
    containers = (spec["TaskTemplate"]["ContainerSpec"] for spec in sent)
    return [
        each[f"{field}Name"] for container in containers for each in container.get(f"{field}s", ())
    ]


def _missing(kind: str, name: str, command: str) -> LabError:
    return LabError(
        f"a {kind} called {name!r} in the swarm; the file declares it as external.",
        "there is none.",
        f"create it first: `{command}`.",
    )


# ---- doing -------------------------------------------------------------------------------


def _look_up(
    swarm: Swarm, specs: StackSpecs, present: Mapping[str, Thing], mode: ResolveImage
) -> dict[str, Pinned | None]:
    """Ask the registries for every image that must be asked for, several at once.

    docker asks for one after the other; a registry that is out of reach then costs its
    time limit once for each service. An image that no registry has maps to `None`.
    """
    asked = {
        _image(spec)
        for spec in specs.services
        if mode == "always"
        or (mode == "changed" and not _same_image(spec, present.get(spec["Name"])))
    }
    tagged = sorted(map(references.with_tag, asked))
    with ThreadPoolExecutor(_LOOK_UPS_AT_ONCE) as pool:
        return dict(
            zip(tagged, pool.map(lambda each: digests.look_up(swarm, each), tagged), strict=True)
        )


def _image(spec: Thing) -> str:
    return str(spec["TaskTemplate"]["ContainerSpec"]["Image"])


def _same_image(spec: Thing, found: Thing | None) -> bool:
    """Whether the file names the image that it named when the service was deployed."""
    return found is not None and found["Spec"]["Labels"].get(IMAGE) == _image(spec)


def _left_out(present: Mapping[str, Thing], specs: StackSpecs) -> list[Thing]:
    kept = {spec["Name"] for spec in specs.services}
    return [each for name, each in present.items() if name not in kept]


def _create_networks(swarm: Swarm, specs: StackSpecs, present: Iterable[Thing]) -> None:
    known = set(map(_name, present))
    for spec in specs.networks:
        if spec["Name"] not in known:
            echo.say(f"Creating network {spec['Name']}")
            with _doing(f"the network {spec['Name']} to be created."):
                made = swarm.post("/networks/create", spec)
            ownership.note(made["Id"], spec["Labels"])


def _put_files(
    swarm: Swarm, kind: str, sent: Iterable[Thing], present: Iterable[Thing]
) -> dict[str, str]:
    """Create or update configs or secrets; returns the id of each that the swarm then has."""
    known = {_name(each): each for each in present}
    ids = {name: each["ID"] for name, each in known.items()}
    for spec in sent:
        name = spec["Name"]
        if name in known:
            with _doing(f"the {kind} {name} to be updated; only its labels may change."):
                version = str(known[name]["Version"]["Index"])
                swarm.post(f"/{kind}s/{ids[name]}/update", spec, version=version)
            continue
        echo.say(f"Creating {kind} {name}")
        with _doing(f"the {kind} {name} to be created."):
            ids[name] = swarm.post(f"/{kind}s/create", spec)["ID"]
        ownership.note(ids[name], spec["Labels"])
    return ids


def _fill_ids(container: Thing, ids: Mapping[str, Mapping[str, str]]) -> None:
    """Add the ids of configs and secrets, which the engine gave, to a container's spec."""
    for reference in container.get("Secrets", ()):
        reference["SecretID"] = ids["secret"][reference["SecretName"]]
    for reference in container.get("Configs", ()):
        reference["ConfigID"] = ids["config"][reference["ConfigName"]]
    credentials = container["Privileges"]["CredentialSpec"]
    if credentials and credentials["Config"]:
        credentials["Config"] = ids["config"][credentials["Config"]]


def _put_service(
    swarm: Swarm, spec: Thing, found: Thing | None, images: Mapping[str, Pinned | None]
) -> None:
    name, tagged = spec["Name"], references.with_tag(_image(spec))
    container = spec["TaskTemplate"]["ContainerSpec"]
    container["Image"] = tagged
    if tagged in images:
        pinned = images[tagged]
        if pinned:
            container["Image"], platforms = pinned
            spec["TaskTemplate"]["Placement"] |= {"Platforms": platforms} if platforms else {}
    elif found and found["Spec"]["Labels"].get(IMAGE) == spec["Labels"][IMAGE]:
        # not asked for and named as before: what the last deploy pinned stays
        container["Image"] = _image(found["Spec"])
    if found is None:
        echo.say(f"Creating service {name}")
        with _doing(f"the service {name} to be created."):
            made = swarm.post("/services/create", spec)
        ownership.note(made["ID"], spec["Labels"])
        return
    echo.say(f"Updating service {name} (id: {found['ID']})")
    with _doing(f"the service {name} to be updated."):
        swarm.update_service(found["ID"], _replacing(spec))


def _replacing(spec: Thing) -> Callable[[Thing], None]:
    """Return the change that puts a whole spec in the place of another.

    The number of forced updates is kept, or every task would restart.
    """

    def change(old: Thing) -> None:
        forced = old["TaskTemplate"].get("ForceUpdate", 0)
        old.clear()
        old.update(spec, TaskTemplate=spec["TaskTemplate"] | {"ForceUpdate": forced})

    return change


@contextmanager
def _doing(expected: str) -> Iterator[None]:
    """Say what was being done when the engine refuses, and that the rest is not undone."""
    try:
        yield
    except EngineRefused as problem:
        raise type(problem)(
            expected,
            problem.found,
            "mend what Docker names and try again; what was done before this stands.",
            docker_says=problem.docker_says,
            status=problem.status,
        ) from None


def _remove(swarm: Swarm, kind: str, things: Iterable[Thing]) -> None:
    for each in things:
        echo.say(f"Removing {kind} {_name(each)}")
        with _doing(f"the {kind} {_name(each)} to be removed."):
            swarm.delete(f"/{kind}s/{ownership.identity(each)}")
        ownership.forget(ownership.identity(each))


def _remove_networks(
    swarm: Swarm, stack: str, networks: Iterable[Thing], timeout: timedelta
) -> None:
    """Remove the networks of a stack, and wait until nothing of the stack is left.

    The engine refuses while a task still runs on a network, so that this is tried again.
    """
    for each in networks:
        echo.say(f"Removing network {_name(each)}")
    next_word = _FIRST_WORD_SECONDS
    for waited in looks(timeout.total_seconds(), _POLL_SECONDS):
        left, refusal = _left(swarm, stack)
        if not left:
            break
        if waited >= next_word:
            echo.say(f"Waiting for {left} …")
            next_word = waited + _WORD_EVERY_SECONDS
    else:
        raise NotSettled(
            f"the stack {stack!r} to be gone after {timeout.total_seconds():.0f} s.",
            f"still there: {left}.",
            "wait and look again with `docker stack ps` and `docker ps`.",
            docker_says=refusal,
        )
    for each in networks:
        ownership.forget(ownership.identity(each))


def _left(swarm: Swarm, stack: str) -> tuple[str, str]:
    """Remove what can be removed by now; return what is still there, in words, `""` if nothing is.

    The second text is why the engine would not remove a network.

    Tasks of a job that are complete do not count: the engine keeps them, and their
    containers, although the service is gone (seen with 20.10).
    """
    label = f"{NAMESPACE}={stack}"
    filters = {"label": [label]}
    tasks = swarm.task_values(label=label)
    staying = {task.id for task in tasks if task.ended and task.desired_state == "complete"}
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


def _try_to_delete(swarm: Swarm, network: Thing) -> str:
    """Remove a network, or return why the engine would not; the next look tries again."""
    try:
        swarm.delete(f"/networks/{network['Id']}")
    except EngineRefused as problem:
        return problem.docker_says
    return ""


def _deploy_command(
    files: Sequence[Path], name: str, prune: bool, resolve_image: ResolveImage
) -> list[str]:
    """Return the docker command that does what `deploy` does."""
    words = ["docker", "stack", "deploy", *(f"-c={path}" for path in files)]
    words += ["--prune"] if prune else []
    words += [f"--resolve-image={resolve_image}"] if resolve_image != "always" else []
    return [*words, name]


def _show(words: list[str], show_command: bool) -> None:
    if show_command:
        echo.command(words)
