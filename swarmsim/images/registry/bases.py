"""Base images: names that a registry would give, for which this machine stands in. Pure.

A base image has no programs: a task of it runs the programs of this machine, Python this
very one. Any tag will do, so that `python:3.13-alpine` is whatever Python runs the engine;
its history says so. All else that was not built or pushed here does not exist.
"""

from __future__ import annotations

import platform
from typing import Any

from swarmsim.go.references import Reference
from swarmsim.images import documents

#: By name: the variables and the command that Docker's image of that name has.
_BASES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "alpine": ((), ("/bin/sh",)),
    "busybox": ((), ("sh",)),
    "debian": ((), ("bash",)),
    "ubuntu": ((), ("/bin/bash",)),
    "python": (("LANG=C.UTF-8",), ("python3",)),
    "labkit/python": ((), ("python3",)),
}
#: What every system has; without files, so that `COPY x /usr/bin` knows a folder.
FOLDERS = (
    *("bin", "etc", "home", "lib", "opt", "root", "run", "sbin", "srv", "tmp", "usr", "usr/bin"),
    *("usr/lib", "usr/local", "usr/local/bin", "usr/local/lib", "usr/local/sbin", "usr/sbin"),
    *("usr/share", "usr/src", "var", "var/cache", "var/lib", "var/log", "var/run", "var/tmp"),
)
#: The same on every machine and at every time, so that the same name has the same id.
_CREATED = "2026-01-01T00:00:00Z"


def is_base(name: Reference) -> bool:
    """Whether this machine stands in for an image of that name."""
    return name.name in _BASES


def document(name: Reference, layer: str) -> dict[str, Any]:
    """Return the document of a base image on the one layer that all of them have."""
    env, command = _BASES[name.name]
    stand_in = f"stands in for {name}: the programs of this machine"
    if name.name.endswith("python"):
        stand_in += f", Python {platform.python_version()}"
    return documents.new(
        documents.new_config(Env=[documents.PATH, *env], Cmd=list(command)),
        (layer,),
        ({"created": _CREATED, "comment": stand_in},),
        _CREATED,
        comment=stand_in,
    )
