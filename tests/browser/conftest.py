"""A browser and a JupyterLab for the tests here; a page for each test.

They end with the last of these tests: a browser that is driven has an event loop running in
this thread, and other tests run loops of their own.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    ViewportSize,
    expect,
    sync_playwright,
)

from tests.browser.lab import REFUSE, Lab, new_page, watched
from tests.browser.pages import Open, served

# a machine that is busy draws late
expect.set_options(timeout=20_000)
SIZE: ViewportSize = {"width": 1280, "height": 900}
_CLOSE_ALL = "() => [...jupyterapp.shell.widgets('main')].forEach((each) => each.dispose())"


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture
def lab(server: Lab) -> Iterator[Lab]:
    """The JupyterLab that these tests share; what a test records ends with it."""
    yield server
    server.end_kernels()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium: the system's, or the one that Playwright installed.

    Without the browser's own windows (Debian's headless shell, which is what Playwright itself
    would take) it needs two thirds of the processor time.
    """
    found = map(shutil.which, ("chromium-headless-shell", "chromium", "google-chrome"))
    with sync_playwright() as playwright:
        expected = next(filter(None, found), playwright.chromium.executable_path)
        if not Path(expected).exists():
            if os.environ.get("CI"):
                pytest.fail("CI must run these tests in a real browser; there is no Chromium.")
            pytest.skip("needs Chromium")
        args = ["--no-sandbox", REFUSE]
        started = playwright.chromium.launch(executable_path=expected, args=args)
        yield started
        started.close()


@pytest.fixture(scope="package")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """What pages share: a cache, or each would load and compile JupyterLab anew."""
    shared = browser.new_context(viewport=SIZE)
    yield shared
    shared.close()


@pytest.fixture(scope="package")
def loaded() -> list[Page]:
    """The page in which JupyterLab has been loaded, if it may be used again."""
    return []


@pytest.fixture
def anew() -> None:
    """With this, a page is one in which nothing has been loaded before."""


@pytest.fixture
def page(
    request: pytest.FixtureRequest, context: BrowserContext, loaded: list[Page]
) -> Iterator[Page]:
    """A page that may ask this machine only; a request to any other fails the test.

    With `lab`, it is that of the test before, its notebooks closed, unless that has failed or
    another was opened: once behind another, a page may take none of its notebooks for the current.
    """
    if "lab" not in request.fixturenames or "anew" in request.fixturenames:
        while loaded:
            loaded.pop().close()
        with new_page(context) as opened:
            yield opened
        return
    opened = loaded.pop() if loaded else context.new_page()
    opened.set_viewport_size(SIZE)
    failed = request.session.testsfailed
    others: list[Page] = []

    def note(other: Page) -> None:
        others.append(other)

    context.on("page", note)
    with watched(opened):
        yield opened
    context.remove_listener("page", note)
    if others or request.session.testsfailed > failed:
        opened.close()
    else:
        opened.evaluate(_CLOSE_ALL)
        expect(opened.locator(".jp-Launcher")).to_be_visible()  # or it comes in front of the next
        loaded.append(opened)


@pytest.fixture
def opened(page: Page, tmp_path: Path) -> Open:
    """The same page, for what is shown without JupyterLab."""
    return Open(page, tmp_path)


@pytest.fixture(scope="package")
def site() -> Path:
    """The lab, the home page and the documentation, built anew.

    Sphinx ends with an error for what it warns of.
    """
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, root / "site" / "build.py"], check=True)
    return root / "build" / "site"


@pytest.fixture(scope="package")
def address(site: Path) -> Iterator[str]:
    """The address of the site on a web server of files."""
    with served(site) as found:
        yield found
