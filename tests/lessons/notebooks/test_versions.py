"""What is in each version, and what is not."""

import json
from copy import deepcopy

import nbformat
import pytest

from labkit.lessons.notebooks import versions
from labkit.lessons.notebooks.cells import is_note, text, written
from tests.lessons.notebooks.books import book, by_id, code, lesson, md, note, texts

HIDDEN = ["n-open", "n-watch", "solved", "why", "n-do"]


@pytest.mark.parametrize("version", versions.VERSIONS)
def test_a_version_is_a_valid_notebook_and_its_source_stays_as_it_was(version):
    source = lesson()
    before = deepcopy(source)

    built = versions.build(version, source).book
    built["cells"][0]["metadata"]["mine"] = True

    assert source == before
    nbformat.validate(json.loads(written(built)))
    assert versions.version_of(built) == version


@pytest.mark.parametrize("version", versions.VERSIONS)
def test_no_version_changes_what_code_runs_in_which_order(version: versions.VersionName):
    def runs(made):
        return [cell["source"] for cell in made["cells"] if cell["cell_type"] == "code"]

    built = versions.build(version, lesson()).book

    solved = version == "instructor"
    wanted = book(*(c for c in lesson()["cells"] if solved or c["id"] != "solved"))
    assert runs(built) == runs(wanted)


# ---- learner -----------------------------------------------------------------------


def test_a_learner_gets_nothing_of_a_note_or_a_solution():
    built = versions.learner(lesson())
    assert [c["id"] for c in lesson()["cells"] if c["id"] not in by_id(built)] == HIDDEN
    file = written(built)
    for word in ("Common wrong answer", "parallelism", "half as many", "Minutes", "instructor"):
        assert word not in file


@pytest.mark.parametrize("tag", ["Instructor", " instructor ", "SOLUTION"])
def test_a_tag_that_is_written_otherwise_hides_a_cell_from_learners_all_the_same(tag: str):
    assert versions.learner(book(md("a", "secret", tag)))["cells"] == []


def test_outputs_are_answers_and_stay_for_test_runs_only_where_they_are_compared():
    source = lesson()
    by_id(source)["run"]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "x"}]
    plain, kept = (versions.learner(source, keep_outputs=keep) for keep in (False, True))
    assert all(not c.get("outputs") and c.get("execution_count") is None for c in plain["cells"])
    assert [c["id"] for c in kept["cells"] if c.get("outputs")] == ["seen"]
    assert by_id(kept)["seen"] == by_id(lesson())["seen"]


# ---- instructor --------------------------------------------------------------------


def test_notes_stand_in_their_places_and_say_what_they_are():
    built = versions.build("instructor", lesson()).book

    assert [c["id"] for c in built["cells"]] == [c["id"] for c in lesson()["cells"]]
    assert texts(built)[1] == texts(lesson())[1]
    notes = [text(cell) for cell in built["cells"] if is_note(cell)]
    assert len(notes) == 3
    for words in notes:
        assert words.startswith(versions.NOTE_SIGN)
        assert all(line.startswith(">") for line in words.split("\n"))


def test_a_note_of_ones_own_is_marked_in_the_next_build():
    older = versions.build("instructor", lesson()).book
    older["cells"].append(note("mine", "- **Ask:** why?\n\n- **Minutes:** 1"))
    mine = versions.build("instructor", lesson(), older).book["cells"][-1]
    assert text(mine) == f"{versions.NOTE_SIGN}\n>\n> - **Ask:** why?\n>\n> - **Minutes:** 1"


def test_solutions_are_open():
    assert "jupyter" not in by_id(versions.build("instructor", lesson()).book)["solved"]["metadata"]


def test_minutes_are_in_the_headings():
    shown = [words.split("\n")[0] for words in texts(versions.build("instructor", lesson()).book)]
    assert shown[0] == "# 1 · Updates · 15 min", "the whole, with what is before any section"
    assert "## Watch · 5 min" in shown
    assert "## Do it · 8 min" in shown
    assert "### What comes next" in shown, "the minutes of a section are behind its own heading"


def test_a_heading_without_minutes_stays_as_it_is():
    built = versions.build(
        "instructor", book(md("a", "# A"), md("b", "## B"), note("c", "**Ask:** why?"))
    )
    assert texts(built.book)[:2] == ["# A", "## B"]


def test_minutes_count_up_to_the_next_heading_of_the_same_or_a_higher_level():
    built = versions.build(
        "instructor",
        book(
            md("a", "## A\n\nwords\n\n### A.1"),
            note("n1", "**Minutes:** 2\n\n**Minutes**: 1"),
            md("b", "words\n\n## B\n\n```\n## B\n```"),
            note("n2", "## B\n**Minutes:** 4"),
            md("c", "# C"),
            note("n3", "**Minutes:** 9"),
        ),
    )

    assert texts(built.book)[0] == "## A · 3 min\n\nwords\n\n### A.1"
    assert texts(built.book)[2] == "words\n\n## B · 4 min\n\n```\n## B\n```"
    assert texts(built.book)[4] == "# C · 16 min"


# ---- slides ------------------------------------------------------------------------


def slide_types(*cells):
    made = versions.build("slides", book(*cells)).book["cells"]
    return [cell["metadata"].get("slideshow", {}).get("slide_type") for cell in made]


def test_headings_begin_slides_notes_are_the_speakers_and_there_is_no_solution():
    found = slide_types(
        md("a", "# A"),
        md("b", "## B"),
        md("c", "words\n## D"),
        code("d", "# a comment"),
        md("e", "### E"),
        note("f", "## note"),
        code("g", "1", "solution", "x"),
    )

    assert found == ["slide", "slide", None, None, "subslide", "notes"]


def test_what_a_cell_says_of_slides_itself_wins():
    chosen = {"slide_type": "fragment"}

    found = slide_types(
        md("a", "# A", slideshow=chosen),
        note("b", "note", slideshow=chosen),
        md("c", "## C", slideshow={"slide_type": ""}),
    )

    assert found == ["fragment", "fragment", "slide"]


def test_nbconvert_makes_slides_of_them():
    exporters = pytest.importorskip("nbconvert.exporters")
    made = nbformat.reads(written(versions.build("slides", lesson()).book), 4)
    page, _ = exporters.SlidesExporter().from_notebook_node(made)
    shown = page.split('<div class="slides">')[1]
    assert shown.count("<section>") == 7, "three slides, one of them with a second below it"
    assert shown.count('<aside class="notes">') == 3


def test_slides_name_a_theme_that_loads_no_font_from_outside():
    """The one that jupyterlab-rise takes by itself asks for web fonts, a room may have no net."""
    assert versions.build("slides", lesson()).book["metadata"]["rise"]["theme"] == "serif"
