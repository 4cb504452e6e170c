"""What each instruction does to an image's config, and what it is called in the history.

The words of the history are those of moby's `builder/dockerfile/dispatchers.go`. RUN is not
executed: nothing here may install something on this machine.
"""

import posixpath
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from swarmsim.go import durations, values
from swarmsim.go.gojson import quoted
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
    """Where a stage of a build has come to."""

    config: dict[str, Any]
    #: Build arguments that were given and may be used once an ARG names them.
    given: Mapping[str, str]
    #: What ARGs before the first FROM say.
    before: Mapping[str, str] = field(default_factory=dict)
    #: Arguments that an ARG of this stage has named; without a value if they have none.
    arguments: dict[str, str | None] = field(default_factory=dict)
    #: Whether this stage has said CMD.
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

    def nop(self, text: str, *, blanks: int = 2) -> list[str]:
        """Return the command that Docker notes for a step that runs nothing."""
        return [*self.shell, "#(nop)" + " " * (blanks - 1), text]


def take(state: State, instruction: Instruction) -> list[str]:
    """Change the state as an instruction says; return the command that is noted for it.

    `notes` are what the engine says about it. Raises `StepFailed` in Docker's words.
    """
    state.notes = []
    return _STEPS[instruction.name](state, instruction)


def _arg(state: State, instruction: Instruction) -> list[str]:
    noted = []
    for word in instruction.arguments:
        name, equals, default = word.partition("=")
        value = state.expand(default) if equals else None
        noted.append(f"{name}={value}" if equals else name)
        otherwise = value if equals else state.before.get(name)
        state.arguments[name] = state.given.get(name, otherwise)
    return state.nop(f"ARG {' '.join(noted)}")


def _env(state: State, instruction: Instruction) -> list[str]:
    pairs = [(state.expand(name), state.expand(value)) for name, value in instruction.pairs]
    env = dict(pair.partition("=")[::2] for pair in state.config["Env"] or ())
    env.update(pairs)
    state.config["Env"] = [f"{name}={value}" for name, value in env.items()]
    return state.nop("ENV " + " ".join(f"{name}={value}" for name, value in pairs))


def _label(state: State, instruction: Instruction) -> list[str]:
    pairs = list(instruction.pairs)
    if not instruction.is_literal:
        pairs = [(state.expand(name), state.expand(value)) for name, value in pairs]
    state.config["Labels"] = {**(state.config["Labels"] or {}), **dict(pairs)}
    return state.nop("LABEL " + " ".join(f"{name}={value}" for name, value in pairs))


def _workdir(state: State, instruction: Instruction) -> list[str]:
    path = state.expand(instruction.rest)
    if not path:
        raise StepFailed("cannot normalize nothing")
    joined = posixpath.join("/", state.config["WorkingDir"], path)
    state.config["WorkingDir"] = "/" + posixpath.normpath(joined).lstrip("/")
    return state.nop(f"WORKDIR {state.config['WorkingDir']}", blanks=1)


def _cmd(state: State, instruction: Instruction) -> list[str]:
    state.config["Cmd"] = state.command(instruction)
    state.said_command = True
    return state.nop(f"CMD {_go_list(state.config['Cmd'])}")


def _entrypoint(state: State, instruction: Instruction) -> list[str]:
    state.config["Entrypoint"] = state.command(instruction) if instruction.arguments else None
    if not state.said_command:  # the base image's would be no arguments for this one
        state.config["Cmd"] = None
    return state.nop(f"ENTRYPOINT {_go_list(state.config['Entrypoint'] or [])}")


def _expose(state: State, instruction: Instruction) -> list[str]:
    given = words.expand_to_words(instruction.rest, state.values)
    ports = dict(state.config.get("ExposedPorts") or {})
    for text in given:
        ports.update({port: {} for port in _ports(text)})
    if ports:
        state.config["ExposedPorts"] = ports
    return state.nop("EXPOSE " + " ".join(sorted(given)))


def _ports(text: str) -> list[str]:
    found = _PORT.fullmatch(text)
    first = int(found["first"]) if found else -1
    last = int(found["last"] or first) if found else -1
    if not found or not 0 <= first <= last <= _HIGHEST_PORT:
        raise StepFailed(f"Invalid containerPort: {text.partition('/')[0]}")
    return [f"{port}/{found['protocol'] or 'tcp'}" for port in range(first, last + 1)]


def _volume(state: State, instruction: Instruction) -> list[str]:
    paths = [state.expand(path) for path in instruction.arguments]
    state.config["Volumes"] = {
        **(state.config["Volumes"] or {}),
        **{path: {} for path in paths},
    }
    return state.nop(f"VOLUME [{' '.join(paths)}]")


def _user(state: State, instruction: Instruction) -> list[str]:
    state.config["User"] = state.expand(instruction.rest)
    return state.nop(f"USER {state.config['User']}")


def _stopsignal(state: State, instruction: Instruction) -> list[str]:
    name = state.expand(instruction.rest)
    if values.signal_number(name) is None:
        raise StepFailed(f"Invalid signal: {name}")
    state.config["StopSignal"] = name
    return state.nop(f"STOPSIGNAL {name}")


def _shell(state: State, instruction: Instruction) -> list[str]:
    state.config["Shell"] = list(instruction.arguments)
    return state.nop(f"SHELL [{' '.join(instruction.arguments)}]")


def _healthcheck(state: State, instruction: Instruction) -> list[str]:
    check = healthcheck.read(instruction.flags, instruction.rest)
    if before := state.config.get("Healthcheck"):
        state.notes.append(f"Note: overriding previous HEALTHCHECK: [{' '.join(before['Test'])}]\n")
    state.config["Healthcheck"] = {**(before or {}), **check}  # what is not said stays as it was
    lengths = [
        quoted(durations.to_text(durations.from_nanoseconds(check.get(key, 0))))
        for key in ("Interval", "Timeout", "StartPeriod", "StartInterval")
    ]
    retries = repr(chr(check.get("Retries", 0)))  # Go prints the number as a character
    noted = f"{{{_go_list(check['Test'])} {' '.join(lengths)} {retries}}}"
    return state.nop(f"HEALTHCHECK &{noted}")


def _run(state: State, instruction: Instruction) -> list[str]:
    arguments = sorted(
        f"{name}={value}"
        for name, value in state.arguments.items()
        if value is not None and name not in PREDEFINED
    )
    command = state.command(instruction)
    return [f"|{len(arguments)}", *arguments, *command] if arguments else command


def _go_list(texts: list[str]) -> str:
    return f"[{' '.join(quoted(text) for text in texts)}]"


#: By name of the instruction.
_STEPS: dict[str, Callable[[State, Instruction], list[str]]] = {
    step.__name__.removeprefix("_").upper(): step
    for step in (
        *(_arg, _cmd, _entrypoint, _env, _expose, _healthcheck, _label),
        *(_run, _shell, _stopsignal, _user, _volume, _workdir),
    )
}
