"""Claims about the room: what a learner's side writes, and what an instructor's side reads."""

import json
import os
import secrets
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple
from itertools import count
from pathlib import Path
from stat import S_IMODE
from threading import Barrier
from typing import Any, get_args

import pytest

from labkit.base import settings
from labkit.base.errors import BadValue, LabError
from labkit.base.rules import words
from labkit.lessons import room
from labkit.lessons.journal import Event, Kind, Progress
from labkit.lessons.room import noting
from labkit.views.cards.report import Report
from tests.acting import HOSTILE
from tests.claims import each_claim
from tests.values import at


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A learner of their own, in no room."""
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("LABKIT_CLASS", raising=False)
    monkeypatch.delenv("LABKIT_ALIAS", raising=False)
    monkeypatch.setattr(noting, "_said", set())
    return tmp_path / "home"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "class"
    made.mkdir()
    return made


@pytest.fixture
def ada(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A learner who is in the room as `ada`; gives their file."""
    monkeypatch.setenv("LABKIT_CLASS", str(folder))
    monkeypatch.setenv("LABKIT_ALIAS", "ada")
    return folder / "ada.jsonl"


def event(kind: Any, **more: Any) -> Event:
    return Event(**{"at": at(0), "kind": kind, "step": 2, "name": "pairs"} | more)


def line(alias: str, kind: str, name: str = "pairs", seconds: float = 0, **more: Any) -> dict:
    told = {"step": 2, "outcome": "", "choice": "", "answer": "", "rung": 0}
    row = {"schema": 1, "at": at(seconds).isoformat(), "alias": alias, "kind": kind, "name": name}
    return row | told | more


def file(folder: Path, name: str, *rows: Any) -> Path:
    path = folder / f"{name}.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


# ---- the learner's side ------------------------------------------------------------


def test_a_room_that_is_off_writes_nothing_and_says_nothing(home: Path, capsys):
    room.note(event("checked", outcome="passed"))
    assert room.announcement() == ""
    assert capsys.readouterr().out == ""
    assert not home.exists()


def test_a_line_has_what_was_chosen_and_nothing_of_the_learner(ada: Path):
    private = {"why": "my words", "saw": "seen", "because": "b", "try_next": "t"}
    room.note(event("compared", choice="50s", answer="70s", recording="/home/ada/x", **private))

    assert json.loads(ada.read_text()) == {
        "schema": 1,
        "at": "2026-03-01T09:00:00+00:00",
        "alias": "ada",
        "kind": "compared",
        "step": 2,
        "name": "pairs",
        "outcome": "",
        "choice": "50s",
        "answer": "70s",
        "rung": 0,
        "seconds": 0,
    }


def test_that_a_solution_was_seen_is_not_noted(ada: Path):
    for kind in get_args(Kind):
        room.note(event(kind))
    kinds = {json.loads(each)["kind"] for each in ada.read_text().splitlines()}
    assert kinds == {*get_args(Kind)} - {"solved"}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
@pytest.mark.parametrize(("folder_s", "file_s"), [(0o755, 0o644), (0o3773, 0o640)])
def test_a_folder_that_gives_its_group_to_a_file_keeps_it_from_others(ada, folder_s, file_s):
    before = os.umask(0)
    ada.parent.chmod(folder_s)
    room.note(event("checked"))
    os.umask(before)
    assert S_IMODE(ada.stat().st_mode) == file_s


@pytest.mark.usefixtures("ada")
def test_a_card_says_that_the_room_is_on_and_under_which_alias(monkeypatch):
    assert "**ada**" in room.sign()
    monkeypatch.delenv("LABKIT_CLASS")
    assert room.sign() == ""


def test_an_alias_is_drawn_once_and_is_no_login(home: Path, monkeypatch):
    monkeypatch.setenv("USER", "ada")
    drawn = room.alias()

    assert room.alias() == drawn
    assert noting.kept() == drawn == (home / ".labkit" / "alias").read_text().strip()
    first, second = drawn.split("-")
    assert first in words(noting._WORDS)["first"].split()
    assert second in words(noting._WORDS)["second"].split()


def test_a_drawn_alias_is_nobody_elses_in_the_room(folder: Path, monkeypatch):
    monkeypatch.setenv("LABKIT_CLASS", str(folder))
    drawn = iter(["calm", "otter", "calm", "heron"])
    monkeypatch.setattr(secrets, "choice", lambda _: next(drawn))
    file(folder, "calm-otter")
    assert room.alias() == "calm-heron"


def test_two_kernels_that_draw_at_the_same_moment_are_one_learner(home: Path):
    """Neither sees that the other has drawn one before both have."""
    both = Barrier(2)
    write = Path.write_text

    def written(path: Path, text: str, **how: str) -> None:
        write(path, text, **how)
        both.wait(timeout=10)

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(2) as pool:
        patch.setattr(Path, "write_text", written)
        for _ in range(20):
            drawn = [each.result() for each in [pool.submit(room.alias) for _ in range(2)]]
            assert drawn == [noting.kept()] * 2
            assert [path.name for path in (home / ".labkit").iterdir()] == ["alias"]
            (home / ".labkit" / "alias").unlink()


def test_where_there_are_no_links_an_alias_is_kept_all_the_same(home: Path, monkeypatch):
    def refused(*_: object) -> None:
        raise OSError("not supported")

    monkeypatch.setattr(os, "link", refused)

    assert room.alias() == room.alias() == noting.kept()
    assert [path.name for path in (home / ".labkit").iterdir()] == ["alias"]


def test_a_browser_s_python_which_has_no_links_keeps_an_alias(monkeypatch):
    monkeypatch.delattr(os, "link")
    assert room.alias() == noting.kept()


def test_a_kept_alias_that_cannot_be_one_is_drawn_anew(home: Path):
    (home / ".labkit").mkdir(parents=True)
    (home / ".labkit" / "alias").write_text("../../ada\n")
    assert noting.FORM.fullmatch(room.alias())


@pytest.mark.parametrize("chosen", ["../ada", "a b", "ada/x", "a" * 41, "ädä", HOSTILE, "a\n"])
def test_a_chosen_alias_that_is_none_is_refused(monkeypatch, folder: Path, chosen: str, capsys):
    monkeypatch.setenv("LABKIT_CLASS", str(folder))
    monkeypatch.setenv("LABKIT_ALIAS", chosen)

    with pytest.raises(BadValue, match="letters, digits, - and _"):
        room.alias()
    room.note(event("checked"))
    assert list(folder.iterdir()) == []
    assert "letters, digits, - and _" in capsys.readouterr().out
    assert "letters, digits, - and _" in room.announcement()


def test_the_announcement_says_what_is_logged_where_and_under_which_alias(ada: Path):
    said = room.announcement()
    assert str(ada) in said
    assert "alias ada" in said
    assert not ada.exists(), "saying it writes nothing"


def test_a_folder_that_cannot_be_written_costs_one_sentence(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.setenv("LABKIT_CLASS", str(tmp_path / "none"))

    room.note(event("checked"))
    room.note(event("checked"))

    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert said.startswith("The room's log was not written: ")
    assert not (tmp_path / "none").exists(), "one that is made here is seen by nobody"


@pytest.mark.parametrize("where", ["nul\0", "ada.jsonl"])
def test_a_folder_that_is_none_costs_no_check(tmp_path: Path, monkeypatch, where: str):
    (tmp_path / "ada.jsonl").touch()
    monkeypatch.setattr(settings, "class_folder", lambda: tmp_path / where)
    room.note(event("checked"))
    assert len(noting._said) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such links")
def test_a_link_in_the_room_is_not_written_through(ada: Path, tmp_path: Path):
    (tmp_path / "mine").write_text("mine")
    ada.symlink_to(tmp_path / "mine")
    room.note(event("checked"))
    assert (tmp_path / "mine").read_text() == "mine"


# ---- the instructor's side ---------------------------------------------------------


def test_what_learners_wrote_is_gathered(folder: Path, monkeypatch):
    monkeypatch.setenv("LABKIT_CLASS", str(folder))
    for who, choice in (("ada", "50s"), ("bob", "70s"), ("cyd", "50s")):
        monkeypatch.setenv("LABKIT_ALIAS", who)
        room.note(event("predicted", choice=choice))
        room.note(event("compared", choice=choice, answer="70s"))

    found = room.gather(folder)

    assert found.aliases == ["ada", "bob", "cyd"]
    assert found.questions == ["pairs"]
    assert found.spread("pairs") == {"50s": 2, "70s": 1}
    assert found.shown("pairs") == {"70s": 3}
    assert (found.skipped, found.torn) == (0, 0)


@each_claim(__file__, "gathered", "case")
def test_of_what_is_gathered(folder: Path, case: dict[str, Any]):
    seconds = count(1)
    for name, lines in case["files"].items():
        file(folder, name, *(told(each, next(seconds)) for each in lines))

    found = room.gather(folder)
    facts = {"aliases": found.aliases, "torn": found.torn}
    facts |= {"spread": found.spread("pairs"), "shown": found.shown("pairs")}
    facts["guesses"] = [list(astuple(each)) for each in found.guesses("pairs")]
    claimed = {fact: value for fact, value in case.items() if fact != "files"}
    assert {fact: facts[fact] for fact in claimed} == claimed


def told(text: str, seconds: int) -> dict:
    """A line of ada's, from its kind, or `late`, what was chosen, and what was shown."""
    kind, choice, answer, *_ = (*text.split(), "", "")
    kind, outcome = ("predicted", kind) if kind == "late" else (kind, "")
    return line("ada", kind, seconds=seconds, choice=choice, answer=answer, outcome=outcome)


def test_who_is_where_since_when_and_after_what(folder: Path):
    def did(who: str, kind: str, seconds: float, name: str = "half-time", **more: Any) -> dict:
        return line(who, kind, name, seconds, **{"step": 1} | more)

    file(
        folder,
        "all",
        did("ada", "reset", 0, ""),
        did("ada", "began", 1),
        did("ada", "checked", 2, outcome="not yet"),
        *(did("ada", "hinted", 3 + each, rung=rung) for each, rung in enumerate((1, 1, 2))),
        did("bob", "began", 6),
        did("bob", "checked", 7, outcome="passed") | {"seconds": 40},
        did("cyd", "reset", 8, "", step=2),
    )

    found = room.gather(folder)
    places = {each.last.alias: each for each in found.places()}
    ada, bob, cyd = (places[who] for who in ("ada", "bob", "cyd"))
    assert list(places) == ["ada", "bob", "cyd"], "who is furthest behind comes first"
    assert (ada.since, ada.last.at, ada.checks, ada.hints) == (at(1), at(5), 1, 2)
    assert (bob.last.outcome, bob.checks) == ("passed", 1)
    assert (cyd.last.step, cyd.last.name, cyd.since) == (2, "", at(8))
    assert found.done == {"half-time": ["bob"]}
    assert found.tried("half-time") == {"ada", "bob"}
    assert found.took("half-time") == [40]


@pytest.mark.parametrize(
    ("then", "asks"),
    [
        ({"kind": "hinted"}, True),
        ({"kind": "checked", "outcome": "not yet"}, True),
        ({"kind": "stuck"}, True),
        ({"kind": "unstuck"}, False),
        ({"kind": "checked", "outcome": "passed"}, False),
        ({"kind": "began"}, False),
        ({"kind": "reset", "name": "", "step": 3}, False),
    ],
)
def test_who_asks_for_help_does_until_it_is_taken_back_passed_or_left(folder, then, asks):
    file(folder, "ada", line("ada", "hinted"), line("ada", "began", seconds=1))
    file(folder, "bob", line("bob", "stuck", seconds=2), line("bob", seconds=3, **then))
    places = room.gather(folder).places()
    assert {each.last.alias: each.stuck for each in places}["bob"] == (at(2) if asks else None)
    assert (places[0].last.alias == "bob") == asks or then["kind"] != "hinted"


def test_a_prediction_that_is_changed_counts_at_first_and_in_the_end(folder: Path):
    file(folder, "ada", told("predicted a", 1), told("predicted b", 2), told("compared b c", 3))
    file(folder, "bob", line("bob", "predicted", choice="b", seconds=4))
    found = room.gather(folder)
    assert (found.at_first("pairs"), found.spread("pairs")) == ({"a": 1, "b": 1}, {"b": 2})


# ---- what is handed in ---------------------------------------------------------------


def report(notes: Any) -> str:
    return Report(Progress((), {}), [], {}, notes=notes).page


def test_a_report_that_is_handed_in_counts_once(folder: Path, monkeypatch):
    """From a learner with no room, in the browser edition, too."""
    monkeypatch.setenv("LABKIT_ALIAS", "ada")
    seen = event("compared", choice="50s", answer="70s", why='mine "and" <b>only</b>')
    page = report(room.handed_in([seen, event("solved")]))
    for name in ("report.html", "report (1).html"):
        (folder / name).write_text(page)

    found = room.gather(folder)
    assert [each.alias for each in found.notes] == ["ada"]
    assert found.spread("pairs") == {"50s": 1}
    assert "under the alias ada" in page
    assert "mine" not in page


def test_a_report_without_an_alias_has_no_notes(monkeypatch):
    monkeypatch.setenv("LABKIT_ALIAS", "not one")
    assert room.handed_in([event("checked")]) == []


@pytest.mark.parametrize(
    "data", ["", "{", "7", "[" * 100_000, '[{"schema": 1}]', "[1, null]", "\ud800", "&#0;", HOSTILE]
)
def test_a_page_that_is_no_report_is_left_out(folder: Path, data: str):
    file(folder, "ada", line("ada", "predicted", choice="a"))
    attribute = data.replace('"', "&#34;")
    page = f'<main data-room="{attribute}">'.encode(errors="surrogatepass")
    (folder / "page.html").write_bytes(page)
    found = room.gather(folder)
    assert (found.aliases, found.skipped) == (["ada"], 1)


def test_a_folder_for_each_learner_is_read_and_no_link_to_another(folder: Path, tmp_path: Path):
    (folder / "one").mkdir()
    file(folder / "one", "ada", line("ada", "predicted", choice="a"))
    (folder / ".ipynb_checkpoints").mkdir()
    file(folder / ".ipynb_checkpoints", "bob", line("bob", "predicted", choice="a"))
    (tmp_path / "elsewhere").mkdir()
    file(tmp_path / "elsewhere", "eve", line("eve", "predicted", choice="a"))
    (folder / "two").symlink_to(tmp_path / "elsewhere")

    assert room.gather(folder).aliases == ["ada"]


def test_torn_lines_and_foreign_files_are_left_out_and_counted(folder: Path):
    good = file(folder, "ada", line("ada", "predicted", choice="a"))
    with good.open("a") as opened:
        opened.write('{"schema": 1, "alias": "ad')
    file(folder, "recording", {"kind": "recording", "schema": 1, "service": "dc_worker"})
    (folder / "noise.jsonl").write_bytes(bytes(range(256)))
    (folder / "large.jsonl").write_bytes(b"x" * 2_000_000)
    (folder / "folder.jsonl").mkdir()
    file(folder, "quiet")
    (folder / "notes.txt").write_text("not looked at")

    found = room.gather(folder)
    assert (found.aliases, found.torn, found.skipped) == (["ada"], 1, 4)


def test_a_line_of_a_newer_labkit_is_left_out_and_not_called_torn(folder: Path):
    newer = line("ada", "predicted", choice="b") | {"schema": 2, "new": 1}
    file(folder, "ada", told("predicted a", 1), line("ada", "a new kind"), newer)
    found = room.gather(folder)
    assert (found.spread("pairs"), found.torn) == ({"a": 1}, 0)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither such links nor pipes")
def test_links_and_pipes_are_not_followed(folder: Path, tmp_path: Path):
    file(tmp_path, "elsewhere", line("eve", "predicted", choice="a"))
    (folder / "eve.jsonl").symlink_to(tmp_path / "elsewhere.jsonl")
    os.mkfifo(folder / "pipe.jsonl")
    file(folder, "ada", line("ada", "predicted", choice="a"))
    found = room.gather(folder)
    assert (found.aliases, found.skipped) == (["ada"], 2)


@each_claim(__file__, "wrong", "wrong")
def test_a_line_with_a_value_that_cannot_be_is_left_out(folder: Path, wrong: dict[str, Any]):
    good = line("ada", "predicted", choice="a")
    file(folder, "ada", good, good | wrong)
    found = room.gather(folder)
    assert (len(found.notes), found.torn) == (1, 1)


def test_what_is_too_long_is_cut_and_too_many_names_are_left_out(folder: Path):
    file(folder, "ada", line("a" * 500, "predicted", choice="c" * 500))
    file(folder, "bob", *(line("bob", "predicted", f"made-up-{n}", choice="a") for n in range(900)))
    file(folder, "cyd", line("cyd", "predicted", choice="c" * 500))

    found = room.gather(folder)
    assert found.aliases[0] == "a" * 60
    assert found.spread("pairs") == {"c" * 60: 2}
    assert len(found.questions) == 100
    assert "pairs" in found.questions, "what most learners know stays"


def test_a_folder_without_a_class_is_refused(folder: Path):
    with pytest.raises(LabError, match="none"):
        room.gather(folder)
    file(folder, "other", {"a": 1})
    with pytest.raises(LabError, match="no class log"):
        room.gather(folder)
    assert room.gather(folder, may_be_empty=True).notes == ()
    for other in (folder / "nosuch", folder / "other.jsonl", Path("nul\0")):
        with pytest.raises(LabError, match="the folder of a class"):
            room.gather(other)


# ---- advice ------------------------------------------------------------------------


def guesses(choices: str, answer: str = "r") -> list[room.Guess]:
    return [room.Guess(f"{n}", choice, answer) for n, choice in enumerate(choices)]


@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        ("rrrrrrrrrr", room.Advice("move on", "r")),
        ("rrrrrrrrab", room.Advice("move on", "r")),
        ("rrrrraaaaa", room.Advice("address", "a")),
        ("raaaaaaaaa", room.Advice("address", "a")),
        ("rrraaabbbc", room.Advice("explain")),
        ("rrrrrrraaa", room.Advice("explain")),
    ],
)
def test_the_spread_says_what_to_do_next(choices: str, expected: room.Advice):
    assert room.advise(guesses(choices)) == expected


def test_before_a_comparison_there_is_nothing_to_advise():
    assert room.advise(guesses("aab", answer="")) == room.Advice("wait")
    assert room.advise([]) == room.Advice("wait")


def test_each_learners_own_recording_answers_their_prediction():
    """On a slow machine an update takes longer, and who said so was right there."""
    own = [room.Guess("ada", "70s", "70s"), room.Guess("bob", "90s", "90s")]
    assert room.advise(own) == room.Advice("move on", "70s")
