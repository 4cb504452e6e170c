"""Slides as a page: what is on which slide, and nothing from outside."""

import re
from html import unescape
from pathlib import Path

import pytest

from labkit import lessons
from labkit.base.errors import RecordingProblem
from labkit.lessons.checks import QUESTIONS
from labkit.lessons.notebooks import cells, versions
from labkit.lessons.notebooks.cells import Book
from labkit.views.static import slides
from tests.lessons.notebooks.books import book, code, md, note

SHIPPED = lessons.STEPS[0].shipped.parent


def stacks(made: Book, folder: Path = SHIPPED) -> list[str]:
    """The slides of a notebook, each with those below it, as HTML."""
    page = slides.page("x", versions.build("slides", made).book, folder, QUESTIONS)
    shown = page.partition('<div class="slides">')[2].partition("<script>")[0]
    return re.split("<section><section>", shown)[1:]


def test_a_section_has_a_slide_with_its_notes_and_ends_with_its_recording():
    first, second = stacks(
        book(
            md("a", "# A\n\n**b**"),
            note("n", "**Recording:** `recordings/01-rolling.jsonl`\n\n**Ask:** why?"),
            code("c", "x < 1"),
            md("d", "## D\n\n[E](e.ipynb)"),
        )
    )

    slide, replay = first.split("<section>")
    assert "<strong>b</strong>" in slide
    assert "&lt;" in slide.partition("<aside")[0]
    assert "<strong>Ask:</strong> why?" in slide.partition("<aside")[2]
    assert 'data-replay="recordings/01-rolling.jsonl"' in replay
    assert 'href="e.html"' in second


def test_a_question_is_shown_with_its_choices_and_not_as_code():
    (slide,) = stacks(book(code("a", 'labkit.question("stack-rm")', "question", "stack-rm")))
    question = QUESTIONS["stack-rm"]
    asked = [question.text, *(choice.label for choice in question.choices)]
    assert re.findall('(?:<li>|asked">)(.*?)<', unescape(slide)) == asked
    assert "labkit" not in slide


def test_a_pasted_picture_is_in_the_page_and_a_fold_stays_one():
    fold = "<details><summary>A</summary>\n\n**B** <kbd>C</kbd>\n\n</details>"
    cell = md("a", f"![](attachment:a.png)\n\n{fold}")
    (slide,) = stacks(book(cell | {"attachments": {"a.png": {"image/png": "AAAA"}}}))
    assert re.findall('src="data:image/png;base64,(.*?)"', slide) == ["AAAA"]
    assert re.search("</summary>.*B.*<kbd>C</kbd>.*</details>", slide, re.DOTALL)


def test_what_a_cell_says_of_its_slide_holds():
    def kept(kind: str) -> dict:
        return {"slideshow": {"slide_type": kind}}

    made = [md(f"c{kind[:2]}", kind, **kept(kind)) for kind in ("skip", "slide", "fragment")]

    (slide,) = stacks(book(*made, md("odd", "odd", slideshow=5)))

    assert "skip" not in slide
    assert '<div class="fragment"><p>fragment</p>' in slide


def test_a_recording_that_is_missing_is_named(tmp_path: Path):
    with pytest.raises(RecordingProblem, match=r"gone\.jsonl"):
        stacks(book(md("a", "# A"), note("b", "**Recording:** `gone.jsonl`")), tmp_path)


@pytest.mark.parametrize("step", lessons.STEPS, ids=lambda step: step.notebook)
def test_the_slides_of_a_notebook_play_its_recordings(step: lessons.Step):
    shown = "".join(stacks(cells.read(step.shipped)))
    assert re.findall(rf'data-replay="recordings/{step.number:02}-[\w-]+\.jsonl"', shown)
