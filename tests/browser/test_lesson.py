"""A whole lesson in a browser: notebook 1 as a learner goes through it, after `labkit up`.

What Swarm does in it is shown on a real engine by `tests/whole/test_notebooks.py`; here the
engine is a simulated one that hurries, and it is the page that is looked at:
Predictions (one that will not be so, one that will, one left out), an update, an exercise
that is checked untouched and half way, hints, the solution, progress, and the report.
"""

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
from click.testing import CliRunner
from playwright.sync_api import Locator, Page, expect

from labkit import cli
from labkit.lessons import STEPS, checks, workspace
from labkit.lessons.journal import Journal
from tests.browser.lab import Lab, Notebook, note_outside, screenshot
from tests.browser.pages import put_on
from tests.browser.test_accessibility import problems
from tests.waiting import until
from tests.whole import labs

STEP = STEPS[1]
EXERCISE = checks.EXERCISES["twelve-seconds"]
#: What is predicted: the belief behind it is told afterwards, what is so is said to be so,
#: and who says nothing is asked to next time.
SAID = {"rolling-missing": "two", "rolling-completed": "window", "rolling-order": None}
SO_IT_IS = {"rolling-missing": "one", "rolling-completed": "window"}
#: How many times as fast as real time the engine runs: a wait is still seen.
SPEED = 4
REASON = "the next one begins <soon>"
#: In milliseconds: what waits for Swarm, and what does not.
SLOW, QUICK = 90_000, 20_000
#: Half of the way: the service is rid of the deaf image, by an update that is as slow as before.
HALF_WAY = 'labkit.update(step.worker, image=step.image("1.1"), update_config={"parallelism": 10})'
REPORT = 'labkit.report().save("report.html")'


@dataclass(frozen=True)
class Cell:
    """A code cell of the notebook, with its tags."""

    id: str
    tags: tuple[str, ...] = ()


class Lesson(Notebook):
    """A learner's copy of a notebook, open in a page; its cells go by their ids."""

    def __init__(self, lab: Lab, page: Page, name: str) -> None:
        super().__init__(lab, page, name)
        page.evaluate("() => window.jupyterapp.shell.collapseLeft()")

    @property
    def file(self) -> Path:
        return self.lab.folder / self.name

    def code(self) -> list[Cell]:
        """Its code cells, in their order."""
        return [
            Cell(cell["id"], tuple(cell["metadata"].get("tags", ())))
            for cell in json.loads(self.file.read_text())["cells"]
            if cell["cell_type"] == "code"
        ]

    def start(self, cell: Cell) -> Locator:
        """Run a cell; returns at once, with what is shown below it."""
        self._cell(
            cell,
            "panel.content.activeCellIndex = index; node.dataset.lesson = id;"
            "(window.ran ??= {})[id] = window.jupyterapp.commands.execute('notebook:run-cell');"
            "return panel.content.scrollToItem(index)",
        )
        return self.page.locator(f"[data-lesson='{cell.id}'] .jp-Cell-outputArea")

    def through(self, cell: Cell) -> Locator:
        """Run a cell to its end, which is a good one."""
        shown = self.start(cell)
        self.ended(cell)
        return shown

    def ended(self, cell: Cell) -> None:
        """Wait until a cell that was started has ended well."""
        assert self._cell(cell, "return window.ran[id]"), self._outputs(cell)

    def typed(self, source: str, after: Cell) -> Cell:
        """Add a cell after another, with what a learner types into it."""
        new = Cell(secrets.token_hex(4))
        self._cell(
            after,
            "panel.content.model.sharedModel.insertCell(index + 1, given)",
            {"cell_type": "code", "id": new.id, "metadata": {}, "source": source},
        )
        return new

    def picture(self, of: Locator, name: str) -> None:
        """Keep a picture of the page with something in sight."""
        of.scroll_into_view_if_needed()
        screenshot(self.page, f"lesson-{name}")

    def _outputs(self, cell: Cell) -> Any:
        return self._cell(cell, "return model.toJSON().outputs")

    def _cell(self, cell: Cell, does: str, given: Any = None) -> Any:
        return self.page.evaluate(
            f"""([id, given]) => {{
                const panel = window.jupyterapp.shell.currentWidget;
                const index = panel.content.widgets.findIndex((each) => each.model.id === id);
                const {{ model, node }} = panel.content.widgets[index];
                {does};
            }}""",
            [cell.id, given],
        )


@pytest.fixture
def home(server: Lab) -> Iterator[Path]:
    """The folder of a learner after `labkit up`, with the learner's notebooks."""
    folder = server.folder / "lesson"
    folder.mkdir()
    with labs.home(folder, SPEED):
        said = CliRunner().invoke(cli.main, ["up"])
        assert said.exit_code == 0, said.output
        workspace.refresh()
        yield folder


@pytest.fixture
def lesson(home: Path, lab: Lab, page: Page) -> Lesson:
    """Its first cell makes the kernel one of the learner's."""
    file = home / "lab" / f"{STEP.notebook}.ipynb"
    book = nbformat.read(file, 4)
    book.cells.insert(0, nbformat.v4.new_code_cell(labs.as_cell(labs.learner_here())))
    nbformat.write(book, file)
    return Lesson(lab, page, str(file.relative_to(lab.folder)))


@pytest.mark.browser
@pytest.mark.timeout(600)
def test_a_learner_goes_through_a_whole_lesson(lesson: Lesson, home: Path) -> None:
    """Each cell in its order, and what a learner does in between."""
    done: list[tuple[str, ...]] = []
    for cell in lesson.code():
        match cell.tags:
            case ("question", name):
                predict(lesson, cell, name)
            case ("compare", name):
                compare(lesson, cell, name)
            case ("exercise", EXERCISE.name):
                begin(lesson, cell)
            case ("stub", EXERCISE.name):
                expect(lesson.through(cell)).to_contain_text("A blank is left")
                stub = cell
            case ("check", EXERCISE.name):
                practise(lesson, cell, stub)
            case _:
                lesson.through(cell)
        done.append(cell.tags)

    assert {("question", name) for name in SAID} | {("compare", name) for name in SAID} < {*done}
    assert ("check", EXERCISE.name) in done
    last = lesson.typed("labkit.progress()", cell)
    row = lesson.through(last).locator("tr", has_text="Rolling updates")
    expect(row).to_contain_text("·1 · Rolling updates")
    expect(row).to_contain_text("2 of 3 predictions, 1 of 1 exercise, 1 of 1 typed step")
    expect(row).to_contain_text("1 not predicted in time")
    lesson.picture(row, "progress")
    assert serious(lesson.page) == []
    lesson.through(lesson.typed(REPORT, last))
    read_the_report(lesson.page, home / "lab" / "report.html")
    noted = {e.name: (e.choice, e.why) for e in journal(home) if e.kind == "predicted"}
    assert noted == {"rolling-missing": ("two", REASON), "rolling-completed": ("window", "")}


#: Everything that can stand below a cell of the lesson, with no engine behind it.
CARDS = (
    """
from labkit.lessons import checks
from labkit.lessons.practice import helping
from labkit.views.cards import asking
from labkit.views.cards import cards
from labkit.views.cards import meanwhile
from tests.played import Played
cards.enable()
asking.Asked(checks.QUESTIONS["rolling-completed"], None, "", lambda key, why: False)
""",
    """
made = Played("1.0")
made.update("1.1")
asked = checks.QUESTIONS["rolling-missing"]
checks.Compared(asked, asked.choice("one"), asked.read(made.recording))
""",
    """
from labkit.lessons.checks.finding import Finding
said = ("slot `3` was late.", "It is *deaf*.", "`force=True`")
for how in ("passed", "not yet", "not attempted"):
    each = Finding(how, *said[: 2 if how == "passed" else 3])
    display(each)
""",
    """
exercise = checks.EXERCISES["twelve-seconds"]
display(cards.exercise(exercise, ["dc deployed"]), helping.Hint("Built.", "Look.", 1, 3))
helping.Solution(exercise.title, tuple(helping._cells(exercise)))
""",
    """meanwhile.Meanwhile().say("Updating: 3 of 10 replicas run 1.1.")""",
)


@pytest.mark.browser
def test_axe_finds_nothing_serious_in_cards_and_questions(lab: Lab, page: Page) -> None:
    """In both themes."""
    notebook = Notebook(lab, page, list(CARDS))
    page.set_viewport_size({"width": 1280, "height": 3000})
    for cell in range(len(CARDS)):
        notebook.run(cell)
    expect(page.locator(".labkit-meanwhile")).to_be_visible(timeout=QUICK)
    expect(page.locator(".labkit-asked input[type=radio]")).to_have_count(3, timeout=QUICK)
    expect(page.locator(".labkit-note-card")).to_have_count(8)
    for theme in ("Dark", "Light"):
        put_on(page, theme)
        screenshot(page, f"cards-{theme.lower()}")
        found = serious(page, ".labkit-note-card", ".labkit-asked", ".labkit-meanwhile")
        assert found == [], theme


@pytest.mark.browser
def test_a_question_is_a_list_where_nothing_can_be_clicked(lab: Lab, page: Page) -> None:
    """The buttons stand for the list; where their kernel is gone, it is back, with what to do."""
    notebook = Notebook(lab, page, [CARDS[0]])
    notebook.run(0)
    choices = page.locator(".labkit-choices")
    expect(page.locator(".labkit-asked")).to_be_visible(timeout=QUICK)
    expect(choices).to_be_hidden()
    expect(page.locator(".labkit-gone")).to_be_hidden()
    notebook.save()

    notebook.restart_kernel()
    says_what_to_do(page)
    screenshot(page, "question-restarted")
    notebook.open()
    says_what_to_do(page)
    screenshot(page, "question-reloaded")


def says_what_to_do(page: Page) -> None:
    expect(page.locator(".labkit-choices li")).to_have_count(3, timeout=QUICK)
    expect(page.locator(".labkit-choices")).to_be_visible()
    expect(page.locator(".labkit-gone")).to_contain_text("run import labkit; labkit.resume() first")
    expect(page.get_by_role("radio")).to_have_count(0)
    expect(page.get_by_text("widget")).to_be_hidden()


def predict(lesson: Lesson, cell: Cell, name: str) -> None:
    """Choose an answer, or none; and say why, where it will turn out not to be so."""
    shown = lesson.through(cell)
    buttons = shown.get_by_role("radio")
    expect(buttons).to_have_count(len(checks.QUESTIONS[name].choices), timeout=QUICK)
    expect(shown.locator(".labkit-choices")).to_be_hidden()
    if (key := SAID[name]) is None:
        return
    choice = checks.QUESTIONS[name].choice(key)
    shown.get_by_role("radio", name=choice.label, exact=True).check()
    expect(shown).to_contain_text(f"Noted: {choice.label}.", timeout=QUICK)
    if key != SO_IT_IS[name]:
        why = shown.get_by_role("textbox")
        why.fill(REASON)
        why.press("Enter")
        until(lambda: journal(lesson.file.parents[1])[-1].why == REASON, "the reason to be noted")
        assert serious(lesson.page) == []
    lesson.picture(shown, name)


def compare(lesson: Lesson, cell: Cell, name: str) -> None:
    """Read what was said beside what was seen; nobody is told to be wrong."""
    card = lesson.through(cell).locator(".labkit-note-card")
    expect(card).to_contain_text("The recording shows:")
    expect(card).not_to_contain_text("wrong", ignore_case=True)
    key = SAID[name]
    if key is None:
        expect(card).to_contain_text("You made no prediction")
    else:
        choice = checks.QUESTIONS[name].choice(key)
        after = "The recording agrees." if key == SO_IT_IS[name] else choice.belief
        expect(card).to_contain_text(f"You said “{choice.label}”. {after}")
    lesson.picture(card, f"{name}-compared")


def begin(lesson: Lesson, cell: Cell) -> None:
    """See what is asked for, and the service that it is asked of, live."""
    shown = lesson.through(cell)
    expect(shown.locator(".labkit-note-card")).to_contain_text(EXERCISE.title)
    beside = lesson.page.locator(".labkit-panel")
    expect(beside.locator(".labkit-live")).to_have_text("live", timeout=QUICK)
    expect(beside.locator(".labkit-tags")).to_contain_text("deaf", timeout=QUICK)
    lesson.picture(shown.locator(".labkit-note-card"), "exercise")


def practise(lesson: Lesson, check: Cell, stub: Cell) -> None:
    """Check it untouched and half way, take hints, look at the solution, and do what it says."""
    expect(finding(lesson.through(check))).to_contain_text("○ not attempted")

    half = lesson.typed(HALF_WAY, stub)
    lesson.through(half)
    shown = lesson.start(check)
    expect(shown.locator(".labkit-meanwhile")).to_contain_text("1.1", timeout=QUICK)
    lesson.picture(shown, "waiting")
    lesson.ended(check)
    expect(finding(shown)).to_contain_text("… not yet")
    expect(finding(shown)).to_contain_text("The old task is the one that is told to stop")
    expect(shown.locator(".labkit-meanwhile")).to_have_count(0)
    lesson.picture(shown.locator(".labkit-note-card"), "not-yet")

    last = half
    for rung in (1, 2):
        last = lesson.typed(f'labkit.hint("{EXERCISE.name}")', last)
        said = lesson.through(last).locator(".labkit-note-card")
        expect(said).to_contain_text(f"Hint {rung} of {len(EXERCISE.hints)}")
        expect(said).to_contain_text(as_shown(EXERCISE.hints[rung - 1]))
    last = lesson.typed(f'labkit.solution("{EXERCISE.name}")', last)
    told = lesson.through(last).locator(".labkit-note-card")
    expect(told).to_contain_text("What a slot waits for.")
    lesson.picture(told, "solution")
    code = told.locator("pre").all_inner_texts()
    assert len(code) == 3, code
    for source in code:
        last = lesson.typed(source, last)
        lesson.through(last)

    shown = lesson.through(check)
    expect(finding(shown)).to_contain_text("✓ passed")
    expect(finding(shown)).to_contain_text("They end by themselves on SIGTERM")
    lesson.picture(shown.locator(".labkit-note-card"), "passed")


def read_the_report(page: Page, path: Path) -> None:
    """Open the report beside the notebook: all of it is there, and nothing else is asked for."""
    report = page.context.new_page()
    outside = note_outside(report)
    asked: list[str] = []
    report.on("request", lambda request: asked.append(request.url))
    report.goto(path.as_uri())

    two = checks.QUESTIONS["rolling-missing"].choice("two")
    for text in (f"You said “{two.label}”.", REASON, "Outcome: passed", "1 of 1 exercise"):
        expect(report.locator("main")).to_contain_text(text)
    expect(report.locator("main")).not_to_contain_text("wrong", ignore_case=True)
    expect(report.get_by_role("img").first).to_be_visible()
    screenshot(report, "lesson-report")
    assert [url for url in asked if not url.startswith("data:")] == [path.as_uri()]
    assert outside == []
    assert serious(report, "main") == []
    report.close()


def finding(shown: Locator) -> Locator:
    return shown.locator(".labkit-note-card").last


def as_shown(text: str) -> str:
    """What a card shows of a text with `code` in it."""
    return text.replace("`", "").replace("*", "")


def journal(home: Path) -> list[Any]:
    return Journal(home / ".labkit" / "progress.jsonl").events()


def serious(page: Page, *parts: str) -> list[tuple[str, str]]:
    """What axe finds in the cards, questions and views that a page shows, or in its parts."""
    return problems(page, *(parts or (".labkit-note-card", ".labkit-asked", ".labkit-watch")))
