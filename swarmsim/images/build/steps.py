"""What each instruction does to an image's config (moby's `builder/dockerfile/dispatchers.go`).

RUN is not executed: nothing here may install something on this machine.
"""

import posixpath
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from swarmsim.go import values
from swarmsim.images.build import healthcheck, words
from swarmsim.images.build.dockerfile import Instruction
from swarmsim.images.build.words import StepFailed
from swarmsim.images.documents import PATH

#: Build arguments that need no ARG.
PREDEFINED = {
    name
    for each in ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY")
    for name in (each, each.lower())
}
_SHELL = ("/bin/sh", "-c")
_PORT = re.compile(r"(?P<first>\d+)(?:-(?P<last>\d+))?(?:/(?P<protocol>tcp|udp|sctp))?")
_HIGHEST_PORT = 65_535


@dataclass
class State:
    """How far a build has come."""

    config: dict[str, Any]
    #: Build arguments that were given and may be used once an ARG names them.
    given: Mapping[str, str]
    #: What ARGs before the FROM say.
    before: Mapping[str, str] = field(default_factory=dict)
    #: Arguments that an ARG since then has named; without a value if they have none.
    arguments: dict[str, str | None] = field(default_factory=dict)
    #: Whether the file has said CMD.
    said_command: bool = False
    #: What the engine has to say about the last step.
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not any(pair.startswith("PATH=") for pair in self.config["Env"] or ()):
            self.config["Env"] = [*(self.config["Env"] or ()), PATH]

    @property
    def values(self) -> dict[str, str]:
        """What variables stand for here: ENV counts for more than ARG."""
        known = {name: value for name, value in self.arguments.items() if value is not None}
        return known | dict(pair.partition("=")[::2] for pair in self.config["Env"] or ())

    def expand(self, text: str) -> str:
        """Put variables into one word."""
        return words.expand(text, self.values)

    @property
    def shell(self) -> list[str]:
        """What runs a command in shell form."""
        return list(self.config.get("Shell") or _SHELL)

    def command(self, instruction: Instruction) -> list[str]:
        """Return the words of a command, with the shell in front if it is for a shell."""
        shell = [] if instruction.is_json else self.shell
        return [*shell, *instruction.arguments]


def take(state: State, instruction: Instruction) -> list[str]:
    """Change the state as an instruction says; return what the history has of it.

    That is the instruction as it is written, and of a RUN the command. `notes` are what the
    engine says about it. Raises `StepFailed` in Docker's words.
    """
    state.notes = []
    if instruction.name == "RUN":
        return _command_of_run(state, instruction)
    _STEPS[instruction.name](state, instruction)
    return [instruction.text]


def _arg(state: State, instruction: Instruction) -> None:
    for word in instruction.arguments:
        name, equals, default = word.partition("=")
        otherwise = state.expand(default) if equals else state.before.get(name)
        state.arguments[name] = state.given.get(name, otherwise)


def _env(state: State, instruction: Instruction) -> None:
    pairs = [(state.expand(name), state.expand(value)) for name, value in instruction.pairs]
    env = dict(pair.partition("=")[::2] for pair in state.config["Env"] or ())
    env.update(pairs)
    state.config["Env"] = [f"{name}={value}" for name, value in env.items()]


def _label(state: State, instruction: Instruction) -> None:
    pairs = list(instruction.pairs)
    if not instruction.is_literal:
        pairs = [(state.expand(name), state.expand(value)) for name, value in pairs]
    state.config["Labels"] = {**(state.config["Labels"] or {}), **dict(pairs)}


def _workdir(state: State, instruction: Instruction) -> None:
    path = state.expand(instruction.rest)
    if not path:
        raise StepFailed("cannot normalize nothing")
    joined = posixpath.join("/", state.config["WorkingDir"], path)
    state.config["WorkingDir"] = "/" + posixpath.normpath(joined).lstrip("/")


def _cmd(state: State, instruction: Instruction) -> None:
    state.config["Cmd"] = state.command(instruction)
    state.said_command = True


def _entrypoint(state: State, instruction: Instruction) -> None:
    state.config["Entrypoint"] = state.command(instruction) if instruction.arguments else None
    if not state.said_command:  # the base image's would be no arguments for this one
        state.config["Cmd"] = None


def _expose(state: State, instruction: Instruction) -> None:
    given = words.expand_to_words(instruction.rest, state.values)
    ports = dict(state.config.get("ExposedPorts") or {})
    for text in given:
        ports.update({port: {} for port in _ports(text)})
    if ports:
        state.config["ExposedPorts"] = ports


def _ports(text: str) -> list[str]:
    found = _PORT.fullmatch(text)
    first = int(found["first"]) if found else -1
    last = int(found["last"] or first) if found else -1
    if not found or not 0 <= first <= last <= _HIGHEST_PORT:
        raise StepFailed(f"Invalid containerPort: {text.partition('/')[0]}")
    return [f"{port}/{found['protocol'] or 'tcp'}" for port in range(first, last + 1)]


def _volume(state: State, instruction: Instruction) -> None:
    paths = [state.expand(path) for path in instruction.arguments]
    state.config["Volumes"] = {
        **(state.config["Volumes"] or {}),
        **{path: {} for path in paths},
    }


def _user(state: State, instruction: Instruction) -> None:
    state.config["User"] = state.expand(instruction.rest)


def _stopsignal(state: State, instruction: Instruction) -> None:
    name = state.expand(instruction.rest)
    if values.signal_number(name) is None:
        raise StepFailed(f"Invalid signal: {name}")
    state.config["StopSignal"] = name


def _shell(state: State, instruction: Instruction) -> None:
    state.config["Shell"] = list(instruction.arguments)


def _healthcheck(state: State, instruction: Instruction) -> None:
    check = healthcheck.read(instruction.flags, instruction.rest)
    if before := state.config.get("Healthcheck"):
        state.notes.append(f"Note: overriding previous HEALTHCHECK: [{' '.join(before['Test'])}]\n")
    state.config["Healthcheck"] = {**(before or {}), **check}  # what is not said stays as it was


def _command_of_run(state: State, instruction: Instruction) -> list[str]:
    arguments = sorted(
        f"{name}={value}"
        for name, value in state.arguments.items()
        if value is not None and name not in PREDEFINED
    )
    command = state.command(instruction)
    return [f"|{len(arguments)}", *arguments, *command] if arguments else command


#: By name of the instruction.
_STEPS: dict[str, Callable[[State, Instruction], None]] = {
    step.__name__.removeprefix("_").upper(): step
    for step in (
        *(_arg, _cmd, _entrypoint, _env, _expose, _healthcheck, _label),
        *(_shell, _stopsignal, _user, _volume, _workdir),
    )
}
