"""No note is ever lost when a version is built over an older one."""

from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.lessons.notebooks import minutes, versions
from labkit.lessons.notebooks.cells import is_note, metadata, text, with_text, written
from labkit.lessons.notebooks.notes import fingerprint
from tests.lessons.notebooks.books import book, by_id, code, lesson, md, note, noted, texts, without


def built(source, older=None, version="instructor"):
    return versions.build(version, source, older)


def ids(made):
    return [cell["id"] for cell in made["cells"]]


def insert(made, at, *cells):
    made["cells"][at:at] = cells
    return made


def say(made, key, words):
    by_id(made)[key]["source"] = words
    return made


def test_a_build_over_one_that_nobody_touched_is_the_same():
    once = built(lesson()).book
    assert built(lesson(), once) == versions.Built(once)


def test_an_added_note_stays_behind_the_cell_that_it_was_put_behind():
    older = insert(built(lesson()).book, 4, note("mine", "Wait for questions."))
    source = lesson()
    source["cells"].insert(0, md("new", "A new beginning."))

    again = built(source, older)

    assert ids(again.book)[ids(again.book).index("mine") - 1] == "ask"
    assert [(kept.cell, kept.how) for kept in again.kept] == [("mine", "added")]
    assert noted(by_id(again.book)["mine"]) == "Wait for questions."


def test_where_the_cell_before_is_gone_a_note_stays_behind_the_one_above_it():
    older = insert(built(lesson()).book, 5, note("mine", "Wait."), note("mine-2", "Wait again."))
    source = without(lesson(), "run", "ask")
    again = ids(built(source, older).book)
    assert again[2:5] == ["first", "mine", "mine-2"]


def test_where_no_cell_above_is_left_a_note_is_at_the_end_and_the_first_stays_first():
    older = book(note("top", "first of all"), md("gone", "x"), note("mine", "left alone"))
    assert ids(built(book(md("a", "A")), older).book) == ["top", "mine", "a"]
    older = book(md("gone", "x"), note("mine", "left alone"))
    assert ids(built(book(md("a", "A")), older).book) == ["a", "mine"]


def test_minutes_of_an_added_note_count():
    older = insert(built(lesson()).book, 4, note("mine", "**Minutes:** 10"))
    assert "## Watch · 15 min" in texts(built(lesson(), older).book)[2]


def test_a_changed_note_keeps_its_text_and_the_rest_follows_the_source():
    older = say(built(lesson()).book, "n-watch", "My own words.")
    source = say(lesson(), "first", "## Watch closely")
    again = built(source, older)
    assert noted(by_id(again.book)["n-watch"]) == "My own words."
    assert texts(again.book)[2] == "## Watch closely"
    assert [kept.how for kept in again.kept] == ["changed"]


def test_a_note_that_nobody_changed_follows_the_source():
    source = say(lesson(), "n-watch", "Better words.")
    again = built(source, built(lesson()).book)
    assert text(by_id(again.book)["n-watch"]).endswith("Better words.")
    assert not again.kept
    assert "wrong answer" not in written(again.book)


def test_of_a_note_that_both_changed_both_are_kept_side_by_side():
    older = say(built(lesson()).book, "n-watch", "My own words.")
    source = say(lesson(), "n-watch", "Better words.")

    again = built(source, older)

    at = ids(again.book).index("n-watch")
    assert texts(again.book)[at].endswith("Better words.")
    assert texts(again.book)[at + 1] == "My own words."
    assert [kept.how for kept in again.kept] == ["both"]
    assert built(source, again.book).book == again.book


def test_a_note_that_both_changed_to_the_same_is_one_note():
    source = say(lesson(), "n-watch", "Better words.")
    older = say(built(lesson()).book, "n-watch", f"{versions.NOTE_SIGN}\n>\n> Better words.")
    again = built(source, older)
    assert again.book == built(source).book
    assert not again.kept


@pytest.mark.parametrize("words", ["", "My own words."])
def test_a_note_that_the_source_has_no_more_is_kept_and_nobody_is_said_to_have_added_it(words: str):
    older = built(lesson()).book
    if words:
        say(older, "n-watch", words)
    source = without(lesson(), "n-watch")

    again = built(source, older)

    for each in (again, built(source, again.book)):
        assert noted(by_id(each.book)["n-watch"]) == noted(by_id(older)["n-watch"])
        assert [(kept.cell, kept.how) for kept in each.kept] == [("n-watch", "dropped")]


def test_a_note_that_comes_back_to_its_source_is_there_once():
    fewer = without(lesson(), "n-watch")
    again = built(lesson(), built(fewer, built(lesson()).book).book)
    assert again.book["cells"] == built(lesson()).book["cells"]
    assert not again.kept


def test_what_was_changed_by_hand_and_is_no_note_is_counted_as_lost():
    older = built(lesson()).book
    assert built(lesson(), older).lost == 0
    assert built(say(lesson(), "end", "### Other words"), older).lost == 0

    say(older, "end", "### My own words")
    insert(older, 3, code("demo", "print('my demo')"), code("empty", "\n"), note("mine", "Wait."))
    assert built(lesson(), older).lost == 2
    del older["metadata"]["labkit"]["built"]  # as labkit built it once
    assert built(lesson(), older).lost == 2


def test_minutes_of_an_added_note_make_no_heading_somebodys_own():
    older = insert(built(lesson()).book, 4, note("mine", "**Minutes:** 10"))
    again = built(lesson(), older)
    assert (again.lost, built(lesson(), again.book).lost) == (0, 0)


def test_a_copy_of_a_note_is_a_note_of_its_own():
    older = built(lesson()).book
    twin = deepcopy(by_id(older)["n-watch"])
    say(insert(older, 3, twin | {"id": "twin"}), "twin", "Its other half.")
    insert(older, 9, deepcopy(twin))  # with the same id, as a merge by hand leaves it

    again = built(lesson(), older).book

    assert sum("wrong answer" in words for words in texts(again)) == 2
    assert texts(again).count("Its other half.") == 1
    assert len(set(ids(again))) == len(ids(again))
    kept = built(lesson(), older).kept
    assert [each.how for each in kept] == ["added", "added"]


def test_an_ordinary_cell_that_was_rewritten_as_a_note_is_kept_beside_the_ordinary_one():
    older = built(lesson()).book
    older["cells"][2] = note("first", "Say it aloud.")
    again = built(lesson(), older).book
    assert "Say it aloud." in texts(again)
    assert text(by_id(again)["first"]).startswith("## Watch · 5 min")


def test_a_note_that_lost_its_tag_is_known_by_its_mark():
    older = say(built(lesson()).book, "n-watch", "My own words.")
    by_id(older)["n-watch"]["metadata"].pop("tags")
    kept = by_id(built(lesson(), older).book)["n-watch"]
    assert is_note(kept)
    assert noted(kept) == "My own words."


def test_notes_are_known_without_their_ids():
    older = say(built(lesson()).book, "n-watch", "My own words.")
    for cell in older["cells"]:
        del cell["id"]
    insert(older, 3, {**note("", "Wait."), "id": None})

    again = built(lesson(), older)

    assert [kept.how for kept in again.kept] == ["added", "changed"]
    assert [c for c in ids(again.book) if not c.startswith("note-")] == ids(lesson())
    assert texts(again.book)[3] == "Wait."


def test_a_picture_pasted_into_a_note_is_a_change():
    older = built(lesson()).book
    picture = {"a.png": {"image/png": "AAAA"}}
    by_id(older)["n-watch"]["attachments"] = picture
    assert by_id(built(lesson(), older).book)["n-watch"]["attachments"] == picture


def test_a_note_may_run():
    older = insert(built(lesson()).book, 3, code("mine", "1 + 1", "instructor", printed="2"))
    kept = by_id(built(lesson(), older).book)["mine"]
    assert kept["source"] == ["1 + 1"]
    assert kept["outputs"] == []


# ---- whatever somebody does to the older version -------------------------------------

WORDS = st.text(st.characters(codec="utf-8"), max_size=20).map(lambda words: f"mine {words}")
DEEDS = ["add", "add", "change", "delete", "move", "twin", "tag", "lose tags", "lose labkit"]
DEEDS += ["lose metadata", "lose id", "lose all id", "take id"]


def edit(cells, deed, at, other, words):
    """Do one thing to some cells, of which many are unkind."""
    cell = cells[at]
    match deed.split():
        case ["add"]:
            cells.insert(at, note(["", "x", "first", "n-do"][other % 4], words))
        case ["change"]:
            cells[at] = with_text(cell, words)
        case ["delete"]:
            del cells[at]
        case ["move"]:
            cells.insert(other, cells.pop(at))
        case ["twin"]:
            cells.insert(other, deepcopy(cell))
        case ["tag"]:
            cell["metadata"] = metadata(cell) | {"tags": ["instructor"]}
        case ["take", "id"]:
            cell["id"] = ["x", "stub", "n-open", "n-watch", 7, "!", ""][other % 7]
        case ["lose", *_, key]:
            for each in cells if "all" in deed else [cell]:
                each["metadata"] = {k: v for k, v in metadata(each).items() if k != key}
                each.pop(key, None)


def edited(made, edits):
    """A built notebook after some edits by hand."""
    made = deepcopy(made)
    for deed, at, other, words in edits:
        edit(made["cells"], deed, at % len(made["cells"]), other, words)
    return made


def sources():
    """The source as it was, and with notes changed, taken out and untagged."""
    changed = say(say(lesson(), "n-watch", "Better words."), "first", "## Look")
    fewer = without(lesson(), "n-do", "stub", "title")
    plain = lesson()
    by_id(plain)["n-open"]["metadata"] = {}
    return [lesson(), changed, fewer, plain]


PLACES = st.integers(0, 15)


@pytest.mark.parametrize("version", ["instructor", "slides"])
@given(
    edits=st.lists(st.tuples(st.sampled_from(DEEDS), PLACES, PLACES, WORDS), max_size=10),
    source=st.sampled_from(sources()),
)
def test_every_note_is_still_there_whatever_was_done_and_a_second_build_changes_nothing(
    version: str, edits: list, source: dict
):
    older = edited(built(lesson(), version=version).book, edits)

    again = built(source, older, version).book

    there = minutes.without("\n".join(texts(again)))
    for cell in filter(is_note, older["cells"]):
        own = metadata(cell).get("labkit", {}).get("built") != fingerprint(cell)
        if own or source == lesson():  # what is as it was built may follow its source
            assert minutes.without(noted(cell)) in there
    assert len(set(ids(again))) == len(again["cells"])
    assert built(source, again, version).book == again
    fresh = built(source, version=version).book["cells"]
    assert [c["id"] for c in again["cells"] if not is_note(c)] == [
        c["id"] for c in fresh if not is_note(c)
    ]
