"""The lesson as a site: JupyterLite and an engine, in a browser, from a web server of files."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.lab import screenshot

pytestmark = [pytest.mark.browser, pytest.mark.long]

_CELLS = """() => [...jupyterapp.shell.currentWidget.content.model.cells]
    .filter((cell) => cell.type === "code")
    .map((cell) => ({ count: cell.executionCount, source: cell.sharedModel.source,
                      outputs: cell.outputs.toJSON() }))"""

_EXECUTE = """async (code) => {
    const { kernel } = jupyterapp.shell.currentWidget.sessionContext.session;
    const asked = kernel.requestExecute({ code });
    let said = "";
    asked.onIOPub = ({ content }) => { said += content.text ?? "" };
    const { content } = await asked.done;
    if (content.status !== "ok") throw new Error(content.evalue);
    return said;
}"""
#: In place of what the first cell has.
_IN_A_CELL = """async ([source, wait]) => {
    const { content } = jupyterapp.shell.currentWidget;
    content.activeCellIndex = content.widgets.findIndex(({ model }) => model.type === "code");
    content.activeCell.model.sharedModel.setSource(source);
    const ran = jupyterapp.commands.execute("notebook:run-cell");
    if (wait) await ran;
}"""
#: What a person does in JupyterLab's editor.
_EDIT = """async (path) => {
    const notebook = jupyterapp.shell.currentWidget.id;
    const editor = await jupyterapp.commands.execute("docmanager:open", { path });
    await editor.context.ready;
    editor.context.model.fromString(editor.context.model.toString() + "\\n# mine\\n");
    await editor.context.save();
    jupyterapp.shell.activateById(notebook);
}"""


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A context of its own: the site's engine runs on until that is closed."""
    own = browser.new_context(viewport={"width": 1280, "height": 900})
    yield own
    own.close()


def test_the_first_notebook_runs_in_a_page(address: str, page: Page) -> None:
    _open(page, address, "00-start-here.ipynb")

    cells = _run_all(page)

    assert [cell["count"] for cell in cells] == [*range(1, len(cells) + 1)]
    assert [output for cell in cells for output in cell["outputs"] if _failed(output)] == []
    expect(page.locator(".labkit-panel .labkit-end")).to_contain_text("nothing moves any more")
    screenshot(page, "site-notebook-0")


def test_what_is_edited_and_recorded_survives_a_reload_in_mid_update(
    address: str, page: Page
) -> None:
    _open(page, address, "01-rolling-updates.ipynb")
    _run(page, "import labkit; step = labkit.reset(1); view = labkit.watch(step.worker)")
    page.evaluate(_EDIT, "dockercoins/worker/worker.py")
    edited = '"# mine" in (step.folder / "worker" / "worker.py").read_text()'
    assert _run(page, f"print({edited})") == "True\n"
    _run(page, "labkit.update(step.worker, force=True); view.wait_for_replicas('1.0', 9)")

    page.reload()
    _wait_for_kernel(page)
    said = _run(page, "import labkit; labkit.resume(); print(view.wait())")

    assert "You have these again: step, swarm, view, recording" in said
    assert "The update has settled" in said
    assert _run(
        page, f"print({edited}, view.recording.header.started < view.recording.changes[0].at)"
    )


def test_a_click_is_answered_while_a_cell_waits(address: str, page: Page) -> None:
    _open(page, address, "00-start-here.ipynb")
    expect(page.locator(".jp-Dialog")).to_have_count(0)
    expect(page).to_have_title(re.compile("00-start"))
    _run_in_a_cell(page, "import labkit; step = labkit.reset(0)")
    _run_in_a_cell(page, "view = labkit.watch(step.worker); view")
    marked = "view.recording.marks()"
    waits = f"import time\nwhile not {marked}: time.sleep(0.1)\nprint({marked}[0][1])"
    _run_in_a_cell(page, waits, wait=False)

    panel = page.locator(".labkit-panel")
    panel.get_by_role("button", name="Mark").click()
    panel.locator(".labkit-mark-label").fill("half of them")
    page.keyboard.press("Enter")

    said = page.locator(".jp-OutputArea-output").filter(has_text="half of them")
    expect(said).to_have_count(1)


def _run_in_a_cell(page: Page, source: str, *, wait: bool = True) -> None:
    page.evaluate(_IN_A_CELL, [source, wait])


def _run(page: Page, code: str) -> str:
    """Run code in the notebook's kernel, and return what it prints. Raises what it raises."""
    said: str = page.evaluate(_EXECUTE, code)
    return said


def _open(page: Page, address: str, notebook: str) -> None:
    page.goto(f"{address}/lab/index.html?path={notebook}&speed=10")
    _wait_for_kernel(page)


def _wait_for_kernel(page: Page) -> None:
    ready = "jupyterapp?.shell.currentWidget?.sessionContext?.kernelDisplayStatus === 'idle'"
    page.wait_for_function(f"() => globalThis.{ready}", timeout=120_000)


def _run_all(page: Page) -> list[dict[str, Any]]:
    """Run all cells, and return them with their outputs."""
    page.evaluate("() => jupyterapp.commands.execute('notebook:run-all-cells').then(() => null)")
    cells: list[dict[str, Any]] = page.evaluate(_CELLS)
    return cells


def _failed(output: dict[str, Any]) -> bool:
    return output["output_type"] == "error" or output.get("name") == "stderr"
