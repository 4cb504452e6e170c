"""YAML as the docker command line reads it, with duplicate keys refused.

Docker uses Go's yaml.v3, a port of libyaml, whose plain scalars are not PyYAML's: `yes`,
`on` and `12:30` are text, `1e3` is a number, `0o17` and `0444` are octal. So libyaml parses,
through PyYAML, and values are made of its events here: PyYAML's own makers of values die of deep
nesting, and refuse an anchor that is set again. Where PyYAML came without libyaml,
its own parser does, which allows fewer tabs. Only the first document of a file counts. A date
is refused: docker would turn `2001-01-01` into `2001-01-01 00:00:00 +0000 UTC`, which is never
meant.
"""

import base64
import math
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml
from yaml import AliasEvent, DocumentStartEvent, Event, ScalarEvent, SequenceStartEvent

from labkit.swarm.compose.problems import Mistakes, Path, Problems

_Loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_TAG = "tag:yaml.org,2002:"
#: The plain scalars of yaml.v3 (its resolve.go), in the order in which they are tried.
_PLAIN = [
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("null", r"~|null|Null|NULL|"),
        ("bool", r"true|True|TRUE|false|False|FALSE"),
        ("int", r"[-+]?(0[bB]_*[01][01_]*|0[oO]?_*[0-7][0-7_]*|0[xX]_*[0-9a-fA-F][0-9a-fA-F_]*)"),
        ("int", r"[-+]?(?:0_*|[1-9][0-9_]*)"),
        ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"),
        ("float", r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"),
        ("timestamp", r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt ].*)?"),
        ("merge", r"<<"),
    )
]
#: The tags by which a text in quotes is what it would be without them.
_TAGGED = ("null", "bool", "int", "float", "timestamp")
#: Levels of lists and mappings; docker takes thousands, and no compose file has ten.
_DEEPEST = 100
#: Up to `_FEW` nodes 99 in 100 may come from aliases, from `_MANY` on one in ten (yaml.v3's
#: decode.go), so that a small file cannot mean a huge one.
_FEW, _MANY = 400_000, 4_000_000


def read(text: str, problems: Problems) -> dict[str, Any]:
    """Return the mapping that a YAML document holds; `{}` when it cannot be read."""
    try:
        tree = _Reader(yaml.parse(text, Loader=_Loader), problems).document()
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        where = (f"line {mark.line + 1}, column {mark.column + 1}",) if mark else ()
        said = ", ".join(filter(None, (problem.context, problem.problem)))
        problems.add(where, f"this is not YAML: {said}")
    except yaml.YAMLError as problem:
        problems.add((), f"this is not YAML: {problem}")
    except Mistakes as problem:
        problems.take(problem)
    except ValueError:  # of `int`
        problems.add((), "a number in it has thousands of digits")
    else:
        if isinstance(tree, dict):
            return tree
        problems.add((), "a compose file is a mapping at its top, with `services:` in it")
    return {}


class _Anchored(NamedTuple):
    """What an anchor names, and of how many nodes it is made."""

    value: Any
    nodes: int


class _Reader:
    """Turns events into values and notes what is wrong on the way."""

    def __init__(self, events: Iterator[Event], problems: Problems) -> None:
        self._events = events
        self._problems = problems
        #: `None` while the anchor's own value is being read.
        self._anchors: dict[str, _Anchored | None] = {}
        self._nodes = self._aliased = 0

    def document(self) -> Any:
        """Return the value of the first document."""
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                if event.version not in (None, (1, 1)):
                    raise Mistakes(
                        ((), "docker only supports YAML 1.1; remove the line with %YAML")
                    )
                return self._value(next(self._events), ())
        return None

    def _value(self, event: Event, path: Path) -> Any:
        if isinstance(event, AliasEvent):
            return self._alias(event, path)
        if len(path) > _DEEPEST:
            raise Mistakes((path[:3], f"this is nested more than {_DEEPEST} levels deep"))
        before = self._nodes
        self._nodes += 1
        anchor = getattr(event, "anchor", None)
        if anchor:
            self._anchors[anchor] = None
        if isinstance(event, ScalarEvent):
            value = self._scalar(event, path)
        elif isinstance(event, SequenceStartEvent):
            value = [self._value(each, (*path, i)) for i, each in enumerate(self._inside())]
        else:
            value = self._mapping(path)
        if anchor:
            self._anchors[anchor] = _Anchored(value, self._nodes - before)
        return value

    def _inside(self) -> Iterator[Event]:
        """Yield the event with which each node of a list or a mapping begins."""
        while not isinstance(event := next(self._events), yaml.CollectionEndEvent):
            yield event

    def _alias(self, event: AliasEvent, path: Path) -> Any:
        if event.anchor not in self._anchors:
            raise Mistakes((path, f"there is no anchor &{event.anchor} above this alias"))
        anchored = self._anchors[event.anchor]
        if anchored is None:
            raise Mistakes((path, "this anchor holds itself"))
        self._nodes += 1 + anchored.nodes
        self._aliased += anchored.nodes
        few = (_MANY - min(max(self._nodes, _FEW), _MANY)) / (_MANY - _FEW)
        if self._nodes > 1000 and self._aliased > (0.1 + 0.89 * few) * self._nodes:
            raise Mistakes((path, "docker says: document contains excessive aliasing"))
        return anchored.value

    def _mapping(self, path: Path) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        own: dict[str, Any] = {}
        lines: dict[str, int] = {}
        for event in self._inside():
            is_merge = _kind(event) == "merge"
            key = "<<" if is_merge else self._key(event, path)
            line = event.start_mark.line + 1 if event.start_mark else 0
            if key in lines:
                what = f"this key appears twice, on lines {lines[key]} and {line}"
                self._problems.add((*path, key), what)
            lines[key] = line
            value = self._value(next(self._events), (*path, key))
            if is_merge:
                merged = _merged(value, (*path, key))
            else:
                own[key] = value
        return merged | own

    def _key(self, event: Event, path: Path) -> str:
        # nothing that it would be made of is read: a key of a key of a key has no end
        value = None if isinstance(event, yaml.CollectionStartEvent) else self._value(event, path)
        if isinstance(value, str):
            return value
        shown = event.value if isinstance(event, ScalarEvent) else "a list or a mapping"
        raise Mistakes((path, f"a key is text, and {shown} is not; put it in quotes"))

    def _scalar(self, event: ScalarEvent, path: Path) -> Any:
        kind, text = _kind(event), str(event.value)
        wanted = (event.tag or "").removeprefix(_TAG)
        if wanted == "binary":
            return base64.b64decode(text).decode("utf-8", "replace")
        if wanted in _TAGGED and kind != wanted and (kind, wanted) != ("int", "float"):
            self._problems.add(path, f"docker cannot decode `{text}` as a !!{wanted}")
        elif kind == "timestamp":
            self._problems.add(path, f"YAML reads {text} as a date; put it in quotes")
        elif kind == "null":
            return None
        elif kind == "bool":
            return text.lower() == "true"
        elif kind == "int":
            return _whole_number(text)
        elif kind == "float":
            return self._float(text, path)
        return text

    def _float(self, text: str, path: Path) -> float | str:
        if not text.strip("+-").startswith((".i", ".I", ".n", ".N")):
            found = float(text)
            return found if math.isfinite(found) else text  # too large for Go, too
        self._problems.add(
            path, f"docker refuses {text}: json: unsupported value; put it in quotes"
        )
        return text


def _kind(event: Event) -> str:
    """Return what a scalar is: one of `_PLAIN`, or `str`, as with a tag that Go ignores."""
    if not isinstance(event, ScalarEvent):
        return ""
    tag = event.tag or ""
    if tag.removeprefix(_TAG) in _TAGGED or event.implicit[0]:
        return next((kind for kind, of in _PLAIN if of.fullmatch(event.value)), "str")
    return "str"


def _merged(value: Any, path: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in value if isinstance(value, list) else [value]:
        if not isinstance(part, dict):
            raise Mistakes((path, "only a mapping, or a list of them, can be merged in"))
        found = part | found
    return found


def _whole_number(text: str) -> int:
    """Read a whole number as Go does: a leading zero means octal."""
    digits = text.replace("_", "").lower()
    return int(re.sub(r"^([-+]?)0(?=[0-7])", r"\g<1>0o", digits), 0)
