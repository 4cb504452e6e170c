"""What swarmkit refuses in the templates of a container spec, such as `{{.Task.Slot}}`.

It expands them once, for a task that does not exist, when a service is made. Here the
actions are looked at one by one: fields are checked against what there is, functions
against those that Go and swarmkit have; what is more than that is let through.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

Spec = dict[str, Any]

_SERVICE = "struct { ID string; Name string; Labels map[string]string }"
_NODE = "struct { ID string; Hostname string; Platform template.Platform }"
_TASK = "struct { ID string; Name string; Slot string }"
_LABELS = "map[string]string"
#: The fields of each type, and their types.
_FIELDS = {
    "*template.Context": {"Service": _SERVICE, "Node": _NODE, "Task": _TASK},
    _SERVICE: {"ID": "string", "Name": "string", "Labels": _LABELS},
    _NODE: {"ID": "string", "Hostname": "string", "Platform": "template.Platform"},
    _TASK: {"ID": "string", "Name": "string", "Slot": "string"},
    "template.Platform": {"Architecture": "string", "OS": "string"},
    "string": {},
}
#: The words and functions of Go's templates, and what swarmkit adds.
_LANGUAGE = (
    "and break call continue define else end eq false ge gt html if index join js le len lt ne "
    "nil not or print printf println range slice template true urlquery with block"
)
_WORDS = frozenset(_LANGUAGE.split())
_FIELD = re.compile(r"\s*((?:\.[A-Za-z_]\w*)+)\s*")
_FUNCTION = re.compile(r"\s*([A-Za-z_]\w*)")


class BadTemplate(Exception):
    """A template that cannot be expanded, in Go's words."""


def check(container: Spec) -> None:
    """Raise `BadTemplate` for the first one that swarmkit could not expand."""
    for variable in container.get("Env") or []:
        value = variable.partition("=")[2]
        _expand(value, f"expanding env failed: expanding env {_quoted(variable)}: ")
    for mount in container.get("Mounts") or []:
        for key in ("Source", "Target"):
            text = mount.get(key, "")
            where = f"expanding mount {key.lower()} {_quoted(text)}: "
            _expand(text, f"expanding mounts failed: {where}")
    _expand(container.get("Hostname", ""), "expanding hostname failed: ")


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _expand(text: str, prefix: str) -> None:
    """Check one template; all of it is parsed before any of it is carried out."""
    try:
        for _, action in _actions(text):
            _check_words(action)
        for at, action in _actions(text):
            if found := _FIELD.fullmatch(action):
                _check_field(found[1], at + found.start(1), text)
    except BadTemplate as problem:
        raise BadTemplate(f"{prefix}template: expansion:{problem}") from None


def _actions(text: str) -> Iterable[tuple[int, str]]:
    at = text.find("{{")
    while at >= 0:
        end = text.find("}}", at)
        inside = text[at + 2 : end if end >= 0 else len(text)]
        line = text.count("\n", 0, at) + 1
        if "}" in inside:
            raise BadTemplate(f"{line}: bad character U+007D '}}'")
        if end < 0:
            raise BadTemplate(f"{line}: unclosed action")
        if not inside.strip():
            raise BadTemplate(f"{line}: missing value for command")
        yield at + 2, inside
        at = text.find("{{", end)


def _check_words(action: str) -> None:
    found = _FUNCTION.match(action)
    if found and found[1] not in _WORDS:
        raise BadTemplate(f'1: function "{found[1]}" not defined')


def _check_field(path: str, at: int, text: str) -> None:
    names = path[1:].split(".")
    kind = "*template.Context"
    for name in names:
        if kind == _LABELS:
            reason = f'map has no entry for key "{name}"'
        elif name not in _FIELDS[kind]:
            reason = f"can't evaluate field {name} in type {kind}"
        else:
            kind = _FIELDS[kind][name]
            continue
        # Go points behind the first name, if there are several
        at += len(names[0]) + 1 if len(names) > 1 else 0
        line = text.count("\n", 0, at) + 1
        column = at - (text.rfind("\n", 0, at) + 1)
        raise BadTemplate(f'{line}:{column}: executing "expansion" at <{path}>: {reason}')
