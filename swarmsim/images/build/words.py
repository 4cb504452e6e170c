r"""Words of a Dockerfile: quotes, escapes, and `${variables}`. Pure.

The rules are those of moby/buildkit's `frontend/dockerfile/shell`: single quotes keep all
as it is; in double quotes a backslash stands for itself unless a quote, a dollar or another
backslash follows it; `${a:-b}`, `${a:+b}` and `${a:?b}` work as in a shell.
"""

import json
import re
from collections.abc import Mapping

from swarmsim.go.errors import ApiError
from swarmsim.go.gojson import quoted

Values = Mapping[str, str]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-]")
_MODIFIER = re.compile(r"(:?)([-+?])")


class BadDockerfile(ApiError):
    """A Dockerfile that cannot be read: said before a step of it is taken."""

    def __init__(self, message: str) -> None:
        super().__init__(400, message)


class StepFailed(ApiError):
    """A step of a build that failed: said in the stream of the build."""

    def __init__(self, message: str) -> None:
        super().__init__(500, message)


def expand(text: str, values: Values) -> str:
    """Return one word with its quotes taken off and its variables put in.

    Raises `StepFailed` in Docker's words.
    """
    try:
        return _read(text, 0, "", values)[0]
    except ValueError as problem:
        raise StepFailed(f"failed to process {quoted(text)}: {problem}") from None


def expand_to_words(text: str, values: Values) -> list[str]:
    """Return the words of a text after expansion, as `EXPOSE $PORTS` wants them."""
    found: list[str] = []
    for word in split(text):
        value = expand(word, values)
        found += [value] if set(word) & {"'", '"'} else value.split()
    return found


def split(text: str) -> list[str]:
    """Split at blanks outside of quotes; quotes and escapes stay in the words."""
    return re.findall(r"""(?:'[^']*'?|"(?:\\.|[^"\\])*"?|\\.|\S)+""", text, re.DOTALL)


def json_strings(text: str) -> list[str] | None:
    """Return a JSON array of strings, or `None` if the text is none: then it is for a shell."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    if isinstance(found, list) and all(isinstance(each, str) for each in found):
        return found
    return None


def _read(text: str, at: int, end: str, values: Values) -> tuple[str, int]:
    """Read to a character that is not quoted, or to the end; return the word and where it ends."""
    found, in_quotes = "", False
    while at < len(text) and (in_quotes or text[at] != end):
        character, following = text[at], text[at + 1 : at + 2]
        if character == "'" and not in_quotes:
            close = text.find("'", at + 1)
            if close < 0:
                raise ValueError(_UNCLOSED.format("single"))
            found, at = found + text[at + 1 : close], close + 1
        elif character == '"':
            in_quotes, at = not in_quotes, at + 1
        elif character == "$":
            value, at = _variable(text, at + 1, values)
            found += value
        elif character == "\\" and (not in_quotes or following in {'"', "$", "\\"}):
            found, at = found + following, at + 2
        else:
            found, at = found + character, at + 1
    if in_quotes:
        raise ValueError(_UNCLOSED.format("double"))
    return found, at


_UNCLOSED = "unexpected end of statement while looking for matching {}-quote"


def _variable(text: str, at: int, values: Values) -> tuple[str, int]:
    """Read what is behind a dollar."""
    in_braces = text[at : at + 1] == "{"
    name = _NAME.match(text, at + in_braces)
    if not in_braces:
        return (values.get(name[0], ""), name.end()) if name else ("$", at)
    if at + 1 == len(text):
        raise ValueError("syntax error: missing '}'")
    if not name:
        raise ValueError("syntax error: bad substitution")
    at = name.end()
    if text[at : at + 1] == "}":
        return values.get(name[0], ""), at + 1
    modifier = _MODIFIER.match(text, at)
    if not modifier:
        raise ValueError(_no_modifier(text[at:]))
    other, at = _read(text, modifier.end(), "}", values)
    if text[at : at + 1] != "}":
        raise ValueError("syntax error: missing '}'")
    value = values.get(name[0])
    is_there = value is not None and (not modifier[1] or value != "")
    if modifier[2] == "+":
        return (other if is_there else ""), at + 1
    if not is_there and modifier[2] == "?":
        raise ValueError(f"{name[0]}: {other or 'is not allowed to be unset'}")
    return (value or "" if is_there else other), at + 1


def _no_modifier(rest: str) -> str:
    if not rest:
        return "missing ':' in substitution"
    sign = rest.removeprefix(":")[:1]
    return f"unsupported modifier ({sign}) in substitution" if sign else "syntax error: missing '}'"
