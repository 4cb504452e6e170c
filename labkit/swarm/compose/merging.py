"""Several compose files as one, as `docker stack deploy -c one.yml -c two.yml` merges them.

A service that is in several files is merged key by key. The later file wins, except
that an empty value (`0`, `""`, `false`) overrides nothing, save for the counts in
`_COUNTS`. Mappings are merged. Lists are joined, save for commands, and for the kinds in
`_KEYED`, in which an entry takes the place of the one with the same key. Networks,
volumes, configs and secrets are taken whole from the last file that has them. From
docker/cli's compose/loader/merge.go and the mergo library that it uses.
"""

from collections.abc import Callable, Mapping
from typing import Any

from labkit.swarm.compose.language.schema import Part

#: Numbers for which zero says something.
_COUNTS = frozenset({"replicas", "parallelism", "max_attempts", "retries"})
#: Commands are not joined; the later one stands.
_REPLACED = frozenset({"command", "entrypoint"})
_KEYED: dict[str, Callable[[Any], Any]] = {
    "ports": lambda port: port.published or 0,
    "volumes": lambda mount: mount.target or "",
    "configs": lambda reference: reference.source,
    "secrets": lambda reference: reference.source,
}


def services(base: Mapping[str, Part], over: Mapping[str, Part]) -> dict[str, Part]:
    """Return the services of two files; what both have is merged."""
    shared = {name: _merged(base[name], over[name]) for name in base if name in over}
    return {**base, **over, **shared}


def _merged(base: Part, over: Part) -> Part:
    names = base.keys() | over.keys()
    return base.with_values(
        **{name: _value(name, base.get(name), over.get(name)) for name in names}
    )


def _value(name: str, base: Any, over: Any) -> Any:
    if base is None:
        return over
    if name in _KEYED:
        by_key = {_KEYED[name](entry): entry for entry in [*base, *(over or ())]}
        return [by_key[key] for key in sorted(by_key)]
    if over is None:
        return base
    if name in _COUNTS:
        return over
    if isinstance(base, Part):
        return _logging(base, over) if base.kind == "Logging" else _merged(base, over)
    if isinstance(base, dict):
        return _mapping(name, base, over)
    if isinstance(base, list) and name not in _REPLACED:
        return base + over
    return over or base


def _mapping(name: str, base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    joined = {**base, **over}
    for key in base.keys() & over.keys():
        if name == "environment":
            joined[key] = over[key] or base[key]
        elif name == "networks":
            joined[key] = _attachment(base[key], over[key])
    return joined


def _logging(base: Part, over: Part) -> Part:
    """Merge where the output goes: options belong to a driver.

    Where the first file has no options, docker loses those of the second; so it is here.
    """
    if base.driver and over.driver and base.driver != over.driver:
        return over
    kept = {} if base.options is None else {**base.options, **(over.options or {})}
    return base.with_values(driver=base.driver or over.driver, options=kept)


def _attachment(base: Part | None, over: Part | None) -> Part | None:
    """Merge how a service is on one network: the later file's aliases stand, even if none."""
    if base is None or over is None:
        return over if base is None else base
    return base.with_values(aliases=over.aliases)
