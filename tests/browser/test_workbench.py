"""An exercise that is worked on from its card, by its buttons, in JupyterLab."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner
from playwright.sync_api import Page, expect

from labkit import cli, engines
from tests.browser.lab import BLOCK, Lab, Notebook, new_page, screenshot
from tests.browser.pages import put_on
from tests.browser.test_accessibility import problems
from tests.waiting import until
from tests.whole import labs

#: In milliseconds: what waits for Swarm, and what does not.
SLOW, QUICK = 90_000, 20_000
PAIRS, FIVE = ({"parallelism": 2}, {"parallelism": 5, "delay": "0s"})
UPDATE = 'labkit.update(step.worker, image=step.image("1.1"), update_config={})'
CELLS = [
    "import labkit\nstep = labkit.reset(2)",
    'labkit.exercise("half-the-time")',
    UPDATE.replace("{}", str(PAIRS)),
    UPDATE.replace("{}", str(FIVE)),
    BLOCK,
    "view = labkit.watch(step.worker)\nview",
    'labkit.check("type-image")',
]
#: What a learner types, in a terminal that talks to the lab's engine.
TYPED = "docker service update -d --image lab/dockercoins_worker:1.1 dc_worker"


@pytest.fixture(scope="module")
def learner(server: Lab) -> Iterator[dict[str, str]]:
    """What makes a kernel of the shared JupyterLab one of a learner, after `labkit up`."""
    folder = server.folder / "learner"
    folder.mkdir()
    with labs.home(folder):
        said = CliRunner().invoke(cli.main, ["up"])
        assert said.exit_code == 0, said.output
        yield labs.learner_here()


@pytest.fixture
def notebook(learner: dict[str, str], lab: Lab, page: Page) -> Notebook:
    """A notebook on a simulated engine that hurries."""
    return Notebook(lab, page, [labs.as_cell(learner) + CELLS[0], *CELLS[1:]])


@pytest.mark.browser
@pytest.mark.timeout(600)
@pytest.mark.skipif(not shutil.which("docker"), reason="types a docker command")
def test_a_step_that_is_typed_in_a_terminal_is_seen(
    notebook: Notebook, page: Page, learner: dict[str, str]
) -> None:
    notebook.run(0)
    notebook.run(1)  # so that 1.1 is built, and the worker runs 1.0
    notebook.run(5)
    notebook.run(6)
    said = page.locator(".labkit-note-card").last
    expect(said).to_contain_text("not attempted", timeout=SLOW)
    start = "window.jupyterapp.commands.execute('terminal:create-new')"
    page.evaluate(f"async () => {{ await {start}; }}")
    terminal = page.locator(".jp-Terminal .xterm-helper-textarea")
    expect(terminal).to_be_attached(timeout=QUICK)
    terminal.focus()
    them = " ".join(f"{name}={shlex.quote(value)}" for name, value in learner.items())
    env = f'eval "$({shlex.quote(sys.executable)} -m labkit env)"'
    page.keyboard.insert_text(f"export {them}; {env} && {TYPED}")
    page.keyboard.press("Enter")
    until(lambda: running() > 0, "the update to be under way", 60)
    screenshot(page, "typed-terminal")

    page.evaluate(
        "() => window.jupyterapp.shell.activateById(document.querySelector('.jp-NotebookPanel').id)"
    )
    notebook.run(6)

    expect(said).to_contain_text("passed", timeout=SLOW)
    screenshot(page, "typed-seen")


def running() -> int:
    """How many replicas run 1.1."""
    return engines.connect().snapshot("dc_worker").running_by_tag().get("1.1", 0)


@pytest.mark.browser
@pytest.mark.timeout(600)
def test_an_exercise_is_done_from_its_card(notebook: Notebook, page: Page) -> None:
    """A hint, a wrong try, a fresh start and a pass, each by a button."""
    state = page.locator(".labkit-tools .widget-label")
    said = page.locator(".labkit-note-card").nth(1)

    def press(button: str) -> None:
        of_card = page.locator(".labkit-tools").get_by_role("button", name=button)
        expect(of_card).to_be_enabled(timeout=SLOW)
        of_card.click()

    notebook.run(0)
    notebook.run(1)
    expect(state).to_contain_text("10 of 10 replicas run 1.0", timeout=SLOW)
    expect(page.locator(".labkit-card-ways")).to_be_hidden()
    press("Hint")
    expect(said).to_contain_text("Hint 1 of 3", timeout=QUICK)
    screenshot(page, "workbench-hint")

    notebook.run(2)
    expect(state).to_contain_text("replicas run 1.1", timeout=QUICK)
    press("Check")
    expect(state).to_contain_text("Waiting.", timeout=QUICK)
    until(lambda: not notebook.busy(), "the kernel to be free while the check waits", 10)
    screenshot(page, "workbench-waiting")
    expect(said).to_contain_text("not yet", timeout=SLOW)
    expect(said).to_contain_text("press Start again")
    screenshot(page, "workbench-not-yet")

    press("Start again")
    expect(said).to_contain_text("Started again", timeout=SLOW)
    expect(state).to_contain_text("10 of 10 replicas run 1.0", timeout=QUICK)
    panel = page.locator(".labkit-panel")
    expect(panel.locator(".labkit-live")).to_have_text("live", timeout=QUICK)
    expect(panel).to_have_count(1)
    screenshot(page, "workbench-again")
    notebook.run(3)
    expect(state).to_contain_text("replicas run 1.1", timeout=QUICK)
    press("Check")
    expect(said).to_contain_text("passed", timeout=SLOW)
    screenshot(page, "workbench-passed")
    assert problems(page, ".labkit-tools", ".labkit-note-card") == []

    notebook.run(4)
    press("Solution")  # what it shows while a cell blocks is up to the kernel
    notebook.release()
    expect(said).to_contain_text("A solution", timeout=QUICK)
    notebook.save()
    book = nbformat.read(notebook.lab.folder / notebook.name, 4)
    from nbconvert import HTMLExporter  # which takes each process half a second

    exported, _ = HTMLExporter().from_notebook_node(book)
    assert "VBox(children" not in exported
    assert "A solution" in exported
    assert "there are buttons here: Check" in exported

    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
    expect(page.locator(".labkit-tools .jupyter-button").first).to_be_hidden(timeout=QUICK)
    expect(page.locator(".labkit-card-ways").first).to_be_visible()
    screenshot(page, "workbench-restarted")


#: An exercise that needs no engine, of a learner in a room.
RIDDLE = """
import os, tempfile
os.environ |= {"LABKIT_HOME": tempfile.mkdtemp(), "LABKIT_CLASS": "class", "LABKIT_ALIAS": "ada"}
os.makedirs("class", exist_ok=True)
import labkit
labkit.exercise("read-backwards")
"""


@pytest.mark.browser
def test_a_card_is_worked_by_keyboard_and_says_what_waits(lab: Lab, page: Page) -> None:
    """In both themes, with nothing serious for axe.

    The instructor sees live who is stuck, until the learner takes it back. A page that is
    reloaded while a cell blocks the kernel has the card and the question at once, and answers.
    """
    ended, asks = lab.folder / "ended", 'labkit.question("scale-touched")'
    notebook = Notebook(lab, page, [RIDDLE, f"{BLOCK}open('ended', 'w')", asks])
    notebook.answer_in_turn()
    notebook.run(0)
    notebook.run(2)
    expect(page.locator(".labkit-note-card").first).to_contain_text("under the alias ada")
    hint, waits = page.get_by_role("button", name="Hint"), page.locator(".labkit-waits")
    said = page.locator(".labkit-note-card").nth(1)
    hint.press("Enter")
    expect(said).to_contain_text("Hint 1 of 3")
    expect(hint).to_be_enabled()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    expect(said).to_contain_text("Hint 2 of 3")
    page.get_by_role("button", name="I'm stuck").press("Enter")
    for theme in ("Dark", "Light"):
        put_on(page, theme)
        expect(page.locator("#jupyterlab-splash")).to_have_count(0)
        screenshot(page, f"card-{theme}")
        assert problems(page, ".labkit-tools", ".labkit-note-card") == [], theme

    notebook.block(1)
    hint.press("Enter")
    expect(waits).to_contain_text("when that has ended")
    screenshot(page, "card-waits")
    notebook.release()
    expect(said).to_contain_text("Hint 3 of 3")
    expect(waits).to_have_count(0)

    file = lab.folder / notebook.name
    until(lambda: "Hint 3 of 3" in file.read_text(), "the answer to be saved at once")
    ended.unlink()
    notebook.block(1)
    notebook.open(kernel=False)
    with serving(lab.folder / "class") as address, new_page(page.context) as instructor:
        instructor.goto(address)
        asking = instructor.locator(".labkit-asking")
        expect(asking).to_contain_text("ada")
        assert problems(instructor, "main") == []
        screenshot(instructor, "room-asks")
        page.bring_to_front()  # a page in the background may not be drawn
        page.get_by_role("button", name="take it back").press("Enter")
        expect(asking).to_have_count(0)
    page.get_by_role("button", name="Solution").press("Enter")
    expect(said).to_contain_text("A solution")
    page.get_by_label("None of them").check()
    expect(page.locator(".labkit-asked")).to_contain_text("Noted: None of them.")
    screenshot(page, "card-reloaded-while-a-cell-blocks")
    assert not ended.exists(), "the cell blocks all the time"
    assert notebook.busy(), "JupyterLab shows that it does"


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve the room as an instructor does; gives its address."""
    command = [sys.executable, "-m", "labkit", "class", str(folder), "--serve"]
    plainly = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=plainly) as process:
        yield re.findall(r"http\S+", process.stdout.readline())[0]
        process.terminate()
