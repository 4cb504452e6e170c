"""YAML as the docker command line reads it, with duplicate keys refused.

Docker uses Go's yaml.v3, whose plain scalars are not PyYAML's: `yes`, `on` and `12:30`
are text, `1e3` is a number, `0o17` and `0444` are octal. So PyYAML parses, and the
scalars are resolved here. A date is refused: docker would turn `2001-01-01` into
`2001-01-01 00:00:00 +0000 UTC`, which is never meant.
"""

from __future__ import annotations

import re
from typing import Any

import yaml
from yaml import MappingNode, Node, ScalarNode, SequenceNode

from labkit.swarm.compose.problems import Path, Problems, Refused

_TAG = "tag:yaml.org,2002:"
#: The plain scalars of yaml.v3 (its resolve.go), in the order in which they are tried.
_PLAIN = (
    ("null", r"~|null|Null|NULL|"),
    ("bool", r"true|True|TRUE|false|False|FALSE"),
    ("int", r"[-+]?(?:0[bB]_*[01][01_]*|0[oO]?_*[0-7][0-7_]*|0[xX]_*[0-9a-fA-F][0-9a-fA-F_]*)"),
    ("int", r"[-+]?(?:0_*|[1-9][0-9_]*)"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"),
    ("timestamp", r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt ].*)?"),
    ("merge", r"<<"),
)


class _Loader(yaml.BaseLoader):
    """A parser that knows yaml.v3's plain scalars."""


for _name, _pattern in _PLAIN:
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(f"(?:{_pattern})$"), None)


def read(text: str, problems: Problems) -> dict[str, Any]:
    """Return the mapping that a YAML document holds; `{}` when it cannot be read."""
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        where = (f"line {mark.line + 1}, column {mark.column + 1}",) if mark else ()
        said = ", ".join(filter(None, (problem.context, problem.problem)))
        problems.add(where, f"this is not YAML: {said}")
        return {}
    except yaml.YAMLError as problem:
        problems.add((), f"this is not YAML: {problem}")
        return {}
    if not isinstance(node, MappingNode):
        problems.add((), "a compose file is a mapping at its top, with `services:` in it")
        return {}
    try:
        return _Reader(problems).mapping(node, ())
    except Refused as problem:
        problems.add(problem.path, problem.what)
        return {}


class _Reader:
    """Turns nodes into values and notes what is wrong on the way."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._open: set[int] = set()

    def value(self, node: Node, path: Path) -> Any:
        if isinstance(node, ScalarNode):
            return self._scalar(node, path)
        if id(node) in self._open:
            raise Refused(path, "this anchor holds itself")
        self._open.add(id(node))
        try:
            if isinstance(node, SequenceNode):
                return [self.value(each, (*path, i)) for i, each in enumerate(node.value)]
            assert isinstance(node, MappingNode)
            return self.mapping(node, path)
        finally:
            self._open.remove(id(node))

    def mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        own: dict[str, Any] = {}
        lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _TAG + "merge":
                merged = self._merged(value_node, path) | merged
                continue
            key = self._key(key_node, path)
            line = key_node.start_mark.line + 1
            if key in lines:
                what = f"this key is there twice, on lines {lines[key]} and {line}"
                self._problems.add((*path, key), what)
            lines[key] = line
            own[key] = self.value(value_node, (*path, key))
        return merged | own

    def _merged(self, node: Node, path: Path) -> dict[str, Any]:
        """Return what `<<: *anchor` or `<<: [*one, *two]` brings in; the first wins."""
        value = self.value(node, (*path, "<<"))
        parts = value if isinstance(value, list) else [value]
        found: dict[str, Any] = {}
        for part in parts:
            if not isinstance(part, dict):
                raise Refused((*path, "<<"), "only a mapping, or a list of them, can be merged in")
            found = part | found
        return found

    def _key(self, node: Node, path: Path) -> str:
        if isinstance(node, ScalarNode) and node.tag == _TAG + "str":
            return str(node.value)
        shown = node.value if isinstance(node, ScalarNode) else "a list or a mapping"
        raise Refused(path, f"a key is text, and {shown} is not; put it in quotes")

    def _scalar(self, node: ScalarNode, path: Path) -> Any:
        kind, text = node.tag.removeprefix(_TAG), node.value
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() == "true"
        if kind == "int":
            return _whole_number(text)
        if kind == "float":
            return float(text)
        if kind == "timestamp":
            self._problems.add(path, f"YAML takes {text} for a date; put it in quotes")
        elif kind not in ("str", "merge"):
            self._problems.add(path, f"docker knows no YAML tag {node.tag}")
        return text


def _whole_number(text: str) -> int:
    """Read a whole number as Go does: a leading zero means octal."""
    digits = text.replace("_", "").lower()
    sign = -1 if digits.startswith("-") else 1
    digits = digits.lstrip("+-")
    for prefix, base in (("0x", 16), ("0b", 2), ("0o", 8), ("0", 8)):
        if digits.startswith(prefix) and len(digits) > len(prefix):
            return sign * int(digits.removeprefix(prefix), base)
    return sign * int(digits)
