"""Swarm's templates in a container spec, such as `{{.Task.Slot}}`, filled in.

swarmkit does it with Go's `text/template` (`template/context.go`, `expand.go`). Here its fields
are filled in, and a label by `index`; whatever else Go's templates have is refused in a sentence.
"""

import re
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from swarmsim.go.gojson import quoted
from swarmsim.model import Node, Task

Spec = dict[str, Any]
#: By field, such as `.Task.Slot`.
Values = Mapping[str, str]

_ACTION = re.compile(r"\{\{(.*?)(\}\}|$)", re.DOTALL)
_LABEL = re.compile(r'index\s+\.Service\.Labels\s+"([^"\\]*)"')
_OF_LABELS = ".Service.Labels."
_NODE = (".Node.ID", ".Node.Hostname", ".Node.Platform.Architecture", ".Node.Platform.OS")
_OTHERS = (".Service.ID", ".Service.Name", ".Task.ID", ".Task.Name", ".Task.Slot")
#: What templates are tried out with, before there is a task.
OF_NO_TASK = dict.fromkeys((*_NODE, *_OTHERS), "")


class BadTemplate(Exception):
    """A template that is not expanded."""


def of_task(task: Task, node: Node | None) -> Values:
    """Return what the templates of a task stand for."""
    of_node = (node.hostname, node.architecture, node.os) if node else ("", "", "")
    of_others = (task.service_id, task.service_name, task.id, task.name, str(task.place))
    labels = {_OF_LABELS + name: value for name, value in task.service_labels.items()}
    fields = zip((*_NODE, *_OTHERS), (task.node_id, *of_node, *of_others), strict=True)
    return labels | dict(fields)


def expanded(container: Spec, values: Values) -> Spec:
    """Return a container spec with its environment, mounts and hostname filled in.

    Raises `BadTemplate`.
    """
    filled = deepcopy(container)
    for at, variable in enumerate(container.get("Env") or []):
        name, equals, value = variable.partition("=")
        where = f"expanding env failed: expanding env {quoted(variable)}: "
        filled["Env"][at] = name + equals + _filled(value, values, where)
    for mount in filled.get("Mounts") or []:
        for key in ("Source", "Target"):
            where = f"expanding mount {key.lower()} {quoted(mount.get(key, ''))}: "
            if key in mount:
                mount[key] = _filled(mount[key], values, f"expanding mounts failed: {where}")
    if "Hostname" in filled:
        filled["Hostname"] = _filled(filled["Hostname"], values, "expanding hostname failed: ")
    return filled


def _filled(text: str, values: Values, where: str) -> str:
    """Fill in one text; `where` is what the message of a refusal begins with."""

    def value(action: re.Match[str]) -> str:
        asked = action[1].strip()
        if label := _LABEL.fullmatch(asked):
            return values.get(_OF_LABELS + label[1], "")
        if asked in values and action[2]:
            return values[asked]
        raise BadTemplate(
            f"{where}{action[0]} is not expanded: the simulated engine expands only fields such as "
            '{{.Task.Slot}} and {{index .Service.Labels "NAME"}}'
        )

    return _ACTION.sub(value, text)
