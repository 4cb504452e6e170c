"""What the parts of compose files say of one another, and what no type can hold."""

import re
from collections.abc import Mapping
from typing import Any

from labkit.swarm.compose.language.schema import FORMAT, SECTIONS, Part, nearest
from labkit.swarm.compose.problems import Path, Problems
from labkit.swarm.compose.specs import DEFAULT_NETWORK
from swarmsim.go import references

_NEWEST = 13
_NAME = re.compile(r"[a-zA-Z0-9._-]+")
#: What swarmkit takes for the name of a service (controlapi/common.go).
_SERVICE_NAME = re.compile(r"[a-zA-Z0-9](?:[-_a-zA-Z0-9]*[a-zA-Z0-9])?")
_LONGEST_SERVICE_NAME = 63


def version(tree: Mapping[str, Any], problems: Problems) -> str:
    """Return the version of a file's format, `3.13` if it says none or only `3`."""
    given = tree.get("version", "")
    if not isinstance(given, str):
        problems.add(("version",), f'must be text: write "{given}", in quotes')
        given = str(given)
    if given in ("", "3"):
        return f"3.{_NEWEST}"
    major, _, minor = given.partition(".")
    if major != "3" or minor not in map(str, range(_NEWEST + 1)):
        problems.add(
            ("version",),
            f"{given!r} is not supported; docker stack deploy takes 3.0 to 3.{_NEWEST}. "
            "Leave it out for the newest",
        )
        return given
    for place, since in FORMAT["since"].items():
        if since > int(minor):
            what = f"needs version 3.{since}, and this file says {given}; "
            what += "leave `version` out for the newest"
            _refuse_newer(tree, place.split("."), (), what, problems)
    return given


def _refuse_newer(tree: Any, steps: list[str], path: Path, what: str, problems: Problems) -> None:
    if not steps:
        problems.add(path, what)
        return
    step, rest = steps[0], steps[1:]
    if step == "[]" and isinstance(tree, list):
        for index, each in enumerate(tree):
            _refuse_newer(each, rest, (*path, index), what, problems)
    elif isinstance(tree, dict):
        for key in tree if step == "*" else (step,) if step in tree else ():
            _refuse_newer(tree[key], rest, (*path, key), what, problems)


def forbidden(tree: Mapping[str, Any], problems: Problems) -> None:
    """Refuse the keys of Docker Compose that docker refuses in a stack, by name."""
    services = tree.get("services")
    for name, body in services.items() if isinstance(services, dict) else ():
        for key in body if isinstance(body, dict) else ():
            if key in FORMAT["forbidden"]:
                problems.add(("services", name, key), f"not in a stack: {FORMAT['forbidden'][key]}")


def top_level(tree: Mapping[str, Any], problems: Problems) -> None:
    """Hold the keys at the top to those that there are, and the names under them to Swarm's."""
    for key, body in tree.items():
        if key == "version" or key.startswith("x-"):
            continue
        if key not in SECTIONS:
            problems.add((key,), nearest(key, ["version", *SECTIONS]))
        elif not isinstance(body, dict):
            problems.add((key,), "must be a mapping of names")
        else:
            for name in body:
                if not _NAME.fullmatch(name):
                    problems.add((key, name), "a name has letters, digits, dots, _ and - only")


def external(section: str, key: str, thing: Part, problems: Problems) -> None:
    """Refuse what contradicts `external`, which means that something is there already."""
    if isinstance(thing.external, str) and thing.name:
        problems.add((section, key), "`external.name` and `name` contradict; use `name`")
    if section == "volumes" and thing.external:
        for option in ("driver", "driver_opts", "labels"):
            if getattr(thing, option):
                problems.add((section, key, option), "contradicts `external`")
    if section == "secrets" and thing.driver and thing.file:
        problems.add((section, key), "`driver` and `file` contradict; use one")


def full_names(stack: str, services: Mapping[str, Part], problems: Problems) -> None:
    """Refuse a service whose full name, `stack_service`, Swarm would refuse."""
    for name in services:
        full = f"{stack}_{name}"
        if not _SERVICE_NAME.fullmatch(full) or len(full) > _LONGEST_SERVICE_NAME:
            problems.add(
                ("services", name),
                f"Swarm would refuse the name {full!r}: letters, digits, - and _ only, "
                f"at most {_LONGEST_SERVICE_NAME}, a letter or a digit at both ends",
            )


def services(
    found: Mapping[str, Part], declared: Mapping[str, set[str]], problems: Problems
) -> None:
    """Check each service by itself and against the names that the files declare."""
    for name, service in found.items():
        path = ("services", name)
        _image(service, path, problems)
        _deploy(service, path, problems)
        _restart(service.restart or "", path, problems)
        if service.healthcheck and service.healthcheck.disable and service.healthcheck.test:
            problems.add((*path, "healthcheck"), "`test` and `disable` contradict")
        known = declared["networks"] | {DEFAULT_NETWORK}
        for key in service.networks or ():
            if key not in known:
                what = _undefined("network", key, declared["networks"])
                problems.add((*path, "networks", key), what)
        for index, mount in enumerate(service.volumes or ()):
            _mount(mount, declared["volumes"], (*path, "volumes", index), problems)
        for section in ("configs", "secrets"):
            wanted = getattr(service, section) or []
            _file_references(wanted, declared[section], (*path, section), problems)


def _image(service: Part, path: Path, problems: Problems) -> None:
    if not service.image:
        hint = "; `build` is ignored in a stack" if service.build else ""
        problems.add((*path, "image"), f"is missing; a service needs an image{hint}")
    elif not references.is_valid(service.image):
        problems.add((*path, "image"), f"{service.image!r} is not the name of an image")


def _deploy(service: Part, path: Path, problems: Problems) -> None:
    deploy = service.deploy
    if deploy is None:
        return
    if deploy.replicas is not None and deploy.mode in ("global", "global-job"):
        problems.add((*path, "deploy", "replicas"), f"contradicts `mode: {deploy.mode}`")
    meshed = [port for port in service.ports or () if port.mode != "host"]
    if deploy.endpoint_mode == "dnsrr" and meshed:
        problems.add(
            (*path, "deploy", "endpoint_mode"),
            "dnsrr has no routing mesh; publish the ports with `mode: host`",
        )


def _restart(restart: str, path: Path, problems: Problems) -> None:
    if not re.fullmatch(r"|no|always|unless-stopped|on-failure(:\d+)?", restart):
        problems.add(
            (*path, "restart"),
            f"must be no, always, unless-stopped or on-failure[:N], not {restart!r}",
        )


def _mount(mount: Part, known: set[str], path: Path, problems: Problems) -> None:
    for kind in ("bind", "volume", "tmpfs"):
        if getattr(mount, kind) is not None and mount.type != kind:
            problems.add((*path, kind), f"is for a mount of type {kind}, and this is {mount.type}")
    if mount.type == "tmpfs":
        if mount.source:
            problems.add((*path, "source"), "a tmpfs has no source")
    elif mount.type != "volume" and not mount.source:
        problems.add((*path, "source"), f"is missing; a mount of type {mount.type} needs one")
    elif mount.type == "volume" and mount.source and mount.source not in known:
        problems.add(path, _undefined("volume", mount.source, known))


def _file_references(wanted: list[Part], known: set[str], path: Path, problems: Problems) -> None:
    kind = str(path[-1]).removesuffix("s")
    taken: set[str] = set()
    for index, each in enumerate(wanted):
        target = each.target or each.source
        if each.source not in known:
            problems.add((*path, index), _undefined(kind, each.source, known))
        elif target in taken:
            problems.add((*path, index), f"another {kind} has the same target, {target}")
        taken.add(target)


def _undefined(kind: str, name: str, known: set[str]) -> str:
    there = f"; defined are {', '.join(sorted(known))}" if known else ""
    return f"undefined {kind} {name!r}: define it under the top-level `{kind}s`{there}"
