"""A recording played again, and several side by side, in pages of their own."""

import json
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from labkit.views.live import page as assets
from labkit.views.live.replay import Replay
from labkit.views.static.comparison import Comparison
from tests.browser.lab import screenshot
from tests.browser.pages import PLOT, Open, running
from tests.views.acted import play
from tests.waiting import until

pytestmark = pytest.mark.browser


@pytest.fixture
def replay(page: Page, opened: Open) -> Locator:
    """The replay of an acted update of 13 seconds: its controls."""
    recording, _, _ = play(16)
    opened.html(Replay(recording, ["head", "slots", "table"]).page)
    return page.get_by_role("group", name="Replay")


def clock(replay: Locator) -> float:
    """The slider's time, in seconds."""
    return float(replay.get_by_role("slider").input_value()) / 1000


def test_a_replay_begins_with_all_of_it(page: Page, replay: Locator) -> None:
    """Whoever only looks sees the end; Play begins at the beginning."""
    expect(page.locator(".labkit-badge")).to_have_text("completed")
    expect(replay.get_by_role("slider")).to_have_attribute("aria-valuetext", "0:13 of 0:13")
    assert running(page, "1.1") == 10

    replay.get_by_role("button", name="Play").click()
    until(lambda: clock(replay) < 3, "the beginning")
    until(lambda: running(page, "1.1") == 0 and running(page, "1.0") == 10, "its state")
    expect(page.locator(".labkit-live")).to_contain_text("recorded at")


def test_a_replay_goes_from_where_its_charts_begin(page: Page, opened: Open) -> None:
    """What was recorded long before the update is not drawn, so it is not played either."""
    recording, _, _ = play(24, rest=9)
    opened.html(Replay(recording, ["head", "slots"]).page)
    replay = page.get_by_role("group", name="Replay")
    replay.get_by_role("button", name="Play").click()
    until(lambda: clock(replay) < 20, "the beginning")
    replay.get_by_role("button", name="Pause").click()
    assert clock(replay) >= 6, "three seconds before the update"
    replay.get_by_role("slider").press("Home")
    assert clock(replay) == 6


def test_a_replay_is_what_the_recording_was_at_each_moment(page: Page, replay: Locator) -> None:
    """Forth and back, in any order, tables included; the time axis stays as it is."""
    slider = replay.get_by_role("slider")
    axis = page.locator(f".labkit-chart {PLOT}")
    expect(axis).to_be_visible()
    whole = axis.evaluate("(plot) => plot.layout.xaxis.range")
    for seconds in (5, 12.5, 2, 8.25, 13):
        slider.evaluate(
            """(slider, at) => { slider.value = at; slider.dispatchEvent(new Event("input")); }""",
            seconds * 1000,
        )
        _, _, then = play(seconds + 0.25)
        expected = [count for _, count in _running(then.full())]
        shown = [tag for tag, _ in _running(then.full())]
        until(
            lambda expected=expected, shown=shown: (  # type: ignore[misc]
                [running(page, tag) for tag in shown] == expected
            ),
            f"the replicas of {seconds} s",
        )
    assert axis.evaluate("(plot) => plot.layout.xaxis.range") == whole


def _running(whole: dict[str, Any]) -> list[tuple[str, int]]:
    counts = whole["steps"][-1][1]
    return [(tag[0], count) for tag, count in zip(whole["tags"], counts, strict=False)]


def test_a_replay_obeys_the_keyboard(page: Page, replay: Locator) -> None:
    """Space plays and stops from the slider, arrows go to and fro, and choose the speed."""
    slider = replay.get_by_role("slider")
    slider.focus()
    page.keyboard.press("Home")
    assert clock(replay) == 0
    page.keyboard.press("ArrowRight")
    assert clock(replay) > 0
    page.keyboard.press("Home")

    page.keyboard.press("Space")
    expect(replay.get_by_role("button")).to_have_text("Pause")
    until(lambda: clock(replay) > 0.5, "the clock to go")
    page.keyboard.press("Space")
    expect(replay.get_by_role("button")).to_have_text("Play")
    screenshot(page, "replay-stopped")
    stopped = clock(replay)

    replay.get_by_role("radio", name="1×", exact=True).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(replay.get_by_role("radio", name="20×")).to_be_checked()
    assert clock(replay) == stopped


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_a_replay_can_be_hurried(page: Page, replay: Locator, motion: Any) -> None:
    """At 20× it is over sooner than it lasts, and it stops at the end."""
    page.emulate_media(reduced_motion=motion)
    replay.get_by_text("20×").click()
    began = page.evaluate("performance.now()")
    replay.get_by_role("button", name="Play").click()
    until(lambda: clock(replay) < 10, "the beginning")
    expect(replay.get_by_role("button")).to_have_text("Play")

    assert page.evaluate("performance.now()") - began < 16_000, "which is what it lasts at 1×"
    until(lambda: running(page, "1.1") == 10, "the last picture")
    expect(page.locator(".labkit-badge")).to_have_text("completed")


def test_a_delta_that_was_missed_is_applied_when_it_comes_again(page: Page, opened: Open) -> None:
    """A page that lost a message asks for the full state, unless it comes once more.

    Where that is lost as well, it asks again.
    """
    recording, deltas, _ = play(16)
    whole = Replay(recording).data()["first"]
    sent = [{"seq": n, "now": whole["now"], **each} for n, each in enumerate(deltas[1:], 1)]
    opened.html(
        f"<!doctype html><meta charset=utf-8><main></main>"
        f'<script type="module">{assets.module().replace("export default", "const widget =")}\n'
        f"const traits = {{ view_state: {json.dumps({**whole, 'seq': 0})}, parts: ['head'] }};"
        "const listeners = {}; globalThis.sent = [];"
        "const model = { get: (name) => traits[name], on: (name, act) => { listeners[name] = act },"
        " send: (message) => sent.push(message) };"
        "const { initialize, render } = widget(); initialize({ model });"
        "render({ model, el: document.querySelector('main') });"
        "globalThis.receive = listeners['msg:custom'];</script>"
    )
    page.wait_for_function("() => Boolean(globalThis.receive)")
    half = len(sent) // 2
    for message in [*sent[:5], *sent[6:half]]:
        page.evaluate("(message) => receive(message)", message)
    assert page.evaluate("sent") == [{"want": "full"}]
    page.evaluate(
        "() => { const now = performance.now.bind(performance);"
        " performance.now = () => now() + 16_000 }"
    )
    page.evaluate("(message) => receive(message)", sent[half])
    assert page.evaluate("sent") == [{"want": "full"}] * 2

    for message in sent[3:]:
        page.evaluate("(message) => receive(message)", message)
    expect(page.locator(".labkit-badge")).to_have_text("completed")
    until(lambda: running(page, "1.1") == 10, "the replicas")
    assert page.evaluate("sent") == [{"want": "full"}] * 2


def test_updates_are_compared_in_numbers_and_in_lines(page: Page, opened: Open) -> None:
    """The best of each column says so in a word; each line has its name and a stroke of its own."""
    fast, _, _ = play(16)
    slow, _, _ = play(30, pace=2)
    opened.html(Comparison([slow, fast], ["one at a time", "two"]).page)
    table = page.locator(".labkit-facts")
    expect(table.locator("thead th").first).to_have_text("Update")
    rows = [[*row.locator("th, td").all_inner_texts()] for row in table.locator("tbody tr").all()]
    assert [row[0].strip() for row in rows] == ["one at a time", "two"]
    assert rows[0][1] == "24.0\N{NO-BREAK SPACE}s"
    assert rows[1][1] == "12.0\N{NO-BREAK SPACE}s shortest"
    assert [row[-1] for row in rows] == ["completed", "completed"]
    assert table.locator("b", has_text="12.0 s").count() == 1

    plot = page.locator(".labkit-compared")
    expect(plot.locator(".annotation", has_text="one at a time")).to_be_visible()
    expect(plot.locator(".annotation", has_text="two")).to_be_visible()
    dashes = plot.evaluate("(plot) => plot.data.filter((d) => d.x.length).map((d) => d.line?.dash)")
    assert len({dash for dash in dashes if dash}) == 2
    screenshot(page, "compared")


def test_the_buttons_of_a_comparison_are_one_tab_stop(page: Page, opened: Open) -> None:
    fast, _, _ = play(16)
    slow, _, _ = play(30, pace=2)
    opened.html(Comparison([slow, fast], ["one at a time", "two"]).page)
    buttons = page.locator(".labkit-compared .modebar-btn")
    expect(page.locator(".labkit-compared .modebar-btn[tabindex='-1']")).to_have_count(5)
    buttons.first.focus()
    page.keyboard.press("ArrowRight")
    expect(buttons.nth(1)).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(buttons.last).to_be_focused()
