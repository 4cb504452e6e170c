"""Exercises: untouched, with each known mistake, done; what can be said of one in a line."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from labkit.base import rules as base_rules
from labkit.base.rules import words
from labkit.lessons.checks import EXERCISES, Finding, content
from labkit.lessons.checks.exercise import Image
from labkit.recordings import story
from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import Change, HashesSeen, ServiceSeen, TaskSeen
from tests.claims import load
from tests.lessons.checks.cases import Case, cases, play, says, stands
from tests.lessons.checks.seen import ALL, check, evidence, notice
from tests.played import CRASHES, Played

CASES = [
    pytest.param(name, case, id=f"{name}: {claim}") for name, claim, case in cases("exercises.yaml")
]


@pytest.mark.parametrize(("name", "case"), CASES)
def test_of_an_exercise(name: str, case: Case) -> None:
    made = play(case)
    if "notice" in case:
        assert case["notice"] in notice(name, made, tags=case.get("tags", ()))
    found = check(name, made, answer=blanks(case.get("answer")))
    assert found.outcome == case.get("outcome", found.outcome), found
    says(found, case)


def blanks(answer: Any) -> Any:
    """An answer as a learner gives it: `...` stands where nothing was filled in."""
    if isinstance(answer, dict):
        return {field: blanks(value) for field, value in answer.items()}
    return ... if answer == "..." else answer


def test_every_exercise_has_claims_and_hints() -> None:
    assert ALL.keys() == {name for name, _, _ in cases("exercises.yaml")}
    assert {len(exercise.hints) for exercise in EXERCISES.values()} == {3}


@pytest.mark.parametrize("name", ["half-the-time", "never-fewer"])
def test_what_it_is_to_be_updated_to_is_there_when_it_begins(name: str) -> None:
    """Whoever begins with notebook 2 has not built it."""
    (image,) = EXERCISES[name].begins.images
    assert (image.tag, image.edits) == ("1.1", ("faster",))


def test_an_image_has_the_tag_of_its_last_edit_unless_another_is_given() -> None:
    assert Image(("faster", "one bad")).tag == "one-bad"
    assert Image(("faster",), "1.1").tag == "1.1"


def unseen_running() -> Finding:
    """The finding of an update whose new tasks were never seen running."""
    made = play({"does": [{"tag": "1.1", "parallelism": 5}]})
    seen = Recording(made.recording.header)
    for change in made.recording.changes:
        if not (isinstance(change, TaskSeen) and change.task.running and change.task.tag == "1.1"):
            seen.add(change)
    return EXERCISES["half-the-time"].judge(replace(evidence(made), recording=seen))


def test_without_a_task_that_was_seen_to_run_no_time_is_measured() -> None:
    assert unseen_running().saw == "no new task of 1.1 was seen running."


# ---- rollbacks -----------------------------------------------------------------------


def test_a_rollback_that_is_paused_is_said_to_be_so() -> None:
    found = check("which-flag", rollback_paused())
    assert "the rollback from bugged was paused" in found.saw
    assert "Tasks of 1.0, the tag of the previous spec, failed too" in found.because


def rollback_paused() -> Played:
    """The old tag fails as well by the time it comes back."""
    made = Played("1.0")
    made.update("bugged", CRASHES, seconds=1, parallelism=0, failure_action="rollback")
    made._does["1.0"] = CRASHES
    made.wait(200)
    return made


def test_a_rollback_with_nothing_to_replace_counts_though_its_start_was_not_seen() -> None:
    """It is over before anybody looks."""
    crash = {"tag": "bugged", "does": "crashes", "failure_action": "rollback"}
    made = play({"does": [crash, {"delay": "1s"}, "roll back"]})
    seen = Recording(made.recording.header)
    for change in made.recording.changes:
        status = change.service.update_status if isinstance(change, ServiceSeen) else None
        if not (status and status.message == "manually requested rollback"):
            seen.add(change)
    assert len(seen.changes) < len(made.recording.changes)

    assert EXERCISES["way-back"].judge(replace(evidence(made), recording=seen)).passed


# ---- one bad in ten ------------------------------------------------------------------


def test_a_slot_that_is_failing_already_may_hide_a_failure_or_pause_the_way_back() -> None:
    """What the restart supervisor makes is not counted; which of the two is first is chance."""
    reasons = " ".join({way_back(seed).because for seed in range(8)})
    assert "Slot 3 was failing already" in reasons
    assert "leads to one-bad, where slot 3 fails once more" in reasons
    assert "it was 0, so one failure was too many" in reasons


def way_back(seed: int) -> Finding:
    solved = {"parallelism": 5, "monitor": "15s", "max_failure_ratio": 0.2}
    solved |= {"failure_action": "rollback", "rollback": {"parallelism": 0}}
    one = {"tag": "one-bad", "does": "crashes in 3", **solved}
    three = {"tag": "three-bad", "does": "crashes in 3 6 9"}
    return check("one-bad-in-ten", play({"begins": {"seed": seed}, "does": [one, three]}))


# ---- a silent bug --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a_second", "says"),
    [
        (30, "and hashes a second fell from 30.0 to 0.0"),
        (0, "and there are still 0.0 hashes a second"),
    ],
    ids=["at first", "on a second try"],
)
def test_that_nobody_works_is_said_where_hashes_were_seen(a_second: int, says: str) -> None:
    made = Played()
    made.wait(30)
    made.update("stuck", failure_action="rollback")
    began = story.first_update(made.recording).began
    hashes = 0
    seen: list[Change] = []
    for second in range(-20, 21):
        hashes += a_second if second < 2 else 0
        at = began + timedelta(seconds=second)
        seen.append(HashesSeen(at, hashes, at.timestamp()))
    counted = Recording(made.recording.header)
    for change in sorted([*made.recording.changes, *seen], key=lambda each: each.at):
        counted.add(change)

    found = EXERCISES["silent-bug"].judge(replace(evidence(made), recording=counted))
    assert says in found.saw


# ---- the advice of the cards -----------------------------------------------------------

ADVICE: dict[str, Any] = load(Path(__file__).with_name("advice.yaml").read_text(encoding="utf-8"))
#: So many cards are enough to pass, whatever was tried before.
ROUNDS = 6


@pytest.mark.parametrize(("name", "case"), [each for each in CASES if each.values[0] in ADVICE])
def test_who_follows_the_advice_of_the_cards_passes(name: str, case: Case) -> None:
    """And no card says again what it has said before: that would be a dead end."""
    said: list[Finding] = []
    for _ in range(ROUNDS):
        found = check(name, play(case))
        assert found not in said, found
        if found.passed:
            return
        said.append(found)
        case = followed(name, case, found.try_next)
    pytest.fail("\n".join(map(str, said)))


def followed(name: str, case: Case, advice: str) -> Case:
    """The case after what somebody does who follows a card's advice."""
    does = next(does for piece, does in ADVICE[name]["advice"].items() if stands(piece, advice))
    if does[0] == "again":
        return {"begins": ADVICE[name]["begins"], "does": does[1:]}
    return {**case, "does": [*case.get("does", ()), *does]}


# ---- the rules -------------------------------------------------------------------------


def test_every_rule_is_what_some_claim_comes_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else nobody has seen that its words are true when it holds."""
    left = {id(rule): rule for rule in leaves(words(content.FINDINGS))}
    match = base_rules._match

    def matched(rules: Any, facts: Any, shared: Any) -> Any:
        found = match(rules, facts, shared)
        left.pop(id(found), None)
        return found

    monkeypatch.setattr(base_rules, "_match", matched)
    for name, _, case in cases("exercises.yaml"):
        check(name, play(case), answer=blanks(case.get("answer")))
        notice(name, play(case), tags=case.get("tags", ()))
    check("which-flag", rollback_paused())
    unseen_running()
    for seed in range(8):
        way_back(seed)

    unseen = [rule.get("saw", rule) for rule in left.values()]
    assert not unseen, "\n".join(map(str, unseen))


def leaves(said: Any) -> Iterator[dict[str, Any]]:
    """The rules in some sections that have words."""
    inside = said.values() if isinstance(said, dict) else said if isinstance(said, list) else ()
    for each in inside:
        if isinstance(said, list) and {"saw", "text"} & each.keys():
            yield each
        yield from leaves(each)
