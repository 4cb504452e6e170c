"""A class of three on a real hub, through its real proxy, in three browsers."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.lab import screenshot
from tests.browser.test_lesson import Cell
from tests.hub.hubs import ISOLATIONS, ROOT, START, Desk, Hub, has_what_it_needs
from tests.waiting import until

pytestmark = [pytest.mark.hub, pytest.mark.browser, pytest.mark.timeout(1500)]
NOTEBOOK = "01-rolling-updates.ipynb"
KEPT = "from pathlib import Path\n"


@pytest.fixture(params=ISOLATIONS)
def hub(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Hub]:
    """A hub on which learners are kept apart in a way."""
    has_what_it_needs(request.param)
    with Hub(tmp_path, request.param) as started:
        yield started
    assert started.left() == []


@pytest.fixture
def desks(hub: Hub, browser: Browser) -> Iterator[list[Desk]]:
    """Three learners, who log in at the same time and are in the first notebook."""
    with ExitStack() as open_contexts:
        seated = []
        for name in ("ada", "grace", "edsger"):
            context = browser.new_context(viewport={"width": 1280, "height": 900})
            open_contexts.callback(context.close)
            seated.append(Desk(hub, context.new_page(), name))
        for desk in seated:
            desk.log_in()
        for desk in seated:
            desk.sits()
        yield seated


def test_a_class_loses_nothing_and_leaves_nothing(hub: Hub, desks: list[Desk]) -> None:
    ada, grace, edsger = desks
    screenshot(ada.page, f"hub-{hub.isolation}-first")
    update_with_the_hub_away(hub, ada)
    look_at_the_page_of_dockercoins(hub, ada)
    is_refused_at_another_ones(hub, grace)
    log_out(hub, edsger)
    has_a_server_that_is_killed(hub, grace)


def update_with_the_hub_away(hub: Hub, ada: Desk) -> None:
    """An update that goes on, and the kernel with it, while the hub is restarted."""
    ada.open_notebook(NOTEBOOK)
    for start in ("import labkit", "from labkit import lessons", "labkit.build", "view = labkit"):
        ada.through(cell(start))
    ada.through(cell("labkit.update"))
    typed = ada.through(cell('labkit.check("type-image")'))
    ada.through(cell('view.wait_for_replicas("1.1", 5)'))
    ada.through(cell("from labkit.recordings import story"))
    hub.stop()
    hub.start()
    ada.through(cell("view.wait()"))

    expect(typed).to_contain_text("passed")
    facts = ada.through(cell("recording = view.recording"))
    expect(facts).to_contain_text("'1.1': 10")
    screenshot(ada.page, f"hub-{hub.isolation}-updated")


def look_at_the_page_of_dockercoins(hub: Hub, ada: Desk) -> None:
    """Through the proxy, at the address that labkit prints."""
    said = typed(ada, "from labkit.lessons import coins\nprint(coins.webui(swarm, step.stack))")
    path = said.strip()
    page = ada.page.context.new_page()
    page.goto(hub.url(path.removeprefix("/")))

    assert path.startswith("/user/ada/proxy/")
    expect(page.locator("body")).to_contain_text("hashes")
    counter = hub.url(path[1:] + "json")
    until(lambda: page.request.get(counter).json().get("hashes"), "the page to say a number", 60)
    screenshot(page, f"hub-{hub.isolation}-coins")
    page.close()


def is_refused_at_another_ones(hub: Hub, grace: Desk) -> None:
    page = grace.page.context.new_page()

    for path in ("user/ada/lab", "user/ada/api/contents", "user/ada/proxy/8000/"):
        assert page.goto(hub.url(path)).status == 403
    screenshot(page, f"hub-{hub.isolation}-refused")
    page.close()


def log_out(hub: Hub, edsger: Desk) -> None:
    """Whoever has logged out has to log in again, and finds the server as it was."""
    edsger.page.goto(hub.url("hub/logout"))
    edsger.page.goto(hub.url("user/edsger/lab"))

    expect(edsger.page.locator("#password_input")).to_be_visible()
    edsger.log_in()
    edsger.sits()


def has_a_server_that_is_killed(hub: Hub, grace: Desk) -> None:
    """With the server ends the engine, and the next one has the files."""
    grace.open_notebook(NOTEBOOK)
    typed(grace, KEPT + "Path('mine.txt').write_text('kept')")
    hub.kill_server("grace")
    until(lambda: hub.left("grace") == [], "the engine of who has no server to be stopped", 90)

    # the hub may notice later than the engine does, and lead to the server that is gone
    spawn = hub.url("hub/spawn")
    until(lambda: grace.page.goto(spawn, timeout=START).status < 500, "a new server", 60, every=1)
    grace.page.wait_for_url("**/user/grace/lab**", timeout=START)
    grace.open_notebook(NOTEBOOK)

    assert typed(grace, KEPT + "print(Path('mine.txt').read_text())").strip() == "kept"


def cell(begins: str) -> Cell:
    """The first code cell of the notebook that begins so."""
    cells = json.loads((ROOT / "notebooks" / NOTEBOOK).read_text())["cells"]
    return next(
        Cell(each["id"])
        for each in cells
        if each["cell_type"] == "code" and "".join(each["source"]).startswith(begins)
    )


def typed(desk: Desk, source: str) -> str:
    """What a cell prints that a learner adds at the top."""
    return desk.through(desk.typed(source, after=cell("import labkit"))).inner_text()
