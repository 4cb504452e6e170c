"""Claims about the room as it is drawn, and about `labkit class`, `progress` and `report`."""

import json
import os
import re
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from signal import SIGINT
from subprocess import PIPE, Popen
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from click.testing import CliRunner, Result

from labkit import cli
from labkit.lessons import room
from labkit.lessons.journal import Event, Item, Journal, Kind
from labkit.lessons.practice import activity_log as lesson
from labkit.lessons.room import Note, Room
from labkit.views.cards import room as drawing
from tests.acting import HOSTILE
from tests.values import at
from tests.views.acted import Page, assert_text_only

PLAN = [
    Item(
        *(2, "question", "pairs", "How long do pairs take?"),
        text="Two at a time, 5 s between them.",
        choices={"25s": "about 25 s", "45s": "about 45 s", "never": "it never ends"},
        beliefs={"25s": "The delay comes between the pairs."},
    ),
    Item(2, "exercise", "half-time", "In half the time"),
]


def noted(alias: str, kind: Kind, name: str = "pairs", seconds: float = 0, **more: Any) -> Note:
    told: dict[str, Any] = {"step": 2, "outcome": "", "choice": "", "answer": "", "rung": 0}
    return Note(at=at(seconds), alias=alias, kind=kind, name=name, **(told | more))


def predictions(choices: str, answer: str = "45s") -> list[Note]:
    keys = {"a": "25s", "b": "45s", "c": "never"}
    return [
        noted(f"l{n}", "compared", choice=keys[choice], answer=answer)
        for n, choice in enumerate(choices)
    ]


def lines(*notes: Note) -> list[str]:
    return drawing.text(Room(notes), PLAN).splitlines()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a class of three, who took part through the learner's side."""
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    monkeypatch.setenv("LABKIT_CLASS", str(tmp_path / "class"))
    (tmp_path / "class").mkdir()
    for who, choice in (("ada", "25s"), ("bob", "25s"), ("cyd", "never")):
        monkeypatch.setenv("LABKIT_ALIAS", who)
        room.note(
            Event(at=at(0), kind="compared", step=2, name="pairs", choice=choice, answer="45s")
        )
        room.note(Event(at=at(1), kind="checked", step=2, name="half-time", outcome="not yet"))
    monkeypatch.setattr(lesson, "plan", lambda: PLAN)
    return tmp_path / "class"


def labkit(*words: str) -> Result:
    return CliRunner().invoke(cli.main, list(words))


# ---- in a terminal -----------------------------------------------------------------


def test_the_spread_is_a_bar_an_answer_and_says_which_one_was_seen():
    assert lines(*predictions("aaabc"))[:7] == [
        "5 learners.",
        "",
        "2 · How long do pairs take?",
        "  Two at a time, 5 s between them.",
        "  about 25 s     ██████████████████████████████   3",
        "  about 45 s     ██████████                       1  ← the recordings showed this",
        "  it never ends  ██████████                       1",
    ]


def test_an_answer_that_nobody_chose_is_there_all_the_same():
    assert "  it never ends                                   0" in lines(*predictions("ab"))


@pytest.mark.parametrize(
    ("notes", "says"),
    [
        (predictions("bbbba"), "Nearly all said what the recordings showed: move on."),
        (
            predictions("aaab"),
            "Most said “about 25 s”: address that. The delay comes between the pairs.",
        ),
        (predictions("abccab"), "The answers are spread out: explain it again in other words"),
        (predictions("ab", answer=""), "No recording has answered yet"),
    ],
)
def test_a_line_says_what_to_do_next(notes: list[Note], says: str):
    assert lines(*notes)[7].strip().startswith(says)


def test_recordings_that_differ_are_said_to():
    told = "\n".join(lines(*predictions("aa"), noted("z", "compared", choice="25s", answer="25s")))
    assert told.count("← some recordings showed this") == 2


def test_who_is_where_stands_under_the_exercises():
    notes = [
        replace(noted("bob", "checked", "half-time", 0, outcome="passed"), seconds=31),
        noted("ada", "checked", "half-time", 0, outcome="not yet"),
        noted("ada", "hinted", "half-time", 9, rung=1),
        noted("ada", "stuck", "half-time", 9),
        noted("cyd", "reset", "", 9),
    ]
    clock = f"{at(0).astimezone():%H:%M}"
    told = lines(*notes)

    assert told[0] == "3 learners, 1 of them asking for help."
    assert told[-6:] == [
        "  2 · In half the time: 1 of 2 passed; the median update took 31 s",
        "",
        "Who is where",
        f"  ada: 2 · In half the time, asks for help since {clock}, 1 check, 1 hint, "
        f"there since {clock}",
        f"  bob: 2 · In half the time, passed, 1 check, there since {clock}",
        f"  cyd: notebook 2, began, there since {clock}",
    ]


def test_where_some_changed_their_mind_the_bars_say_from_what():
    notes = [*predictions("ab"), noted("l2", "predicted", choice="25s")]
    notes += [noted("l2", "predicted", seconds=1, choice="45s")]

    assert [each for each in lines(*notes) if "at first" in each] == [
        "  about 25 s     ███████████████                  1 (2 at first)",
        "  about 45 s     ██████████████████████████████   2 (1 at first)"
        "  ← the recordings showed this",
        "  it never ends                                   0 (0 at first)",
    ]


def test_what_the_lesson_does_not_know_goes_by_its_name():
    told = lines(noted("ada", "predicted", "of-old", choice="x"))
    assert told[2] == "2 · of-old"
    assert told[3].split() == ["x", "█" * 30, "1"]


def test_what_was_left_out_is_counted():
    assert drawing.text(Room(tuple(predictions("a")), 1, 2), {}).startswith(
        "1 learner, 1 other file left out, 2 torn lines left out."
    )


# ---- as a page ---------------------------------------------------------------------


def test_the_page_draws_the_same_and_asks_for_nothing():
    html = drawing.page(Room(tuple(predictions("aaab"))), PLAN)
    found = Page(html)

    assert "about 45 s◂ the recordings showed this" in found.text
    assert "address that" in found.text
    assert ("style", "--share:75.0%") in found.attributes
    assert {"script", "link", "img"} & set(found.names) == set()
    assert not [name for name, _ in found.attributes if name in ("src", "href")]
    assert "@import" not in html
    assert "url(" not in html


def test_no_alias_and_no_answer_is_markup_or_steers_a_terminal():
    notes = [
        noted(HOSTILE, "compared", HOSTILE, choice=HOSTILE, answer=HOSTILE),
        noted(HOSTILE, "checked", HOSTILE, outcome="not yet"),
    ]
    notes += [noted(HOSTILE, "stuck", HOSTILE)]
    html, told = drawing.page(Room(tuple(notes)), {}), drawing.text(Room(tuple(notes)), {})

    assert_text_only(html)
    assert not {"\x1b", "\u202e"} & {*told}


# ---- the commands ------------------------------------------------------------------


def test_labkit_class_prints_the_room(folder: Path):
    ended = labkit("class", str(folder))
    assert ended.exit_code == 0, ended.output
    assert ended.output.startswith("3 learners.\n\n2 · How long do pairs take?\n")
    assert "0 of 3 passed" in ended.output


def test_labkit_class_serves_it_live_to_who_has_its_address(folder: Path):
    command = [sys.executable, "-m", "labkit", "class", str(folder), "--serve"]
    with Popen(
        command, stdout=PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    ) as serving:
        address = re.search(r"http\S+", serving.stdout.readline())[0]
        with urlopen(address) as answer:
            page = answer.read().decode()
        for wrong in (address.partition("?")[0], address + "x"):
            with pytest.raises(HTTPError) as refused:
                urlopen(wrong)
            refused.value.close()
            assert refused.value.code == 403
        taken = labkit("class", str(folder), "--serve", "--port", f"{urlsplit(address).port}")
        serving.send_signal(SIGINT)

    assert ("2 · pairs" in page, "<script>" in page, "live" in page) == (True, True, True)
    assert (taken.exit_code, "Try:      leave --port out" in taken.stderr) == (1, True)
    assert serving.returncode == 0


def test_labkit_class_writes_a_page(folder: Path, tmp_path: Path):
    page = tmp_path / "class.html"
    ended = labkit("class", str(folder), "-o", str(page))
    assert ended.output == f"{page}: open it in a browser.\n"
    assert "How long do pairs take?" in page.read_text()
    refused = labkit("class", str(folder), "-o", str(tmp_path / "none" / "x.html"))
    assert (refused.exit_code, "Traceback" in refused.output) == (1, False)


def test_labkit_class_speaks_json(folder: Path):
    ended = labkit("class", str(folder), "--json")
    told = json.loads(ended.output)

    assert ended.output.isascii(), "a terminal obeys nothing in it"
    assert told["learners"] == ["ada", "bob", "cyd"]
    question = told["questions"][0]
    assert question["advice"] == {"what": "address", "choice": "25s"}
    assert question["answers"][1] == {
        "key": "45s",
        "label": "about 45 s",
        "at_first": 0,
        "chosen": 0,
        "shown": 3,
    }
    place = told["places"][0]
    assert datetime.fromisoformat(place["since"]) == at(1)
    assert (place["alias"], place["outcome"], place["checks"]) == ("ada", "not yet", 1)
    assert place["asks_since"] is None


@pytest.mark.parametrize("where", ["", "nosuch", "a file"])
def test_a_folder_without_a_class_ends_in_1_with_a_sentence(tmp_path: Path, where: str):
    (tmp_path / "a file").touch()
    ended = labkit("class", str(tmp_path / where))
    assert ended.exit_code == 1
    assert "Expected:" in ended.stderr
    assert "Traceback" not in ended.output


def test_json_and_a_page_at_once_are_wrong_usage(folder: Path):
    assert labkit("class", str(folder), "--json", "-o", "x.html").exit_code == 2
    assert labkit("class", str(folder), "--json", "--serve").exit_code == 2


def test_what_the_lesson_asks_is_known_to_the_room():
    """Titles and labels in `labkit class` are those that learners read."""
    told = lesson.plan()
    assert told, "a lesson has questions and exercises"
    for item in told:
        assert item.title, item.name
        assert item.text, item.name
        assert set(item.choices) == set(item.beliefs), item.name


def test_progress_and_report_are_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    name = lesson.plan()[0].name
    journal = Journal(tmp_path / ".labkit" / "progress.jsonl")
    seen = Event(at=at(0), kind="compared", step=1, name=name, choice="a", saw="It took 51 s.")
    for event in (seen, replace(seen, kind="checked", outcome="passed")):  # whichever it is
        journal.add(event)

    facts = json.loads(labkit("progress", "--json").output)
    assert [each["name"] for each in facts if each["done"]] == [name]
    assert "next: " in labkit("progress").output

    page = tmp_path / "r.html"
    assert labkit("report", "-o", str(page)).exit_code == 0
    assert "It took 51 s." in page.read_text()
