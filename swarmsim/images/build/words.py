r"""Words of a Dockerfile: quotes, escapes, and `${variables}`. Pure.

The rules are those of moby/buildkit's `frontend/dockerfile/shell`: single quotes keep all
as it is; in double quotes the escape character stands for itself unless a quote, a dollar
or another escape follows it; `${a:-b}`, `${a:+b}` and `${a:?b}` work as in a shell.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from swarmsim.images.problems import StepFailed, quoted

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-]")
_MODIFIERS = "+-?"


def expand(text: str, values: Mapping[str, str], escape: str = "\\") -> str:
    """Return one word with its quotes taken off and its variables put in.

    Raises `StepFailed` in Docker's words.
    """
    reader = _Reader(text, values, escape)
    try:
        return _until(reader, "")
    except ValueError as problem:
        raise StepFailed(f"failed to process {quoted(text)}: {problem}") from None


def expand_to_words(text: str, values: Mapping[str, str], escape: str = "\\") -> list[str]:
    """Return the words of a text after expansion, as `EXPOSE $PORTS` wants them."""
    found: list[str] = []
    for word in split(text, escape):
        value = expand(word, values, escape)
        found += [value] if set(word) & {"'", '"'} else value.split()
    return found


def split(text: str, escape: str = "\\") -> list[str]:
    """Split at blanks outside of quotes; quotes and escapes stay in the words."""
    words: list[str] = []
    word, quote, at = "", "", 0
    while at < len(text):
        character = text[at]
        if character.isspace() and not quote:
            words += [word] if word else []
            word = ""
        else:
            taken = text[at : at + 2] if character == escape and quote != "'" else character
            word += taken
            if not quote and character in "'\"":
                quote = character
            elif character == quote:
                quote = ""
            at += len(taken) - 1
        at += 1
    return words + ([word] if word else [])


def json_strings(text: str) -> list[str] | None:
    """Return a JSON array of strings, or `None` if the text is none: then it is for a shell."""
    if not text.startswith("["):
        return None
    try:
        found = json.loads(text)
    except ValueError:
        return None
    if isinstance(found, list) and all(isinstance(each, str) for each in found):
        return found
    return None


class _Reader:
    """A text and how far it has been read."""

    def __init__(self, text: str, values: Mapping[str, str], escape: str) -> None:
        self.text = text
        self.at = 0
        self.values = values
        self.escape = escape

    @property
    def next(self) -> str:
        return self.text[self.at : self.at + 1]

    def take(self) -> str:
        found = self.next
        self.at += 1
        return found


def _until(reader: _Reader, end: str) -> str:
    """Read to a character that is not quoted, or with `""` to the end of the text."""
    found = ""
    while reader.next and reader.next != end:
        character = reader.take()
        if character == "'":
            found += _in_single_quotes(reader)
        elif character == '"':
            found += _in_double_quotes(reader)
        elif character == "$":
            found += _variable(reader)
        else:
            found += reader.take() if character == reader.escape else character
    return found


def _in_single_quotes(reader: _Reader) -> str:
    end = reader.text.find("'", reader.at)
    if end < 0:
        raise ValueError("unexpected end of statement while looking for matching single-quote")
    found = reader.text[reader.at : end]
    reader.at = end + 1
    return found


def _in_double_quotes(reader: _Reader) -> str:
    found = ""
    while reader.next != '"':
        if not reader.next:
            raise ValueError("unexpected end of statement while looking for matching double-quote")
        character = reader.take()
        if character == "$":
            found += _variable(reader)
        elif character == reader.escape and reader.next in ('"', "$", reader.escape):
            found += reader.take()
        else:
            found += character
    reader.take()
    return found


def _variable(reader: _Reader) -> str:
    """Read what stands behind a dollar."""
    if reader.next != "{":
        name = _name(reader)
        return reader.values.get(name, "") if name else "$"
    reader.take()
    if not reader.next:
        raise ValueError("syntax error: missing '}'")
    name = _name(reader)
    if not name:
        raise ValueError("syntax error: bad substitution")
    sign = reader.take()
    if not sign:
        raise ValueError("missing ':' in substitution")
    if sign == "}":
        return reader.values.get(name, "")
    only_if_set = sign != ":"
    modifier = sign if only_if_set else reader.take()
    if not modifier:
        raise ValueError("syntax error: missing '}'")
    if modifier not in _MODIFIERS:
        raise ValueError(f"unsupported modifier ({modifier}) in substitution")
    other = _until(reader, "}")
    if reader.take() != "}":
        raise ValueError("syntax error: missing '}'")
    return _modified(reader.values.get(name), modifier, other, name, only_if_set=only_if_set)


def _modified(value: str | None, modifier: str, other: str, name: str, *, only_if_set: bool) -> str:
    there = value is not None and (only_if_set or value != "")
    if modifier == "+":
        return other if there else ""
    if there:
        return value or ""
    if modifier == "-":
        return other
    raise ValueError(f"{name}: {other or 'is not allowed to be unset'}")


def _name(reader: _Reader) -> str:
    found = _NAME.match(reader.text, reader.at)
    if not found:
        return ""
    reader.at = found.end()
    return found[0]
