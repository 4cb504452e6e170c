"""Rules: the first that holds, and that those of the lesson name only facts that there are."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from jinja2 import UndefinedError, meta

from labkit.base import rules
from labkit.base.rules import words
from labkit.lessons.checks import EXERCISES, QUESTIONS, content
from tests.lessons.checks.lesson import recorded
from tests.lessons.checks.seen import check, notice
from tests.played import CRASHES, Played

SAID = {
    "shared": {"texts": {"how": "after {{ took|s }}"}, "settings": [{"when": "delay", "saw": "D"}]},
    "an exercise": {
        "texts": {"how much": '{{ 2|counted("slot") }}'},
        "rules": [
            {"when": "state == 'paused'", "saw": 'It was paused {{ say("how") }}.'},
            {"when": "state == 'completed'", "rules": "settings"},
            {"when": "state == 'completed'", "rules": [{"when": "slots", "saw": "{{ slots }}"}]},
            {"saw": '{{ say("how much") }}, delay {{ delay }}'},
        ],
    },
}
FACTS: dict[str, Any] = {"state": "", "delay": timedelta(0), "took": timedelta(seconds=4)}


@pytest.mark.parametrize(
    ("facts", "saw"),
    [
        ({"state": "paused", "delay": timedelta(seconds=1)}, "It was paused after 4.0 s."),
        ({"state": "completed", "delay": timedelta(seconds=1)}, "D"),
        ({"state": "completed", "slots": 3}, "3"),
        ({"state": "completed", "slots": 0}, "2 slots, delay 0s"),
        ({"state": "updating"}, "2 slots, delay 0s"),
    ],
)
def test_the_first_rule_that_holds_says_how_things_stand(monkeypatch, facts, saw):
    monkeypatch.setattr(rules, "words", lambda _: SAID)
    assert rules.first(Path("a file"), "an exercise", FACTS | facts) == {"saw": saw}


def test_where_no_rule_holds_nothing_is_said(monkeypatch):
    monkeypatch.setattr(rules, "words", lambda _: SAID)
    assert rules.first(Path("a file"), "an exercise", FACTS, "notice") == {}


def test_a_fact_that_is_missing_is_no_condition_that_does_not_hold(monkeypatch):
    monkeypatch.setattr(rules, "words", lambda _: SAID)
    with pytest.raises(UndefinedError, match="slots"):
        rules.first(Path("a file"), "an exercise", FACTS | {"state": "completed"})


# ---- those of the lesson -------------------------------------------------------------------


def sources(said: Any, shared: Mapping[str, Any]) -> Iterator[str]:
    """Every condition and every text in rules, those of shared lists among them."""
    if isinstance(said, str):
        yield said
    for rule in said if isinstance(said, list) else ():
        for key, value in rule.items():
            if key == "rules" and isinstance(value, str):
                yield from sources(shared[value], shared)
            elif key == "when":
                yield f"{{{{ {value} }}}}"
            else:
                yield from sources(value, shared)


def named(file: Path, section: str) -> set[str]:
    """The facts that a section of a file names."""
    said, shared = words(file)[section], words(file)["shared"]
    texts = dict(shared.get("texts", {}), **said.get("texts", {}))
    every = [*sources(said["rules"], shared), *sources(said.get("notice", []), shared)]
    every += [texts[key] for key in texts if any(f'say("{key}")' in source for source in every)]
    return set().union(
        *(meta.find_undeclared_variables(rules.environment().parse(source)) for source in every)
    )


@pytest.fixture
def known(monkeypatch) -> set[str]:
    """The names of the facts that rules were asked with."""
    found: set[str] = {"say"}

    def first(*of: Any) -> dict[str, str]:
        found.update(of[2])
        return {"outcome": "passed", "saw": "it", "because": "asked"}

    monkeypatch.setattr(rules, "first", first)
    return found


@pytest.mark.parametrize("name", EXERCISES)
def test_the_rules_of_an_exercise_name_only_facts_that_it_has(name: str, known: set[str]) -> None:
    made = Played("deaf")
    notice(name, made)
    made.update("1.1")
    made.update("bugged", CRASHES, failure_action="rollback")
    check(name, made, answer={"parallelism": 2})
    made.update("1.0")
    check(name, made, answer={"parallelism": 2})

    assert named(content.FINDINGS, name) <= known


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_readings_of_a_question_name_only_facts_that_it_has(name: str, known: set[str]) -> None:
    QUESTIONS[name].read(recorded(name))
    assert named(content.READINGS, name) <= known
