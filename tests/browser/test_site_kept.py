"""What stays of the site in a browser, and what a learner can do about it."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.pages import served
from tests.browser.test_site import Desk, _execute

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.timeout(600)]

#: The service worker gets a copy of each file that the lab needs.
_COPIED = """async () => {
    const names = await (await fetch(new URL("../engine/offline.json", location))).json();
    const copy = (name) => caches.match(new URL(`../${name}`, location));
    for (let tries = 0; tries < 600; tries++) {
        if ((await Promise.all(names.map(copy))).every(Boolean)) return true;
        await new Promise((later) => setTimeout(later, 200));
    }
}"""


@pytest.fixture(scope="module")
def server() -> Iterator[ExitStack]:
    """A web server of this module's own, which a test may end."""
    with ExitStack() as running:
        yield running


@pytest.fixture(scope="module")
def desk(browser: Browser, site: Path, server: ExitStack) -> Iterator[Desk]:
    """A page of a browser that was never here before."""
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        made = Desk(context, server.enter_context(served(site)))
        yield made
        made.close()


def test_an_engine_that_ended_is_replaced_and_the_learner_is_told(
    desk: Desk, browser: Browser
) -> None:
    again = "page._LIMIT_SECONDS = 5; step = labkit.reset(0); print(len(swarm.get('/services')))"
    with desk.notebook("00-start-here.ipynb") as page:
        _execute(page, "import labkit; from labkit.engines import page; swarm = labkit.connect()")
        _end_engine(browser)

        said = _execute(page, again)

    assert "Another one takes its place, with an empty swarm" in said
    assert said.endswith("\n5\n")


def test_the_lab_works_without_a_network_after_the_first_visit(
    desk: Desk, server: ExitStack
) -> None:
    with desk.notebook("00-start-here.ipynb") as page:
        assert page.evaluate(_COPIED)

    server.close()
    desk.reload()

    with desk.notebook("01-rolling-updates.ipynb") as page:
        assert "Connected" in _execute(page, "import labkit; labkit.connect()")


def _end_engine(browser: Browser) -> None:
    session = browser.new_browser_cdp_session()
    targets = session.send("Target.getTargets")["targetInfos"]
    (engine,) = (each["targetId"] for each in targets if each["type"] == "shared_worker")
    attached = session.send("Target.attachToTarget", {"targetId": engine})["sessionId"]
    ends = json.dumps({"id": 1, "method": "Runtime.evaluate", "params": {"expression": "close()"}})
    session.send("Target.sendMessageToTarget", {"sessionId": attached, "message": ends})
    session.detach()
