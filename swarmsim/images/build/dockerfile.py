"""A Dockerfile, read as the engine's classic builder reads it. Pure.

First the whole file is cut into instructions, then each is looked at by itself: a mistake
of the first kind is said before one of the second, as moby/buildkit's
`frontend/dockerfile/parser` and `instructions` do. Variables are put in later, when a step
is taken. Heredocs are BuildKit's: to the classic builder their lines are instructions.

A file has one stage. No RUN is executed, so an earlier stage would hold nothing for a later one.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from swarmsim.images.build import healthcheck, words
from swarmsim.images.build.words import BadDockerfile

_CONTINUED = re.compile(r"\\[ \t]*$")
#: Of use on Windows only, where paths have backslashes.
_OTHER_ESCAPE = re.compile(r"(#.*\n)*#\s*escape\s*=\s*(?!\\\s*\n)", re.IGNORECASE)
_STAGE_NAME = re.compile(r"[a-z][a-z0-9_.-]*")
_HEREDOC = re.compile(r"<<-?\s*([\"']?)[A-Za-z_]\w*\1(\s|$)")
_FLAGS = {
    "ADD": {"chown", "chmod"},
    "COPY": {"chown", "chmod"},
    "FROM": {"platform"},
    "HEALTHCHECK": {"interval", "timeout", "start-period", "start-interval", "retries"},
}
#: Instructions whose arguments may be a JSON array of strings.
_JSON_OR_TEXT = {"CMD", "ENTRYPOINT", "RUN", "SHELL"}
_JSON_OR_WORDS = {"ADD", "COPY", "VOLUME"}
_WORDS = {"EXPOSE", "FROM"}
_PAIRS = {"ENV", "LABEL"}
_NAMES = {"ARG"}
_ONE_TEXT = {"STOPSIGNAL", "USER", "WORKDIR"}
_OTHERS = {"HEALTHCHECK"}
_KNOWN = _JSON_OR_TEXT | _JSON_OR_WORDS | _WORDS | _PAIRS | _NAMES | _ONE_TEXT | _OTHERS
#: What Docker knows besides.
_NOT_SIMULATED = {"MAINTAINER", "ONBUILD"}


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction. `text` is the line as it is shown, continuations joined."""

    line: int
    name: str
    text: str
    #: What stands behind the name and the flags.
    rest: str
    flags: dict[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    #: Of ENV and LABEL, unexpanded.
    pairs: tuple[tuple[str, str], ...] = ()
    #: Whether the arguments were a JSON array: the exec form.
    is_json: bool = False
    #: Whether a dollar in it is a dollar.
    is_literal: bool = False


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """A Dockerfile: ARGs for its FROM, the FROM, and what follows it."""

    arguments: tuple[Instruction, ...]
    base: Instruction
    steps: tuple[Instruction, ...]


def read(text: str, name: str = "Dockerfile") -> Dockerfile:
    """Read a Dockerfile. Raises `BadDockerfile` in Docker's words."""
    if not text:
        raise BadDockerfile(f"the Dockerfile ({name}) cannot be empty")
    text = text.removeprefix("\ufeff")
    if _OTHER_ESCAPE.match(text):
        message = "failed to parse Dockerfile: a simulated engine knows no escape but the backslash"
        raise BadDockerfile(message)
    found = [_cut(at, line) for at, line in _logical_lines(text.splitlines())]
    if not found:
        raise BadDockerfile("failed to parse Dockerfile: file with no instructions")
    _check_all(found)
    return _in_parts(found)


# ---- lines -------------------------------------------------------------------------


def _logical_lines(lines: list[str]) -> Iterator[tuple[int, str]]:
    """Yield each instruction's line number and text: comments gone, continuations joined."""
    text, first = "", 0
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("#") or not line.strip():
            continue
        first = first if text else number
        text += _CONTINUED.sub("", line)
        if not _CONTINUED.search(line):
            yield first, text.strip()
            text = ""
    if text:
        yield first, text.strip()


def _cut(line: int, text: str) -> Instruction:
    """Cut an instruction into its name, flags and arguments."""
    name, _, rest = re.sub(r"\s+", " ", text, count=1).partition(" ")
    name = name.upper()
    flags, rest = _flags(rest.strip()) if name in _FLAGS else ({}, rest.strip())
    if name in _PAIRS:
        pairs = tuple(_pairs(name, rest))
        return Instruction(line, name, text, rest, flags, pairs=pairs)
    as_json = words.json_strings(rest) if name in _JSON_OR_TEXT | _JSON_OR_WORDS else None
    if as_json is not None:
        return Instruction(line, name, text, rest, flags, tuple(as_json), is_json=True)
    arguments = _arguments(name, rest)
    return Instruction(line, name, text, rest, flags, tuple(arguments))


def _arguments(name: str, rest: str) -> list[str]:
    if name in _WORDS | _JSON_OR_WORDS:
        return rest.split()
    if name in _NAMES:
        return words.split(rest)
    return [rest] if rest else []


def _flags(rest: str) -> tuple[dict[str, str], str]:
    """Take the words that begin with `--` from the beginning; one without a value has None's."""
    flags: dict[str, str] = {}
    while rest.startswith("--"):
        word, _, rest = rest.partition(" ")
        rest = rest.lstrip()
        if word == "--":
            break
        key, equals, value = word.removeprefix("--").partition("=")
        flags[key] = value if equals else _MISSING
    return flags, rest


#: The value of a flag that was given none.
_MISSING = "\0"


def _pairs(name: str, rest: str) -> Iterator[tuple[str, str]]:
    """Yield the pairs of ENV and LABEL, in the form `a=b c=d` or in the old one, `a b c`."""
    each = words.split(rest)
    if not each:
        return
    if "=" not in each[0]:
        key, _, value = rest.partition(" ")
        if not value.strip():
            raise BadDockerfile(f"failed to parse Dockerfile: {name} must have two arguments")
        yield key, value.strip()
        return
    for word in each:
        key, equals, value = word.partition("=")
        if not equals:
            raise BadDockerfile(
                f"failed to parse Dockerfile: Syntax error - can't find = in "
                f'"{word}". Must be of the form: name=value'
            )
        yield key, value


# ---- what each instruction must have -----------------------------------------------


def _in_parts(found: list[Instruction]) -> Dockerfile:
    at, *others = [at for at, each in enumerate(found) if each.name == "FROM"] or [len(found)]
    if at == len(found) or any(each.name != "ARG" for each in found[:at]):
        raise BadDockerfile("no build stage in current context")
    if others:
        where = f"dockerfile parse error line {found[others[0]].line}"
        raise BadDockerfile(
            f"{where}: a simulated engine executes no RUN, and builds a single stage"
        )
    return Dockerfile(tuple(found[:at]), found[at], tuple(found[at + 1 :]))


def _check_all(found: list[Instruction]) -> None:
    """Raise `BadDockerfile` for the first instruction that is not what it must be."""
    heredoc = ""
    for instruction in found:
        try:
            _check(instruction)
        except ValueError as problem:
            reason = f"dockerfile parse error line {instruction.line}: {problem}"
            raise BadDockerfile(reason + heredoc) from None
        if instruction.name in ("RUN", "COPY", "ADD") and _HEREDOC.search(instruction.rest):
            heredoc = f" (line {instruction.line} has a heredoc, which needs BuildKit)"


def _check(instruction: Instruction) -> None:
    if instruction.name in _NOT_SIMULATED:
        raise ValueError(f"the simulated engine has no {instruction.name}")
    if instruction.name not in _KNOWN:
        raise ValueError(f"unknown instruction: {instruction.name}")
    for flag, value in instruction.flags.items():
        if (instruction.name, flag) == ("COPY", "from"):
            raise ValueError("a simulated engine copies from the build's context only")
        if flag not in _FLAGS[instruction.name]:
            raise ValueError(f"Unknown flag: {flag}")
        if value == _MISSING:
            raise ValueError(f"Missing a value on flag: {flag}")
    for names, is_wrong, message in _RULES:
        if instruction.name in names.split() and is_wrong(instruction):
            raise ValueError(message.format(instruction))
    if instruction.name == "HEALTHCHECK":
        healthcheck.read(instruction.flags, instruction.rest)


def _is_bad_from(it: Instruction) -> bool:
    count = len(it.arguments)
    return count != 1 and not (count == 3 and it.arguments[1].lower() == "as")


#: The instructions, when they are wrong, and what Docker says then.
_RULES: tuple[tuple[str, Callable[[Instruction], bool], str], ...] = (
    (" ".join(_ONE_TEXT), lambda it: not it.arguments, "{0.name} requires exactly one argument"),
    (
        "ARG ENV EXPOSE HEALTHCHECK LABEL VOLUME",
        lambda it: not (it.arguments or it.pairs),
        "{0.name} requires at least one argument",
    ),
    (
        "ADD COPY",
        lambda it: len(it.arguments) < 2,
        "{0.name} requires at least two arguments, but only one was provided. "
        "Destination could not be determined",
    ),
    ("FROM", _is_bad_from, "FROM requires either one or three arguments"),
    (
        "FROM",
        lambda it: len(it.arguments) == 3 and not _STAGE_NAME.fullmatch(it.arguments[2].lower()),
        'invalid name for build stage: "{0.arguments[2]}", '
        "name can't start with a number or contain symbols",
    ),
    ("ENV LABEL", lambda it: not all(dict(it.pairs)), "{0.name} names can not be blank"),
    (
        "ARG",
        lambda it: any(word.startswith("=") for word in it.arguments),
        "ARG names can not be blank",
    ),
    ("SHELL", lambda it: not it.is_json, "SHELL requires the arguments to be in JSON form"),
    ("SHELL", lambda it: not it.arguments, "SHELL requires at least one argument"),
    ("VOLUME", lambda it: not all(it.arguments), "VOLUME specified can not be an empty string"),
)
