"""`labkit doctor`: what is here, missing or slow, each with how to fix it.

Looking changes nothing: what it tries (`engines.private.network.problem`) is gone with the
attempt. Each check gives one `Line`; what depends on an engine says so where there is none; it
is not left out.

    line      one finding, made of facts by the rules in `lines.yaml`
    machine   what this machine has, what it may start, and what the lesson brings along
    engine    what answers, and what is on it
"""

import json
from dataclasses import asdict

from labkit import engines
from labkit.base.errors import LabError
from labkit.cli.doctor import engine, machine
from labkit.cli.doctor.line import Line, Verdict

__all__ = ["Line", "Verdict", "as_json", "examine"]


def examine() -> list[Line]:
    """Look at everything, and return a line for each."""
    lines = [look() for look in machine.LINES]
    try:
        found = engines.find()
    except LabError as problem:
        return [*lines, engine.answering(None, problem), machine.registry()]
    return [*lines, *engine.lines(found), machine.registry()]


def as_json(lines: list[Line]) -> str:
    """Return the lines for a machine: a list of objects."""
    return json.dumps([asdict(line) for line in lines], indent=1, ensure_ascii=False)
