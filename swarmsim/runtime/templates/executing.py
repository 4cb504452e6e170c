"""What Go's `text/template` does with the nodes of a template, for the values of a spec."""

import re
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any
from urllib.parse import quote_plus

from swarmsim.go.gojson import quoted
from swarmsim.runtime.templates.parsing import BadTemplate, Node, Operand, Parser, Pipeline

_VERB = re.compile(r"%([-+# 0]*)(\d*)(?:\.(\d*))?(.|$)", re.DOTALL)
_MISSING = object()


class Struct(dict[str, Any]):
    """Values of which each has its place in a type of Go's."""

    def __init__(self, kind: str, **fields: Any) -> None:
        super().__init__(fields)
        self.kind = kind


class CallError(Exception):
    """A function of Go's that returns an error."""


def shown(value: Any, *, names: bool = False) -> str:
    """Return a value as Go's `%v` prints it, or with the names of fields as `%+v` does."""
    match value:
        case None:
            return "<nil>"
        case bool():
            return str(value).lower()
        case Struct():
            fields = (
                (f"{key}:" if names else "") + shown(value[key], names=names) for key in value
            )
            return f"{{{' '.join(fields)}}}"
        case Mapping():
            return f"map[{' '.join(f'{key}:{shown(value[key])}' for key in sorted(value))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def type_of(value: Any) -> str:
    """Return the name of a value's type in Go."""
    if isinstance(value, Struct):
        return value.kind
    names = {bool: "bool", int: "int", float: "float64", dict: "map[string]string"}
    return names.get(type(value), "string")


def true(value: Any) -> bool:
    """Return whether Go takes a value for true: a struct always is."""
    return isinstance(value, Struct) or bool(value)


# ---- functions -----------------------------------------------------------------------


def _index(value: Any, *keys: Any) -> Any:
    for key in keys:
        if isinstance(value, Struct) or not isinstance(value, Mapping | str):
            raise CallError(f"can't index item of type {type_of(value)}")
        if isinstance(value, Mapping):
            if not isinstance(key, str):
                raise CallError(f"value has type {type_of(key)}; should be string")
            value = value.get(key, "")
        else:
            if isinstance(key, bool) or not isinstance(key, int):
                raise CallError(f"cannot index slice/array with type {type_of(key)}")
            if not 0 <= key < len(value.encode()):
                raise CallError(f"index out of range: {key}")
            value = value.encode()[key]
    return value


def _slice(value: Any, *at: int) -> str:
    if not isinstance(value, str):
        raise CallError(f"can't slice item of type {type_of(value)}")
    data = value.encode()
    for index in at:
        if not 0 <= index <= len(data):
            raise CallError(f"index out of range: {index}")
    if len(at) > 1 and at[0] > at[1]:
        raise CallError(f"invalid slice index: {at[0]} > {at[1]}")
    return data[slice(*(at if len(at) > 1 else (*at, None)))].decode("utf-8", "replace")


def _len(value: Any) -> int:
    if isinstance(value, Struct) or not isinstance(value, str | Mapping):
        raise CallError(f"len of type {type_of(value)}")
    return len(value.encode()) if isinstance(value, str) else len(value)


def _print(*values: Any) -> str:
    """Put blanks between values of which neither is a text."""
    said = ""
    for at, value in enumerate(values):
        if at and not isinstance(value, str) and not isinstance(values[at - 1], str):
            said += " "
        said += shown(value)
    return said


def _printf(form: str, *values: Any) -> str:
    rest = list(values)

    def one(verb: re.Match[str]) -> str:
        flags, width, precision, letter = verb.groups()
        if letter == "%":
            return "%"
        if not letter:
            return "%!(NOVERB)"
        if not rest:
            return f"%!{letter}(MISSING)"
        value = rest.pop(0)
        if (said := _formatted(value, letter, flags, precision)) is None:
            return f"%!{letter}({type_of(value)}={shown(value)})"
        if "-" in flags:
            return said.ljust(int(width or 0))
        zeros = "0" in flags and letter != "v"
        return said.zfill(int(width or 0)) if zeros else said.rjust(int(width or 0))

    said = _VERB.sub(one, form)
    extra = ", ".join(f"{type_of(each)}={shown(each)}" for each in rest)
    return f"{said}%!(EXTRA {extra})" if rest else said


def _formatted(value: Any, letter: str, flags: str, precision: str | None) -> str | None:
    """Return a value as one verb has it; None if the verb is not for its type."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    match letter:
        case "v":
            if "#" in flags and isinstance(value, str):
                return quoted(value)
            return shown(value, names="+" in flags)
        case "T":
            return type_of(value)
        case "t" if isinstance(value, bool):
            return shown(value)
        case "s" if isinstance(value, str):
            return value if precision is None else value[: int(precision or 0)]
        case "q" if isinstance(value, str):
            return quoted(value)
        case "x" | "X" if isinstance(value, str):
            found = value.encode().hex()
            return found.upper() if letter == "X" else found
        case "d" | "x" | "X" | "o" | "b" | "c" if whole:
            return format(value, f"{'+' if '+' in flags and letter == 'd' else ''}{letter}")
        case "e" | "f" | "g" if isinstance(value, float):
            return format(value, letter if precision is None else f".{precision or 0}{letter}")
    return None


def _compared(one: Any, other: Any) -> tuple[Any, Any]:
    if type_of(one) != type_of(other):
        raise CallError("incompatible types for comparison")
    if type(one) is dict:
        raise CallError(f"non-comparable type {shown(one)}: {type_of(one)}")
    return one, other


def _equal(one: Any, *others: Any) -> bool:
    if not others:
        raise CallError("missing argument for comparison")
    return any(a == b for a, b in (_compared(one, other) for other in others))


def _less(one: Any, other: Any) -> bool:
    first, second = _compared(one, other)
    if isinstance(first, bool | Struct):
        raise CallError("invalid type for comparison")
    return bool(first < second)


def _join(*words: str) -> str:
    """Join what comes after the separator; swarmkit's own."""
    if not words:
        raise CallError("runtime error: slice bounds out of range [1:0]")
    return words[0].join(words[1:])


def _html(*values: Any) -> str:
    return escape(_print(*values)).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")


_ANY = 99
#: By name: the least and the most arguments, and what is called.
FUNCTIONS: Mapping[str, tuple[int, int, Callable[..., Any]]] = {
    "eq": (1, _ANY, _equal),
    "ge": (2, 2, lambda a, b: not _less(a, b)),
    "gt": (2, 2, lambda a, b: not _less(a, b) and a != b),
    "html": (0, _ANY, _html),
    "index": (1, _ANY, _index),
    "join": (0, _ANY, _join),
    "le": (2, 2, lambda a, b: _less(a, b) or a == b),
    "len": (1, 1, _len),
    "lt": (2, 2, _less),
    "ne": (2, 2, lambda a, b: not _equal(a, b)),
    "not": (1, 1, lambda value: not true(value)),
    "print": (0, _ANY, _print),
    "printf": (1, _ANY, _printf),
    "println": (0, _ANY, lambda *values: " ".join(map(shown, values)) + "\n"),
    "slice": (1, _ANY, _slice),
    "urlquery": (0, _ANY, lambda *values: quote_plus(_print(*values))),
}
_LAZY = ("and", "or")


# ---- execution -----------------------------------------------------------------------


class Execution:
    """One template, and what it prints for its values."""

    def __init__(self, name: str, text: str, values: Struct) -> None:
        self._name = name
        self._text = text
        self._variables: list[tuple[str, Any]] = [("$", values)]
        self._nodes = Parser(text, lambda word: word in FUNCTIONS or word in _LAZY).parsed()

    def printed(self) -> str:
        """Return what the template prints. Raises `BadTemplate`."""
        return self._walk(self._nodes, self._variables[0][1])

    def _walk(self, nodes: Sequence[Node], dot: Any) -> str:
        return "".join(self._one(node, dot) for node in nodes)

    def _one(self, node: Node, dot: Any) -> str:
        if node.pipeline is None:
            return node.text
        known = len(self._variables)
        if node.kind == "action":
            value = self._piped(node.pipeline, dot)
            if node.pipeline.variables:
                return ""
            return "<no value>" if value is None else shown(value)
        if node.kind == "range":
            said = self._repeated(node, dot)
        else:
            value = self._piped(node.pipeline, dot)
            inner = value if node.kind == "with" else dot
            said = self._walk(node.body, inner) if true(value) else self._walk(node.otherwise, dot)
        del self._variables[known:]
        return said

    def _repeated(self, node: Node, dot: Any) -> str:
        assert node.pipeline
        names = node.pipeline.variables
        value = self._piped(node.pipeline, dot, assign=False)
        if isinstance(value, Struct) or not isinstance(value, Mapping):
            last = node.pipeline.commands[-1][0]
            self._fail(last.at, last.text, f"range can't iterate over {shown(value)}")
        said, known = "", len(self._variables)
        for key in sorted(value):
            given = [key, value[key]] if len(names) > 1 else [value[key]]
            self._variables += zip(names, given, strict=False)
            said += self._walk(node.body, value[key])
            del self._variables[known:]
        return said if value else self._walk(node.otherwise, dot)

    def _piped(self, pipeline: Pipeline, dot: Any, *, assign: bool = True) -> Any:
        value: Any = _MISSING
        for command in pipeline.commands:
            value = self._command(command, dot, value)
        for name in pipeline.variables if assign else ():
            if pipeline.declares:
                self._variables.append((name, value))
            else:
                at = max(i for i, (known, _) in enumerate(self._variables) if known == name)
                self._variables[at] = (name, value)
        return value

    def _command(self, command: list[Operand], dot: Any, final: Any) -> Any:
        first = command[0]
        if first.kind == "function":
            return self._called(command, dot, final)
        if len(command) > 1 or final is not _MISSING:
            if first.kind == "field":
                self._value(first, dot)
                reason = f"{first.names[-1]} has arguments but cannot be invoked as function"
                self._fail(first.at, first.text, reason)
            self._fail(first.at, first.text, f"can't give argument to non-function {first.text}")
        if first.kind == "nil":
            self._fail(first.at, "nil", "nil is not a command")
        return self._value(first, dot)

    def _called(self, command: list[Operand], dot: Any, final: Any) -> Any:
        name, words = command[0].text, command[1:]
        said = " ".join(each.text for each in command)
        after = [] if final is _MISSING else [final]
        count = len(words) + len(after)
        least, most, function = FUNCTIONS.get(name, (1, _ANY, _print))
        if not least <= count <= most:
            wanted = f"{'at least ' if most == _ANY else ''}{least}"
            reason = f"wrong number of args for {name}: want {wanted} got {count}"
            self._fail(command[0].at, name, reason)
        if name in _LAZY:
            value: Any = None
            for each in [*words, *after]:
                value = self._value(each, dot) if isinstance(each, Operand) else each
                if true(value) == (name == "or"):
                    break
            return value
        given = [*(self._value(each, dot) for each in words), *after]
        if name in ("join", "printf"):
            self._require_texts(given if name == "join" else given[:1], command)
        try:
            return function(*given)
        except CallError as problem:
            self._fail(command[0].at, said, f"error calling {name}: {problem}")

    def _require_texts(self, given: Sequence[Any], command: list[Operand]) -> None:
        for at, value in enumerate(given):
            if not isinstance(value, str):
                word = command[min(at + 1, len(command) - 1)]
                reason = f"expected string; found {word.text}"
                if word.kind != "value":
                    reason = f"wrong type for value; expected string; got {type_of(value)}"
                self._fail(word.at, word.text, reason)

    def _value(self, word: Operand, dot: Any) -> Any:
        match word.kind:
            case "field" | "dot":
                value = dot
            case "variable":
                value = next(v for name, v in reversed(self._variables) if name == word.value)
            case "pipeline":
                value = self._piped(word.value, dot)
            case "function":
                value = self._called([word], dot, _MISSING)
            case _:
                value = word.value
        for name in word.names:
            value = self._field(word, value, name)
        return value

    def _field(self, word: Operand, value: Any, name: str) -> Any:
        if isinstance(value, Mapping) and name in value:
            return value[name]
        reason = f"can't evaluate field {name} in type {type_of(value)}"
        if isinstance(value, Mapping) and not isinstance(value, Struct):
            reason = f"map has no entry for key {quoted(name)}"
        return self._fail(word.at, word.text, reason)

    def _fail(self, at: int, what: str, reason: str) -> Any:
        line = self._text.count("\n", 0, at) + 1
        column = at - self._text.rfind("\n", 0, at) - 1
        raise BadTemplate(f'{line}:{column}: executing "{self._name}" at <{what}>: {reason}')
