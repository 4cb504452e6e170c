"""What no Docker engine is behind says so in the page, and its clock never runs backwards."""

from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from labkit import views
from labkit.recordings.recording import Recording
from labkit.views.live import page as assets
from labkit.views.state.sentences import badge_of
from tests.browser.pages import PLOT, Open
from tests.browser.test_accessibility import problems
from tests.views.acted import play

pytestmark = pytest.mark.browser

SIMULATED = badge_of("simulated")
assert SIMULATED


def made(recording: Recording) -> Recording:
    recording.header = replace(recording.header, provenance="simulated")
    return recording


@pytest.mark.parametrize("parts", [None, ["table"]])
def test_a_replay_carries_it(page: Page, opened: Open, parts: list[str] | None) -> None:
    recording, _, _ = play(16)
    opened.html(views.Replay(made(recording), parts).page)

    badge = page.locator(".labkit-made")
    expect(badge).to_have_text(SIMULATED.word)
    expect(badge).to_have_attribute("title", SIMULATED.meaning)
    assert problems(page) == []


def test_in_a_comparison_each_run_says_it_for_itself(page: Page, opened: Open) -> None:
    one, _, _ = play(16)
    other, _, _ = play(30, pace=2)
    compared = views.Comparison([made(one), other], ["simulated here", "in truth"])
    opened.html(compared.page)
    expect(page.locator(PLOT)).to_be_visible()

    assert page.locator(".labkit-made").all_text_contents() == ["simulated"]
    expect(page.get_by_role("row", name="simulated here")).to_contain_text("simulated")
    assert problems(page) == []


def test_a_page_s_clock_never_runs_backwards(page: Page) -> None:
    """Between messages it goes by the page's own clock, and the kernel's may be slower, or late."""
    seen = page.evaluate(
        f"""async () => {{
            {assets.module().replace("export default", "const widget =").replace("export ", "")}
            const nothing = {{ tasks: [], moves: [], gone: [], steps: [], windows: [], speed: [] }};
            const began = 1e12;
            const viewState = new ViewState({{ ...nothing, seq: 0, origin: began, now: began }});
            const seen = [];
            const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
            for (const [number, now] of [1000, 990, 1010, 21_000, 20_990, 21_010].entries()) {{
                viewState.follow({{ seq: number + 1, now: began + now }});
                for (let look = 0; look < 4; look += 1) {{
                    seen.push(viewState.at);
                    await rest(25);
                }}
            }}
            viewState.follow({{ seq: 7, now: began - 3_600_000 }});
            seen.push(viewState.now - began);
            return seen;
        }}"""
    )
    *moments, set_back = seen

    assert moments == sorted(moments)
    assert 21_000 <= moments[-1] < 22_000
    assert -3_600_000 <= set_back < -3_500_000, "a kernel's clock that is set back is followed"
