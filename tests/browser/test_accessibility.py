"""axe-core finds nothing serious in any view, in light and in dark."""

from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from labkit import views
from tests.browser.pages import Open, at_moment
from tests.views.acted import failing, play

pytestmark = pytest.mark.browser

SERIOUS = ("serious", "critical")


def problems(page: Page, *parts: str) -> list[tuple[str, str]]:
    """What axe finds in the views of a page, or in other parts of it: its help, and the element."""
    there = [part for part in parts or (".labkit-watch",) if page.locator(part).count()]
    assert there, f"there is none of {parts}"
    # JupyterLab's body has no height and hides what flows over: axe would take all for unseen
    shown = page.add_style_tag(content="body { overflow: visible !important }")
    # what passes is not described, which takes half of the time
    only = {"resultTypes": ["violations"]}
    found = Axe().run(page, context={"include": [[part] for part in there]}, options=only)
    shown.evaluate("(tag) => tag.remove()")
    return [
        (violation["help"], node["html"])
        for violation in found.response["violations"]
        if violation["impact"] in SERIOUS
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_page_of_a_recording_with_a_row_explained(
    page: Page, opened: Open, theme: Literal["light", "dark"]
) -> None:
    """Wide, and as narrow as a panel can be."""
    page.emulate_media(color_scheme=theme)
    opened.html(views.html(failing()))
    page.locator(".labkit-ps tbody tr:not([hidden])").first.click()
    for width in (1280, 600, 320):
        page.set_viewport_size({"width": width, "height": 900})

        assert problems(page) == []


def test_a_view_is_used_by_keyboard_alone(page: Page, opened: Open) -> None:
    """From the top, by Tab, arrows and Enter: a mark, a task of a chart, a row of the table."""
    _, _, state = play(16)
    opened.view(at_moment(state, state.full()["origin"] + 16_000), kernel=True)
    expect(page.locator(".js-plotly-plot path.js-fill").first).to_be_attached()
    why = page.locator(".labkit-why")
    press(page, "Tab", "Enter")
    page.keyboard.type("all there")
    press(page, "Enter")
    assert page.evaluate("sent.map(({ mark }) => mark)") == ["all there"]

    press(page, "Tab", "Tab", "Tab", "ArrowDown", "Enter")
    expect(why).to_contain_text("dc_worker.1, 1.1")
    press(page, "Escape")
    expect(why).to_be_hidden()

    press(page, "Tab", "Tab", "ArrowDown", "Enter")  # there is a button that unfolds all
    expect(why).to_contain_text("dc_worker.2")
    press(page, "Escape")
    expect(why).to_be_hidden()
    expect(page.locator(".labkit-ps tr:focus")).to_contain_text("dc_worker.2")


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_a_replay_and_a_comparison(page: Page, opened: Open) -> None:
    fast, _, _ = play(16)
    slow, _, _ = play(30, pace=2)
    for drawn in (views.Replay(fast), views.Comparison([fast, slow], ["fast", "slow"])):
        opened.html(drawn.page)
        expect(page.locator(".js-plotly-plot").first).to_be_visible()

        assert problems(page) == []
