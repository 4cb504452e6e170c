"""Claims about what a check says."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from string import Formatter

import pytest

from labkit.base.errors import BadValue
from labkit.lessons.checks import exercises
from labkit.lessons.checks.content import words
from labkit.lessons.checks.finding import Finding


def test_a_finding_says_what_was_seen_why_and_what_to_try():
    found = Finding("not yet", "two slots were empty.", "The order is stop-first.", "start-first.")

    assert str(found) == (
        "… not yet: two slots were empty.\n  The order is stop-first.\n  Try: start-first."
    )
    assert not found.passed


def test_a_pass_has_a_reason_too_and_nothing_to_try():
    found = Finding("passed", "it took 13 s.", "Five slots went at a time.")

    assert found.passed
    assert str(found) == "✓ passed: it took 13 s.\n  Five slots went at a time."


def test_the_three_outcomes_differ_in_a_mark_that_is_no_colour():
    found = [
        Finding("passed", "a", "b"),
        Finding("not yet", "a", "b", "c"),
        Finding("not attempted", "a", "b", "c"),
    ]

    assert [each.mark for each in found] == ["✓", "…", "○"]


@pytest.mark.parametrize(("saw", "because"), [("", "why"), ("what", "")])
def test_a_finding_without_a_reason_or_an_observation_is_refused(saw, because):
    with pytest.raises(BadValue):
        Finding("passed", saw, because)


@pytest.mark.parametrize("outcome", ["not yet", "not attempted"])
def test_whoever_has_not_passed_is_told_one_thing_to_try(outcome):
    with pytest.raises(BadValue):
        Finding(outcome, "what", "why")


FILES = sorted(Path(exercises.__file__).parent.glob("*.py"))


def said(module: Path) -> dict[str, set[str]]:
    """Each key of the file of findings that a module names, with the values that it gives."""
    calls = [node for node in ast.walk(ast.parse(module.read_text())) if isinstance(node, ast.Call)]
    found: dict[str, set[str]] = {}
    for call in calls:
        if isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) == "_SAY":
            for key in ast.walk(call.args[0]):
                if isinstance(key, ast.Constant):
                    given = {str(word.arg) for word in call.keywords}
                    found[str(key.value)] = found.get(str(key.value), given) & given
    return found


def wanted(text: str) -> set[str]:
    """The values that a text of the file has room for."""
    fields = (name for _, name, _, _ in Formatter().parse(text) if name)
    return {re.split(r"[.\[]", name)[0] for name in fields}


@pytest.mark.parametrize("module", FILES, ids=lambda path: path.stem)
def test_every_finding_has_its_words_and_they_get_their_values(module: Path) -> None:
    section = words("exercises/findings").get(module.stem, {})
    for key, given in said(module).items():
        texts = section[key].values() if isinstance(section[key], dict) else [section[key]]
        assert set().union(*map(wanted, texts)) <= given, key
