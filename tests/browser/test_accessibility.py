"""axe-core finds nothing serious in any view, in light and in dark."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from labkit import views
from tests.browser.lab import Lab, Notebook
from tests.browser.pages import Open, put_on
from tests.browser.test_live_view import acted, watching
from tests.views.acted import play

pytestmark = pytest.mark.browser

SERIOUS = ("serious", "critical")


def problems(page: Page, *parts: str) -> list[tuple[str, str]]:
    """What axe finds in the views of a page, or in other parts of it: its help, and the element."""
    there = [part for part in parts or (".labkit-watch",) if page.locator(part).count()]
    assert there, f"there is none of {parts}"
    # JupyterLab's body has no height and hides what flows over: axe would take all for unseen
    page.add_style_tag(content="body { overflow: visible !important }")
    found = Axe().run(page, context={"include": [[part] for part in there]})
    return [
        (violation["help"], node["html"])
        for violation in found.response["violations"]
        if violation["impact"] in SERIOUS
        for node in violation["nodes"]
    ]


def test_what_is_too_pale_is_found_in_jupyterlab(lab: Lab, page: Page) -> None:
    """Else the tests here would find nothing to complain about."""
    watching(lab, page, "pace=0.5")
    expect(page.locator(".labkit-badge")).to_have_text("updating", timeout=20_000)
    page.add_style_tag(content=".labkit-watch * { color: #bbb !important }")

    assert problems(page)


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_a_live_view_in_jupyterlab(lab: Lab, page: Page, theme: str) -> None:
    notebook = Notebook(lab, page, [acted("pace=0.5")])
    put_on(page, theme)
    notebook.run(0)
    expect(page.locator(".labkit-badge")).to_have_text("updating", timeout=20_000)
    expect(page.locator(".js-plotly-plot path.js-fill").first).to_be_visible(timeout=20_000)
    # one that lasts: axe may come while a row is being put in
    found = problems(page) and problems(page)
    put_on(page, "Light")

    assert found == []


def test_a_page_of_a_recording_with_a_row_explained(page: Page, opened: Open) -> None:
    recording, _, _ = play(16)
    opened.html(views.html(recording))
    page.locator(".labkit-ps tbody tr:not([hidden])").first.click()

    assert problems(page) == []


def test_a_replay_and_a_comparison(page: Page, opened: Open) -> None:
    fast, _, _ = play(16)
    slow, _, _ = play(30, pace=2)
    for drawn in (views.Replay(fast), views.Comparison([fast, slow], ["fast", "slow"])):
        opened.html(drawn.page)
        expect(page.locator(".js-plotly-plot").first).to_be_visible()

        assert problems(page) == []
