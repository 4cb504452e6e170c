"""Claims about words: text that stays text, stages, and how the failure budget is put."""

from typing import Any

import pytest

from labkit.base.rules import unmarked, verbatim
from labkit.lessons.checks.finding import Finding
from labkit.recordings.update.tracker import Budget
from labkit.recordings.values import UpdateConfig
from labkit.views.cards import cards
from labkit.views.state.sentences import budget_words
from labkit.views.state.stages import stage
from labkit.views.state.words import for_html, plain, prose
from tests.claims import each_claim
from tests.values import task


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("task: non-zero exit (1)", "task: non-zero exit (1)"),
        ("a\nb\x1b[31m", "a\\nb\\x1b[31m"),
        ("\u202eright to left", "\\u202eright to left"),
        ("naïve 漢字", "naïve 漢字"),
        ("x" * 2000, "x" * 999 + "…"),
        ("\ud800", "\\ud800"),
    ],
)
def test_every_character_can_be_seen(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_html_shows_exactly_the_text() -> None:
    assert for_html('<b title="x">&') == "&lt;b title=&#34;x&#34;&gt;&amp;"


@each_claim(__file__, "prose", "text", "html")
def test_the_little_markdown_of_the_lesson_is_set_as_such(text: str, html: str):
    assert prose(text) == html


ERROR = 'invalid argument "`x`" for *flag*: **not** <b> \x1b[31m'


@pytest.mark.parametrize("around", ["{}", "failed ({}).", "`{}`", "**{}** *so*", "one\n{}\ntwo"])
def test_an_engines_words_are_shown_as_they_are_wherever_they_stand(around: str):
    html = prose(around.format(verbatim(ERROR)))
    assert for_html(ERROR) in html
    assert html == prose(around.format("X")).replace("X", for_html(ERROR))


def test_of_several_engines_words_each_is_in_its_place():
    said = f"{verbatim('a `1`')} *then* {verbatim('b *2*')}{verbatim('')}"
    assert prose(said) == "a `1` <i>then</i> b *2*"


def test_an_engine_cannot_end_its_words_itself():
    """Nor can what is cut, or has numbers of its own, be taken for anything else."""
    said = verbatim("\ufffb**x**\ufff9\ufffb**y**")
    assert prose(said) == "**x****y**"
    assert prose(said[:-2]) == "**x****y*"
    assert prose("\x010\x01 " + verbatim("`x`")) == "\\x010\\x01 `x`"


def test_what_is_plain_text_has_no_marks():
    """A screen would show them as nothing, or as boxes."""
    saw = f"it failed ({verbatim(ERROR)})."

    for said in (
        str(cards.finding(Finding("not yet", saw, "So.", "again."))),
        plain(saw),
        unmarked(saw),
    ):
        assert not {"\ufff9", "\ufffb"} & set(said)
        assert "`x`" in said


@each_claim(__file__, "stages", "state", "desired", "meant")
def test_a_stage_goes_by_state_and_desired_state(state: str, desired: str, meant: str):
    assert stage(task(1, state=state, desired_state=desired)) == meant


@each_claim(__file__, "budget", "case")
def test_the_budget_is_put_as_swarm_counts(case: dict[str, Any]) -> None:
    """One more than what is tolerated triggers the action."""
    config = UpdateConfig(failure_action=case["action"], max_failure_ratio=case.get("ratio", 0))
    missed = tuple(case.get("missed", ()))
    budget = Budget(
        of=case.get("of", "update"),
        failures=case.get("failures", 0),
        missed=missed,
        slots=10,
        config=config,
    )

    assert " ".join(budget_words(budget, case["state"])) == case["says"]
