"""Views beside the notebook, in a real JupyterLab."""

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.lab import BLOCK, Lab, Notebook, new_page, screenshot
from tests.browser.pages import running
from tests.browser.test_live_view import acted, watching
from tests.waiting import until

pytestmark = pytest.mark.browser

#: Opens a terminal right of the notebook.
_TERMINAL = """async () => {
  const { shell, commands } = jupyterapp;
  const ref = shell.currentWidget.id;
  shell.add(await commands.execute("terminal:create-new"), "main", { mode: "split-right", ref });
}"""
PANEL, LINE = ".labkit-panel", ".jp-NotebookPanel .labkit-line"

#: Counts in each frame the views that are to be seen in the panel, wholly drawn: `shown`.
_COUNT = """() => {
  globalThis.shown = [];
  const look = () => {
    const rows = [...document.querySelectorAll(".labkit-panel .labkit-ps:has(tbody tr)")];
    shown.push(rows.filter((each) => each.checkVisibility({ visibilityProperty: true })).length);
    if (document.querySelector('.labkit-panel')) requestAnimationFrame(look);
  };
  look();
}"""

#: Notes in each frame which update status the panel shows: `seen`.
_SEEN = """
  globalThis.seen = new Set();
  const look = () => {
    const shown = document.querySelector(".labkit-panel .labkit-badge")?.textContent;
    if (shown) seen.add(shown);
    requestAnimationFrame(look);
  };
  look();
"""


def test_a_view_is_beside_the_notebook_until_a_button_moves_it(lab: Lab, page: Page) -> None:
    """A line stays in the cell; the end of the update changes nothing of where it is.

    In the cell it is in sight; beside the notebook again it is above a terminal that is there.
    A busy page may show a notebook before it has loaded what makes panels.
    """
    notebook = Notebook(lab, page, [acted("pace=1, rest=4")])
    page.evaluate("() => { globalThis.late = labkitPanels; delete globalThis.labkitPanels; }")
    notebook.run(0)
    expect(page.locator(".jp-NotebookPanel .labkit-badge")).to_have_count(1)
    page.evaluate("globalThis.labkitPanels = late")
    page.evaluate("() => document.dispatchEvent(new Event('labkit-panels'))")
    panel = page.locator(PANEL)
    expect(panel.locator(".labkit-live")).to_have_text("live")
    expect(page.locator(LINE)).to_contain_text("is open beside the notebook")
    screenshot(page, "beside")
    left, beside = page.locator(".jp-NotebookPanel").bounding_box(), panel.bounding_box()
    assert left
    assert beside
    assert beside["x"] >= left["x"] + left["width"]

    page.evaluate(_COUNT)
    expect(panel.locator(".labkit-end")).to_contain_text("has settled", timeout=60_000)
    expect(page.locator(".jp-NotebookPanel [data-part=slots]")).to_have_count(0)
    screenshot(page, "beside-ended")
    page.wait_for_function("() => shown.at(-1) === 1 && shown.length > 9")
    assert set(page.evaluate("() => shown")) == {1}, (
        "the snapshot takes the place of the view at once"
    )
    panel.get_by_role("button", name="Show in the cell").click()
    expect(panel).to_have_count(0)
    in_the_cell = page.locator(".jp-NotebookPanel .labkit-place")
    expect(in_the_cell.locator(".labkit-badge")).to_have_text("completed")
    expect(in_the_cell.locator(".labkit-badge")).to_be_in_viewport()
    page.evaluate(_TERMINAL)
    terminal = page.locator(".jp-Terminal")
    expect(terminal).to_be_visible()
    in_the_cell.get_by_role("button", name="Show beside the notebook").click()
    expect(panel.locator(".labkit-badge")).to_have_text("completed")
    above, below = panel.bounding_box(), terminal.bounding_box()
    assert above
    assert below
    assert abs(above["x"] - below["x"]) < 3, "but for a border"
    assert above["y"] + above["height"] <= below["y"]
    screenshot(page, "beside-again")


def test_in_notebook_7_a_view_is_in_its_cell(lab: Lab, context: BrowserContext) -> None:
    """It has no place beside a notebook, so no button offers to move the view there.

    Of errors in the page only those count in which labkit has a part: without it, too, it has some.
    """
    name = lab.write([acted("pace=0.1, rest=0.3")])
    with new_page(context, "") as page:
        page.goto(lab.url(f"notebooks/{name}"))
        idle = page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")
        expect(idle).to_be_attached(timeout=60_000)

        asked = page.locator(".jp-InputPrompt", has_text=re.compile(r"[*\d]"))

        def taken() -> bool:
            """Run the cell, which does nothing while the session is not quite ready."""
            if not asked.count():
                page.locator(".jp-Cell .cm-content").press("Control+Enter")
            return bool(asked.count())

        until(taken, "the kernel to take the cell", 60, every=1)
        view = page.locator(".jp-Cell .labkit-place")
        expect(view.locator(".labkit-end")).to_contain_text("has settled", timeout=60_000)
        expect(view.locator(".labkit-badge")).to_have_text("completed")
        expect(view.locator("[data-part=slots] .main-svg").first).to_be_visible()
        expect(page.locator(f"{PANEL}, .labkit-line")).to_have_count(0)
        expect(page.get_by_role("button", name="Show beside the notebook")).to_be_hidden()
        screenshot(page, "notebook-7")


@pytest.mark.usefixtures("anew")
def test_on_a_phone_the_notebook_has_the_width(lab: Lab, page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    watching(lab, page, "pace=0.3, rest=0.5")
    notebook = page.locator(".jp-NotebookPanel")
    expect(notebook.locator(".labkit-live")).to_have_text("live")
    assert notebook.evaluate("(it) => it.clientWidth") > 300


@pytest.mark.usefixtures("anew")
def test_the_next_view_of_a_service_takes_the_panel_over(lab: Lab, page: Page) -> None:
    """There is one panel; the older view is a line that shows it again, also after a reload."""
    notebook = watching(lab, page, "pace=0.2, rest=0.5", acted("pace=30"))
    panel, lines = page.locator(PANEL), page.locator(LINE)
    expect(panel.locator(".labkit-end")).to_contain_text("has settled", timeout=20_000)
    notebook.run(1)
    expect(panel.locator(".labkit-live")).to_have_text("live")

    def is_so() -> None:
        expect(panel).to_have_count(1)
        expect(lines.first).to_contain_text("The view of dc_worker from")
        expect(lines.last).to_contain_text("is open beside the notebook")
        expect(panel.locator(".labkit-live")).to_have_text("live")

    is_so()
    screenshot(page, "beside-taken-over")
    until(lambda: notebook.has_kept(1), "the view to be in the file")
    newest = page.evaluate("() => labkitPanels.all.get('dc_worker').origin")
    until(lambda: str(newest) in layouts(lab), "the layout to be saved")
    page.add_init_script(_SEEN)
    page.reload()
    is_so()
    assert page.evaluate("() => [...seen]") == ["updating"], "the older one is never in the panel"
    lines.first.get_by_role("button", name="Show it here").click()
    expect(page.locator(".jp-NotebookPanel .labkit-badge")).to_have_text("completed")


def test_a_view_goes_on_while_a_cell_blocks_the_kernel_also_after_a_reload(
    lab: Lab, page: Page
) -> None:
    """The page that was reloaded shows what is, and what the cell puts out later is below it."""
    cells = [acted("pace=3, rest=2, slots=40"), f"{BLOCK}print('went on')"]
    notebook = Notebook(lab, page, cells)
    notebook.run(0)
    until(lambda: notebook.has_kept(0), "the view to be in the file")
    notebook.run(1)
    seen: set[int] = set()
    until(lambda: seen.add(running(page, "1.1")) or len(seen) > 2, "the view to move", 60)  # type: ignore[func-returns-value]
    assert notebook.busy()
    expect(page.locator(".labkit-chart .js-plotly-plot path.js-fill").nth(1)).to_be_attached()
    expect(page.locator(".labkit-badge")).to_have_text("updating")
    page.reload()
    page.wait_for_selector(".jp-NotebookPanel .jp-Cell", timeout=60_000)

    until(lambda: running(page, "1.1") > max(seen), "the view to go on", 60)
    screenshot(page, "beside-while-a-cell-blocks")
    expect(page.locator(LINE)).to_contain_text("is open beside the notebook")
    expect(page.locator(PANEL).locator(".labkit-live")).to_have_text("live")
    notebook.release()
    expect(page.locator(".jp-NotebookPanel .jp-OutputArea").last).to_contain_text("went on")


def layouts(lab: Lab) -> str:
    """What JupyterLab has written of its layouts."""
    return "".join(path.read_text() for path in (lab.folder / "workspaces").glob("*"))
