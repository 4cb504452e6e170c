"""Swarm's templates in a container spec, such as `{{.Task.Slot}}`, filled in.

swarmkit does it with Go's `text/template` (`template/context.go`, `expand.go`). Here
`{{.Field}}` and a label by `index` are filled in. Blocks, pipes, variables and functions, which
hardly anybody writes there, are refused in a sentence.
"""

import re
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from swarmsim.go.gojson import quoted

Spec = dict[str, Any]
#: By object its fields: `{"Task": {"Slot": "1"}}`.
Context = Mapping[str, Mapping[str, Any]]

#: The words and functions of Go's templates, and those that swarmkit adds.
_LANGUAGE = (
    "and break call continue define else end eq false ge gt html if index join js le len lt "
    "ne nil not or print printf println range slice template true urlquery with block"
)
_WORDS = frozenset(_LANGUAGE.split())
_ACTION = re.compile(r"\{\{(.*?)(\}\}|$)", re.DOTALL)
_FIELD = re.compile(r"\s*((?:\.[A-Za-z_]\w*)+)\s*")
_LABEL = re.compile(r'\s*index\s+\.Service\.Labels\s+"([^"\\]*)"\s*')
_FUNCTION = re.compile(r"\s*([A-Za-z_]\w*)")
_TYPES = {
    (): "*template.Context",
    ("Service",): "struct { ID string; Name string; Labels map[string]string }",
    ("Node",): "struct { ID string; Hostname string; Platform template.Platform }",
    ("Task",): "struct { ID string; Name string; Slot string }",
    ("Node", "Platform"): "template.Platform",
}


class BadTemplate(Exception):
    """A template that cannot be expanded, in Go's words."""


def context(service: Spec, node: Spec, task: Spec) -> Context:
    """What templates may name; fields that are not given are empty."""
    return {
        "Service": {"ID": "", "Name": "", "Labels": {}, **service},
        "Node": {"ID": "", "Hostname": "", "Platform": {"Architecture": "", "OS": ""}, **node},
        "Task": {"ID": "", "Name": "", "Slot": "", **task},
    }


def expanded(container: Spec, values: Context) -> Spec:
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


def expand(text: str, values: Context, where: str = "") -> str:
    """Fill in one text. Raises `BadTemplate`; `where` is what its message begins with."""
    try:
        for action in _ACTION.finditer(text):  # all of it is parsed before any of it is executed
            _check(action, text)
        return _ACTION.sub(lambda action: _value(action, text, values), text)
    except BadTemplate as problem:
        raise BadTemplate(f"{where}template: expansion:{problem}") from None


def _check(action: re.Match[str], text: str) -> None:
    line = text.count("\n", 0, action.start()) + 1
    function = _FUNCTION.match(action[1])
    if "}" in action[1]:
        raise BadTemplate(f"{line}: bad character U+007D '}}'")
    if not action[2]:
        raise BadTemplate(f"{line}: unclosed action")
    if not action[1].strip():
        raise BadTemplate(f"{line}: missing value for command")
    if function and function[1] not in _WORDS:
        raise BadTemplate(f'{line}: function "{function[1]}" not defined')


def _value(action: re.Match[str], text: str, values: Context) -> str:
    if label := _LABEL.fullmatch(action[1]):
        return str(values["Service"]["Labels"].get(label[1], ""))
    if not (field := _FIELD.fullmatch(action[1])):
        line = text.count("\n", 0, action.start()) + 1
        raise BadTemplate(
            f"{line}: {action[0]} is a Go template, and the simulated engine expands only "
            'fields such as {{.Task.Slot}} and {{index .Service.Labels "NAME"}}'
        )
    names = tuple(field[1][1:].split("."))
    value: Any = values
    for depth, name in enumerate(names):
        if not isinstance(value, Mapping) or name not in value:
            # Go points behind the first name, if there are several
            at = action.start(1) + field.start(1) + (len(names[0]) + 1 if len(names) > 1 else 0)
            line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at) - 1
            kind = _TYPES.get(names[:depth], "string")
            reason = f"can't evaluate field {name} in type {kind}"
            if names[:depth] == ("Service", "Labels"):
                reason = f'map has no entry for key "{name}"'
            raise BadTemplate(f'{line}:{column}: executing "expansion" at <{field[1]}>: {reason}')
        value = value[name]
    return _printed(value, names[-1])


def _printed(value: Any, name: str) -> str:
    """Return a value as Go prints it: a text, the labels of a service, or a struct."""
    if isinstance(value, str):
        return value
    if name == "Labels":
        return f"map[{' '.join(f'{key}:{value[key]}' for key in sorted(value))}]"
    return f"{{{' '.join(_printed(each, key) for key, each in value.items())}}}"
