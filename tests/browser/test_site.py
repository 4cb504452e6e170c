"""The lesson as a site: JupyterLite and an engine, in a browser, from a web server of files."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.lab import screenshot
from tests.browser.pages import served

pytestmark = [pytest.mark.browser, pytest.mark.long]

ROOT = Path(__file__).resolve().parents[2]
_CELLS = """() => [...jupyterapp.shell.currentWidget.content.model.cells]
    .filter((cell) => cell.type === "code")
    .map((cell) => ({ count: cell.executionCount, source: cell.sharedModel.source,
                      outputs: cell.outputs.toJSON() }))"""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The address of the site, built anew."""
    subprocess.run([sys.executable, ROOT / "site" / "build.py"], check=True)
    with served(ROOT / "build" / "site") as address:
        yield address


def test_the_first_notebook_runs_in_a_page(site: str, page: Page) -> None:
    _open(page, site, "00-start-here.ipynb")

    cells = _run_all(page)

    assert [cell["count"] for cell in cells] == [*range(1, len(cells) + 1)]
    assert [output for cell in cells for output in cell["outputs"] if _failed(output)] == []
    expect(page.locator(".labkit-panel .labkit-end")).to_contain_text("nothing moves any more")
    screenshot(page, "site-notebook-0")


def _open(page: Page, site: str, notebook: str) -> None:
    page.goto(f"{site}/lab/index.html?path={notebook}&speed=10")
    ready = "jupyterapp?.shell.currentWidget?.sessionContext?.kernelDisplayStatus === 'idle'"
    page.wait_for_function(f"() => globalThis.{ready}", timeout=120_000)


def _run_all(page: Page) -> list[dict[str, Any]]:
    """Run all cells, and return them with their outputs."""
    page.evaluate("() => jupyterapp.commands.execute('notebook:run-all-cells').then(() => null)")
    cells: list[dict[str, Any]] = page.evaluate(_CELLS)
    return cells


def _failed(output: dict[str, Any]) -> bool:
    return output["output_type"] == "error" or output.get("name") == "stderr"
