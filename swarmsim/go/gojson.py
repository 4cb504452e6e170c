"""JSON as Go reads and writes it: its errors for what is no JSON, and its escapes.

Which Go types the values must have is another matter: see `shapes`.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from swarmsim.go.errors import ApiError

_BLANKS = " \t\r\n"
_ENDED = "unexpected end of JSON input"
_LITERALS = {"t": "true", "f": "false", "n": "null"}
_KEY = "looking for beginning of object key string"
_DECODER_SAYS = {
    "Expecting property name enclosed in double quotes": _KEY,
    "Illegal trailing comma before end of object": _KEY,
    "Illegal trailing comma before end of array": "looking for beginning of value",
    "Expecting ':' delimiter": "after object key",
    "Invalid control character at": "in string literal",
    "Invalid \\escape": "in string escape code",
    "Invalid \\uXXXX escape": "in \\u hexadecimal character escape",
}
#: Python's decoder ends a number before the part that is broken, or before its sign.
_BROKEN_NUMBER = re.compile(r"-(?!I)|(?<=[0-9])(?:\.|[eE][+-]?)")
_NUMBER_SAYS = {
    "-": "in numeric literal",
    ".": "after decimal point in numeric literal",
    "e": "in exponent of numeric literal",
}


class Number(str):
    """A number as it was written: Go's errors quote it, and 1e3 is no integer to Go."""

    __slots__ = ()


def dumps(value: Any) -> bytes:
    """Write JSON without blanks; `<`, `>` and `&` as Go escapes them."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    text = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return text.encode("utf-8", "replace")


def loads_all(text: str) -> Any:
    """Read a text that is one JSON value and no more, as Go's `json.Unmarshal` does."""
    try:
        value, end = _decoder.raw_decode(text, len(text) - len(text.lstrip(_BLANKS)))
    except json.JSONDecodeError as problem:
        words = _words(problem)
        raise ApiError(400, words.replace("unexpected EOF", _ENDED)) from None
    except RecursionError:
        raise ApiError(400, "exceeded max depth") from None
    if rest := text[end:].lstrip(_BLANKS):
        raise ApiError(400, f"invalid character {_quoted(rest[0])} after top-level value")
    return value


def loads(data: bytes) -> Any:
    """Read the first JSON value of a body; `ApiError` 400 with Go's message if there is none.

    What stands after that value is not looked at, as the engine's decoder does not.
    """
    text = data.decode("utf-8", "replace")
    start = len(text) - len(text.lstrip(_BLANKS))
    if start == len(text):
        raise ApiError(400, "got EOF while reading request body")
    try:
        return _decoder.raw_decode(text, start)[0]
    except json.JSONDecodeError as problem:
        raise ApiError(400, _words(problem)) from None
    except RecursionError:
        raise ApiError(400, f"invalid character '{text[start]}' exceeded max depth") from None


def _no_constant(name: str) -> NoReturn:
    """Python takes NaN and Infinity for numbers; Go stumbles over their first letter."""
    what = "in numeric literal" if name.startswith("-") else "looking for beginning of value"
    raise ApiError(400, f"invalid character '{name.lstrip('-')[0]}' {what}")


_decoder = json.JSONDecoder(parse_float=Number, parse_int=Number, parse_constant=_no_constant)


def _words(problem: json.JSONDecodeError) -> str:
    """Go's message for what Python's decoder has found."""
    text, at = problem.doc.rstrip(_BLANKS), problem.pos
    if problem.msg == "Expecting value" and (literal := _LITERALS.get(text[at : at + 1])):
        return _broken_literal(text, at, literal)
    if number := _BROKEN_NUMBER.match(text, at):
        at, context = number.end(), _NUMBER_SAYS[number[0][0].lower()]
    elif problem.msg == "Expecting ',' delimiter":
        context = "after " + _inside(text, at)
    else:
        context = _DECODER_SAYS.get(problem.msg, "looking for beginning of value")
    if problem.msg.startswith("Invalid \\"):
        at = _after_escape(text, at)
    if problem.msg.startswith("Unterminated string") or at >= len(text):
        return "unexpected EOF"
    return f"invalid character {_quoted(text[at])} {context}"


def _broken_literal(text: str, at: int, literal: str) -> str:
    for offset, wanted in enumerate(literal):
        found = text[at + offset : at + offset + 1]
        if not found:
            break
        if found != wanted:
            return f"invalid character {_quoted(found)} in literal {literal} (expecting '{wanted}')"
    return "unexpected EOF"


def _after_escape(text: str, at: int) -> int:
    """Where the first character stands that an escape cannot have."""
    found = re.compile(r"\\?(?:u[0-9a-fA-F]{0,3})?").match(text, at)
    return found.end() if found else at


def _inside(text: str, at: int) -> str:
    """What was being read at a position that lacks a comma, in Go's words."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', "", text[:at], flags=re.DOTALL)
    depth = 0
    for character in reversed(bare):
        depth += (character in "}]") - (character in "{[")
        if depth < 0:
            return "object key:value pair" if character == "{" else "array element"
    return "top-level value"


def _quoted(character: str) -> str:
    special = {"'": "'\\''", '"': "'\"'", "\n": "'\\n'", "\r": "'\\r'", "\t": "'\\t'"}
    if character in special:
        return special[character]
    byte = character.encode()[:1].decode("latin-1")  # Go looks at bytes
    return f"'{byte}'" if byte.isprintable() else f"'\\x{ord(byte):02x}'"
