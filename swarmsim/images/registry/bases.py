"""Base images: names that a registry would give, for which this machine stands in. Pure.

A base image has no programs: a task of it runs the programs of this machine, Python this
very one. Any tag will do, so that `python:3.13-alpine` is whatever Python runs the engine;
its history says so. All else that was not built or pushed here does not exist.
"""

import json
import platform
from pathlib import Path
from typing import Any

from swarmsim.go.references import Reference
from swarmsim.images import documents

_DATA = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
#: By name: the variables and the command that Docker's image of that name has.
_BASES: dict[str, dict[str, list[str]]] = _DATA["images"]
#: What every system has; without files, so that `COPY x /usr/bin` knows a folder.
FOLDERS: tuple[str, ...] = tuple(_DATA["folders"])
#: The same on every machine and at every time, so that the same name has the same id.
_CREATED = "2026-01-01T00:00:00Z"


def is_base(name: Reference) -> bool:
    """Whether this machine stands in for an image of that name."""
    return name.name in _BASES


def document(name: Reference, layer: str) -> dict[str, Any]:
    """Return the document of a base image on the one layer that all of them have."""
    base = _BASES[name.name]
    stand_in = f"stands in for {name}: the programs of this machine"
    if name.name.endswith("python"):
        stand_in += f", Python {platform.python_version()}"
    return documents.new(
        documents.new_config(Env=[documents.PATH, *base["Env"]], Cmd=list(base["Cmd"])),
        (layer,),
        ({"created": _CREATED, "comment": stand_in},),
        _CREATED,
        comment=stand_in,
    )
