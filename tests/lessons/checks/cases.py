"""Claims that are written as data: what is done to the worker, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from labkit.base.quoted import unmarked
from swarmsim.model import Behaviour
from tests.lessons.checks.lesson import SLOW
from tests.played import CRASHES, DEAF, RUNS, Does, Played

Case = dict[str, Any]

_NAMED = {"runs": RUNS, "crashes": CRASHES, "deaf": DEAF, "slow": SLOW}
_KEYS = {"does", "outcome", "choice", "settled", "notice", "tags"}
#: What may be said of the texts of a finding or a reading: that a piece is in them, or is not.
_TEXTS = {"saw", "because", "try_next", "not_saw", "not_because", "not_try_next"}


def cases(file: str) -> Iterator[tuple[str, str, Case]]:
    """Yield an exercise or a question, a claim of it, and its case, of all in a file."""
    text = Path(__file__).with_name(file).read_text(encoding="utf-8")
    for group in yaml.safe_load(text):
        for claim, case in group["cases"].items():
            assert case.keys() <= _KEYS | _TEXTS, claim
            for name in group["of"]:
                yield name, claim, {"begins": group.get("begins", {}), **case}


def play(case: Case) -> Played:
    """Return a service that has come to be as a case has it."""
    made = Played(**_with_behaviour(case["begins"]))
    made.wait(1)
    for step in case.get("does", ()):
        match step:
            case "roll back":
                made.roll_back()
            case "remove":
                made.cluster.remove_service(made._service.id)
                made.wait(60)
            case {"roll back": seconds}:
                made.roll_back(seconds)
            case _:
                made.update(**_with_behaviour(step))
    return made


def says(found: object, case: Case) -> None:
    """Require that the texts of a finding or a reading have the pieces that a case names."""
    for part in ("saw", "because", "try_next"):
        text = getattr(found, part)
        for piece in _pieces(case.get(part, ())):
            assert piece in text or piece in unmarked(text), found
        for piece in _pieces(case.get(f"not_{part}", ())):
            assert piece not in text, found


def _pieces(given: str | list[str]) -> list[str]:
    return [given] if isinstance(given, str) else list(given)


def _with_behaviour(step: dict[str, Any]) -> dict[str, Any]:
    return {**step, "does": _does(step["does"])} if "does" in step else step


def _does(given: str | dict[str, Any]) -> Does:
    if isinstance(given, dict):
        return Behaviour(**given)
    does, _, where = given.partition(" in ")
    slots = {int(slot) for slot in where.split()}
    if not slots:
        return _NAMED[does]
    return lambda slot: _NAMED[does] if slot in slots else RUNS
