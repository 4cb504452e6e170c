"""The lesson as a site: JupyterLite and an engine, in a browser, from a web server of files."""

import functools
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.lab import screenshot

pytestmark = [pytest.mark.browser, pytest.mark.long]

ROOT = Path(__file__).resolve().parents[2]
_CELLS = """() => [...jupyterapp.shell.currentWidget.content.model.cells]
    .filter((cell) => cell.type === "code")
    .map((cell) => ({ count: cell.executionCount, source: cell.sharedModel.source,
                      outputs: cell.outputs.toJSON() }))"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The address of the site, built anew; it is not the root of its server."""
    subprocess.run([sys.executable, ROOT / "site" / "build.py"], check=True)
    handler = functools.partial(_Quiet, directory=str(ROOT / "build"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/site"
        server.shutdown()


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
