"""Claims that are written as data: what is done to the worker, and what is said of it."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from labkit.base.rules import unmarked
from swarmsim.model import Behaviour
from tests.claims import claims
from tests.played import CRASHES, DEAF, RUNS, Does, Played

Case = dict[str, Any]

_NAMED = {
    "runs": RUNS,
    "crashes": CRASHES,
    "deaf": DEAF,
    "slow": Behaviour(healthy_after="60s"),  # type: ignore[arg-type]
}
#: What a claim may say beside the texts of a finding or a reading.
_KEYS = {"does", "outcome", "choice", "settled", "notice", "tags", "answer", "later"}
_KEYS |= {"attempts", "looked"}
#: What may be said of those: that a piece is in them, or is not.
_TEXTS = {"saw", "because", "try_next", "not_saw", "not_because", "not_try_next"}


def cases(file: str) -> Iterator[tuple[str, str, Case]]:
    """Yield an exercise or a question, a claim of it, and its case, of all in a file."""
    for group in claims(str(Path(__file__).with_name(file))):
        shared = {"begins": group.get("begins", {}), "does": group.get("does", [])}
        for claim, case in group["cases"].items():
            assert case.keys() <= _KEYS | _TEXTS, claim
            for name in group.get("of", [""]):
                yield name, claim, shared | case


def play(case: Case) -> Played:
    """Return a service that has come to be as a case has it; nothing more is done to it."""
    return _played(json.dumps([case.get("begins", {}), case.get("does", [])]))


@cache
def _played(steps: str) -> Played:
    begins, does = json.loads(steps)
    made = Played(**_with_behaviour(begins))
    made.wait(1)
    for step in does:
        match step:
            case "roll back":
                made.roll_back()
            case {"roll back": seconds}:
                made.roll_back(seconds)
            case "remove":
                _remove(made, 60)
            case {"remove": seconds}:
                _remove(made, seconds)
            case int() | float():
                made.wait(step)
            case _:
                made.update(**_with_behaviour(step))
    return made


def _remove(made: Played, seconds: float) -> None:
    made.cluster.remove_service(made._service.id)
    made.wait(seconds)


def says(found: object, case: Case) -> None:
    """Require that the texts of a finding or a reading have the pieces that a case names.

    A piece that begins with `^` begins the text, and one that ends with `$` ends it.
    """
    for part in ("saw", "because", "try_next"):
        text = getattr(found, part)
        for piece in _pieces(case.get(part, ())):
            assert stands(piece, text) or stands(piece, unmarked(text)), found
        for piece in _pieces(case.get(f"not_{part}", ())):
            assert piece not in text, found


def stands(piece: str, text: str) -> bool:
    """Whether a piece is in a text, in the place that it says."""
    bare = piece.removeprefix("^").removesuffix("$")
    return (
        bare in text
        and (not piece.startswith("^") or text.startswith(bare))
        and (not piece.endswith("$") or text.endswith(bare))
    )


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
