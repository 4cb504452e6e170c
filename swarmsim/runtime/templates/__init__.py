"""Swarm's templates in a container spec, such as `{{.Task.Slot}}`, filled in.

swarmkit does it with Go's `text/template` (`template/context.go`, `expand.go`).
"""

from copy import deepcopy
from typing import Any

from swarmsim.go.gojson import quoted
from swarmsim.runtime.templates.executing import Execution, Struct
from swarmsim.runtime.templates.parsing import BadTemplate

__all__ = ["BadTemplate", "context", "expanded"]

Spec = dict[str, Any]


def context(service: Spec, node: Spec, task: Spec) -> Struct:
    """What templates may name; fields that are not given are empty."""
    platform = {"Architecture": "", "OS": "", **node.get("Platform", {})}
    return Struct(
        "*template.Context",
        Service=Struct(
            "struct { ID string; Name string; Labels map[string]string }",
            **{"ID": "", "Name": "", "Labels": {}, **service},
        ),
        Node=Struct(
            "struct { ID string; Hostname string; Platform template.Platform }",
            **{
                "ID": "",
                "Hostname": "",
                **node,
                "Platform": Struct("template.Platform", **platform),
            },
        ),
        Task=Struct(
            "struct { ID string; Name string; Slot string }",
            **{"ID": "", "Name": "", "Slot": "", **task},
        ),
    )


def expanded(container: Spec, values: Struct) -> Spec:
    """Return a container spec with its environment, mounts and hostname filled in."""
    filled = deepcopy(container)
    for at, variable in enumerate(container.get("Env") or []):
        name, equals, value = variable.partition("=")
        where = f"expanding env failed: expanding env {quoted(variable)}: "
        filled["Env"][at] = name + equals + expand(value, values, where)
    for mount in filled.get("Mounts") or []:
        for key in ("Source", "Target"):
            where = f"expanding mount {key.lower()} {quoted(mount.get(key, ''))}: "
            if key in mount:
                mount[key] = expand(mount[key], values, f"expanding mounts failed: {where}")
    if "Hostname" in filled:
        filled["Hostname"] = expand(filled["Hostname"], values, "expanding hostname failed: ")
    return filled


def expand(text: str, values: Struct, where: str = "") -> str:
    """Fill in one text. Raises `BadTemplate`; `where` is what its message begins with."""
    try:
        return Execution("expansion", text, values).printed() if "{{" in text else text
    except BadTemplate as problem:
        raise BadTemplate(f"{where}template: expansion:{problem}") from None
