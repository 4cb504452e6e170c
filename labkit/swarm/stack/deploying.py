"""Deploying compose files as a stack, or updating it.

The specs that reach the engine are those that `docker stack deploy` sends for the same
files (`labkit.swarm.compose`), in the same order of operations (docker/cli 28,
command/stack/swarm/), with the same lines printed.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from labkit.base import echo, jobs
from labkit.base.errors import LabError
from labkit.swarm import compose, ownership
from labkit.swarm.client import Swarm
from labkit.swarm.compose.specs import StackSpecs
from labkit.swarm.images import digests
from labkit.swarm.stack import refusals
from labkit.swarm.stack.cluster_state import ClusterState, Thing, name_of
from labkit.swarm.stack.removing import remove_all
from swarmsim.go import references

#: An image with its digest, and the platforms that it is for.
Pinned = tuple[str, list[dict[str, str]]]

#: As many as the connections that a `Swarm` keeps.
_LOOK_UPS_AT_ONCE = 4


def deploy(
    swarm: Swarm,
    files: Sequence[Path],
    name: str,
    *,
    prune: bool = False,
    env: Mapping[str, str] | None = None,
    show_command: bool = True,
) -> bool:
    """Deploy compose files as a stack, or update it, as `docker stack deploy` does.

    Returns as soon as the engine has taken everything; tasks start in Swarm's own time. Returns
    whether the stack publishes other ports than before.
    `prune` removes the services of the stack that the files no longer have. Variables
    in the files come from `env`, by default the environment of the process.

    Raises `BadComposeFile`, `NotAManager`, `NotOurs` for what somebody else deployed, and
    `LabError` for what is missing or cannot be changed, all before anything has changed;
    `EngineRefused` when the engine refuses something later, after which what was already
    done stands, as with docker.
    """
    if show_command:
        flags = [f"-c={path}" for path in files] + ["--prune"] * prune
        echo.command(["docker", "stack", "deploy", *flags, name])
    loaded = compose.load(files, os.environ if env is None else env)
    specs = loaded.specs(name)
    cluster = check(swarm, name, specs)
    for note in loaded.notes:
        echo.say(f"{note}\n")
    present = {name_of(each): each for each in cluster.of("service", name)}
    images = _look_up(swarm, specs)
    if prune:
        kept = {spec["Name"] for spec in specs.services}
        remove_all(swarm, "service", [each for key, each in present.items() if key not in kept])
    _create_networks(swarm, specs, cluster.of("network", name))
    ids = {
        kind: _put_files(swarm, kind, sent, cluster.of(kind))
        for kind, sent in (("secret", specs.secrets), ("config", specs.configs))
    }
    unpinned = set()
    for spec in specs.services:
        _fill_ids(spec["TaskTemplate"]["ContainerSpec"], ids)
        _put_service(swarm, spec, present.get(spec["Name"]), images)
        if spec["Name"] in present:
            unpinned.add(_image(spec))
    # docker warns of each service that it updates, and says nothing of one that it creates
    digests.warn_unpinned([each for each in sorted(unpinned) if images.get(each, each) is None])
    before = {key: _published(each["Spec"]) for key, each in present.items()}
    after = {spec["Name"]: _published(spec) for spec in specs.services}
    return before != (after if prune else before | after)


def check(swarm: Swarm, name: str, specs: StackSpecs) -> ClusterState:
    """Return what the swarm has; raise what keeps `deploy` from changing it to these specs."""
    try:
        cluster = ClusterState.fetch(swarm)
    except LabError:
        swarm.require_manager()  # which says more of it; Docker takes 9 ms for that
        raise
    refusals.require_ours(name, cluster)
    refusals.require_changeable(name, specs, cluster)
    refusals.require_external(specs, cluster)
    return cluster


def _look_up(swarm: Swarm, specs: StackSpecs) -> dict[str, Pinned | None]:
    """Ask the registries for every image, several at once.

    docker asks for one after the other; a registry that is out of reach then costs its
    time limit once for each service. An image that no registry has maps to `None`.
    """
    tagged = sorted({references.with_tag(_image(spec)) for spec in specs.services})
    found = jobs.each(lambda each: digests.look_up(swarm, each), tagged, _LOOK_UPS_AT_ONCE)
    return dict(zip(tagged, found, strict=True))


def _published(spec: Thing) -> list[int]:
    ports = spec.get("EndpointSpec", {}).get("Ports") or []
    return [port.get("PublishedPort", 0) for port in ports]


def _image(spec: Thing) -> str:
    return str(spec["TaskTemplate"]["ContainerSpec"]["Image"])


def _create_networks(swarm: Swarm, specs: StackSpecs, present: Iterable[Thing]) -> None:
    known = set(map(name_of, present))
    for spec in specs.networks:
        if spec["Name"] not in known:
            echo.say(f"Creating network {spec['Name']}")
            with refusals.explained(f"the network {spec['Name']} to be created."):
                made = swarm.post("/networks/create", spec)
            ownership.note(made["Id"], spec["Labels"])


def _put_files(
    swarm: Swarm, kind: str, sent: Iterable[Thing], present: Iterable[Thing]
) -> dict[str, str]:
    known = {name_of(each): each for each in present}
    ids = {name: each["ID"] for name, each in known.items()}
    for spec in sent:
        name = spec["Name"]
        if name in known:
            with refusals.explained(f"the {kind} {name} to be updated; only labels may change."):
                version = str(known[name]["Version"]["Index"])
                swarm.post(f"/{kind}s/{ids[name]}/update", spec, version=version)
            continue
        echo.say(f"Creating {kind} {name}")
        with refusals.explained(f"the {kind} {name} to be created."):
            ids[name] = swarm.post(f"/{kind}s/create", spec)["ID"]
        ownership.note(ids[name], spec["Labels"])
    return ids


def _fill_ids(container: Thing, ids: Mapping[str, Mapping[str, str]]) -> None:
    for reference in container.get("Secrets", ()):
        reference["SecretID"] = ids["secret"][reference["SecretName"]]
    for reference in container.get("Configs", ()):
        reference["ConfigID"] = ids["config"][reference["ConfigName"]]


def _put_service(
    swarm: Swarm, spec: Thing, found: Thing | None, images: Mapping[str, Pinned | None]
) -> None:
    def replaced(old: Thing) -> Thing:
        # the number of forced updates is kept, or every task would restart
        forced = old["TaskTemplate"].get("ForceUpdate", 0)
        return spec | {"TaskTemplate": spec["TaskTemplate"] | {"ForceUpdate": forced}}

    name, container = spec["Name"], spec["TaskTemplate"]["ContainerSpec"]
    container["Image"] = references.with_tag(_image(spec))
    if pinned := images[container["Image"]]:
        container["Image"], platforms = pinned
        spec["TaskTemplate"]["Placement"] |= {"Platforms": platforms} if platforms else {}
    if found is None:
        echo.say(f"Creating service {name}")
        with refusals.explained(f"the service {name} to be created."):
            made = swarm.post("/services/create", spec)
        for warning in made.get("Warnings") or ():
            echo.warn(f"{name}: {warning}.")
        ownership.note(made["ID"], spec["Labels"])
        return
    echo.say(f"Updating service {name} (id: {found['ID']})")
    with refusals.explained(f"the service {name} to be updated."):
        swarm.update_service(found["ID"], replaced, read=found)
