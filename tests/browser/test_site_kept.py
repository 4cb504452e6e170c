"""What stays of the site in a browser, and what a learner can do about it."""

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, closing
from hashlib import sha256
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.lab import screenshot
from tests.browser.pages import served
from tests.browser.test_site import Desk, execute
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.timeout(600)]

_NOTEBOOK = "00-start-here.ipynb"
#: What a learner does with its first cell in JupyterLab.
_EDIT = """async (source) => {
    const { content, context } = person.panel;
    content.widgets[0].model.sharedModel.setSource(source);
    await context.save();
}"""
_FIRST_CELL = """async (path) => {
    const found = await jupyterapp.serviceManager.contents.get(path, { content: true });
    return [found.content.cells[0].source].flat().join("");
}"""
_IS_THERE = """async (path) =>
    Boolean(await jupyterapp.serviceManager.contents.get(path).catch(() => null))"""
_IS_NEW_PAGE = """() => globalThis.person === undefined
    && globalThis.jupyterapp?.shell.currentWidget?.context?.isReady"""
_KEEP = """from labkit.base import settings
folder = settings.home() / ".labkit"
folder.mkdir(exist_ok=True)
(folder / "mine").write_text("mine")"""
_ASK_NOBODY = """from js import fetch
fetch("/site/api/drive/labkit", method="POST", body='{"browsingContextId": "nobody"}')"""
#: Something large, that the service worker gives from its copy of its version of the site.
_LARGE = "labkit/views.css"
#: Whether a write is refused; Chromium goes by the room that it saw up to half a minute ago.
_IS_FULL = """() => new Promise((done) => {
    const opened = indexedDB.open("probe");
    opened.onupgradeneeded = () => opened.result.createObjectStore("written");
    opened.onerror = () => done(true);
    opened.onsuccess = () => {
        const write = opened.result.transaction("written", "readwrite");
        write.oncomplete = () => { opened.result.close(); done(false); };
        write.onabort = () => { opened.result.close(); done(true); };
        write.objectStore("written").put("something", 1);
    };
})"""
_READ = "async (name) => (await fetch(new URL(`../${name}`, location))).text()"
#: The service worker gets a copy of each file that the lab needs.
_COPIED = """async () => {
    const list = await (await fetch(new URL("../engine/offline.json", location))).json();
    const names = Object.keys(list);
    const copy = (name) => caches.match(new URL(`../${name}`, location), { ignoreSearch: true });
    for (let tries = 0; tries < 600; tries++) {
        if ((await Promise.all(names.map(copy))).every(Boolean)) return true;
        await new Promise((later) => setTimeout(later, 200));
    }
}"""


@pytest.fixture(scope="module")
def copied(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site that a test may change."""
    return Path(shutil.copytree(site, tmp_path_factory.mktemp("copied") / "site"))


@pytest.fixture(scope="module")
def server() -> Iterator[ExitStack]:
    """A web server of this module's own, which a test may end."""
    with ExitStack() as running:
        yield running


@pytest.fixture(scope="module")
def desk(browser: Browser, copied: Path, server: ExitStack) -> Iterator[Desk]:
    """A page of a browser that was never here before."""
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        made = Desk(context, server.enter_context(served(copied)))
        yield made
        made.close()


@pytest.mark.site
def test_an_engine_that_ended_is_replaced_and_the_learner_is_told(
    desk: Desk, browser: Browser
) -> None:
    again = "page._LIMIT_SECONDS = 5; step = labkit.reset(0); print(len(swarm.get('/services')))"
    with desk.notebook(_NOTEBOOK) as page:
        execute(page, "import labkit; from labkit.engines import page; swarm = labkit.connect()")
        _end_engine(browser)

        said = execute(page, again)

    assert "Another one takes its place, with an empty swarm" in said
    assert said.endswith("\n5\n")


@pytest.mark.site
def test_what_the_browser_has_no_room_for_is_said_and_stored_later(desk: Desk) -> None:
    with desk.notebook(_NOTEBOOK) as page:
        execute(page, "import labkit")
        origin = {"origin": page.evaluate("() => origin")}
        room = page.context.new_cdp_session(page)
        room.send("Storage.overrideQuotaForOrigin", {**origin, "quotaSize": 1})
        try:
            until(
                lambda: page.evaluate(_IS_FULL), "the browser to see that it is full", 120, every=1
            )
            said = execute(page, _KEEP)
            assert "Your browser does not store your files and your progress" in said
            assert not page.evaluate(_IS_THERE, ".labkit/mine")
        finally:
            room.send("Storage.overrideQuotaForOrigin", origin)

        assert execute(page, "pass") == ""
        assert page.evaluate(_IS_THERE, ".labkit/mine")


def test_newer_notebooks_hide_no_earlier_ones_and_are_not_hidden(desk: Desk, copied: Path) -> None:
    """Although the service worker can't be replaced: it still has something to answer."""
    with desk.notebook(_NOTEBOOK) as page:
        execute(page, f"import labkit\n{_KEEP}\n{_ASK_NOBODY}")
        page.evaluate(_EDIT, "mine")
        assert page.evaluate(_READ, _LARGE) != "newer"
        _make_newer(copied)

        desk.reload()

        assert page.evaluate(_READ, _LARGE) == "newer"

        assert page.evaluate(_FIRST_CELL, _NOTEBOOK) == "newer"
        assert page.evaluate(_FIRST_CELL, f"earlier/{_NOTEBOOK}") == "mine"
        assert page.evaluate(_IS_THERE, ".labkit/mine")


@pytest.mark.site
def test_a_page_that_was_forced_to_reload_opens(desk: Desk) -> None:
    """No service worker takes such a page."""
    with desk.notebook(_NOTEBOOK) as page:
        page.context.new_cdp_session(page).send("Page.reload", {"ignoreCache": True})
        page.wait_for_function(_IS_NEW_PAGE, timeout=120_000)
    desk.close()


def test_the_lab_works_without_a_network_and_forgets_everything_when_told(
    desk: Desk, server: ExitStack
) -> None:
    with desk.notebook(_NOTEBOOK) as page:
        assert page.evaluate(_COPIED)

    server.close()
    desk.reload()

    with desk.notebook("01-rolling-updates.ipynb") as page:
        assert "Connected" in execute(page, "import labkit; labkit.connect()")
        assert page.evaluate(_IS_THERE, ".labkit")
        _start_afresh(page)
        assert not page.evaluate(_IS_THERE, ".labkit")


@pytest.mark.site
def test_another_copy_of_the_site_keeps_its_own_files(browser: Browser, copied: Path) -> None:
    (copied.parent / "other").symlink_to(copied)
    with browser.new_context() as context, served(copied) as address:
        other = Desk(context, address.replace("/site", "/other"))
        with closing(other), other.notebook(_NOTEBOOK) as page:
            page.evaluate(_EDIT, "theirs")

        with closing(Desk(context, address)) as desk, desk.notebook(_NOTEBOOK) as page:
            assert page.evaluate(_FIRST_CELL, _NOTEBOOK) != "theirs"
            _start_afresh(page)

        with closing(other), other.notebook(_NOTEBOOK) as page:
            assert page.evaluate(_FIRST_CELL, _NOTEBOOK) == "theirs"


def _start_afresh(page: Page) -> None:
    page.evaluate("() => void jupyterapp.commands.execute('labkit:start-afresh')")
    screenshot(page, "site-start-afresh")
    page.get_by_role("button", name="Delete everything").click()
    page.wait_for_function(_IS_NEW_PAGE, timeout=120_000)


def _make_newer(site: Path) -> None:
    """Give the site another notebook and program, with the names that `site/build.py` makes."""
    path, settings = site / "files" / _NOTEBOOK, site / "jupyter-lite.json"
    notebook, config = json.loads(path.read_text()), json.loads(settings.read_text())
    notebook["cells"][0]["source"] = ["newer"]
    config["jupyter-config-data"]["contentsStorageName"] = "labkit newer"
    path.write_text(json.dumps(notebook))
    settings.write_text(json.dumps(config))
    (site / _LARGE).write_text("newer")
    offline = site / "engine" / "offline.json"
    digests = json.loads(offline.read_text()) | {_LARGE: sha256(b"newer").hexdigest()[:8]}
    offline.write_text(json.dumps(digests))
    worker = site / "service-worker.js"
    worker.write_text(f"{worker.read_text()}// newer")


def _end_engine(browser: Browser) -> None:
    session = browser.new_browser_cdp_session()
    targets = session.send("Target.getTargets")["targetInfos"]
    (engine,) = (each["targetId"] for each in targets if each["type"] == "shared_worker")
    attached = session.send("Target.attachToTarget", {"targetId": engine})["sessionId"]
    ends = json.dumps({"id": 1, "method": "Runtime.evaluate", "params": {"expression": "close()"}})
    session.send("Target.sendMessageToTarget", {"sessionId": attached, "message": ends})
    session.detach()
