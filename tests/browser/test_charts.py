"""The charts of a view, in a page of its own: one time axis, slots, marks."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import Ended, HashesSeen
from labkit.recordings.values import UpdateConfig
from labkit.views.state.view_state import Json
from labkit.views.static.snapshot import Snapshot
from tests.browser.lab import screenshot
from tests.browser.pages import Open, area, at_moment, drag
from tests.looks import Looks, recorded
from tests.views.acted import after, play, settled
from tests.views.test_focus import read_before
from tests.waiting import until

pytestmark = pytest.mark.browser

CHARTS = ("phases", "replicas", "slots")
ERROR = "task: non-zero exit (1): the bugged worker dies at once, and says why at some length"
LONG_TASKS = """globalThis.long = [];
new PerformanceObserver((list) => long.push(...list.getEntries().map(({ duration }) => duration)))
  .observe({ type: "longtask" });"""
#: ms that the page may be blocked.
BLOCKED = 100
#: Has news come all the time and slots take long to draw; counts how often each chart is drawn,
#: until slots has been a few times.
COUNT_DRAWINGS = """() => new Promise((done) => {
  const count = {};
  for (const { el, part } of view.places.filter(({ part }) => part.lazy)) {
    const [name, draw] = [el.dataset.part, part.draw];
    count[name] = 0;
    part.draw = (state) => {
      const until = performance.now() + (name === "slots" ? 100 : 0);
      while (performance.now() < until);
      count[name] += 1;
      return draw.call(part, state);
    };
  }
  const news = setInterval(() => {
    if (count.slots === 4) done(count), clearInterval(news);
    else view.draw();
  }, 20);
})"""
#: Draws each chart some time later, with a row that it did not have, and at once again by Plotly:
#: how often Plotly draws it in the first place, its names of rows, and where its areas are.
LATER = """() => view.axis.charts.filter(({ plot }) => plot).map((part) => {
  const { el, react } = part;
  let drawn = 0;
  const counted = { ...view.library, react: (...given) => (drawn++, view.library.react(...given)) };
  part.react = (_, state) => react.call(part, counted, state);
  const names = () => [...el.querySelectorAll(".ytick text")].map((name) => name.textContent);
  const seen = () => {
    part.drawn = null;
    part.draw(view.viewState);
    const areas = [...el.querySelectorAll(".js-fill")].map((area) => area.getBBox());
    return [names(), areas.map(({ x, y, width, height }) => [x, y, width, height].map(Math.round))];
  };
  const before = names();
  view.at += 900;
  const { moves } = [...view.viewState.tasks.values()].find(({ group }) => group === 400);
  moves.push({ ...moves.at(-1), at: view.at });
  const moved = [seen(), drawn];
  part.still = null;
  return [before, ...moved, seen()];
})"""

Show = Callable[..., None]


def an_update_with_a_death() -> Recording:
    """Two slots; the new task of the first dies as soon as it is there."""
    looks: Looks = {
        0: ["service 1.0", "1.0-1..2"],
        3: ["service 1.1 updating"],
        4: ["1.0-1 shutdown", {"is": "1.1-1 rejected", "error": ERROR}],
        9: ["next=1.1-1 made 4.2 since 9"],
        20: [],
    }
    config = UpdateConfig(failure_action="continue", delay=timedelta(seconds=2))
    return recorded(looks, update_config=config)


def live(seconds: float, **options: Any) -> Json:
    """Return the state of an acted update that goes on."""
    _, _, state = play(seconds, **options)
    return at_moment(state, state.full()["origin"] + round(seconds * 1000))


@pytest.fixture
def show(opened: Open) -> Show:
    """Show a state in a page, until its charts are drawn."""

    def shown(state: Json, **more: Any) -> None:
        opened.view(state, **more)
        drawn = chart(opened.page, "slots").locator(".js-plotly-plot path.js-fill")
        expect(drawn.first).to_be_attached()

    return shown


def chart(page: Page, part: str) -> Locator:
    return page.locator(f"[data-part={part}] .labkit-chart")


def drawn_range(page: Page, part: str) -> list[float]:
    """The times that a chart shows, in ms since the recording began."""
    shown: list[float] = chart(page, part).evaluate(
        """(chart) => chart.querySelector(".js-plotly-plot").layout.xaxis.range"""
    )
    return shown


def ranges(page: Page) -> list[list[float]]:
    return [[round(end) for end in drawn_range(page, part)] for part in CHARTS]


def test_the_charts_stand_under_one_time_axis(page: Page, show: Show) -> None:
    """To the pixel, in a wide and in a narrow panel; only the lowest prints the times."""
    show(Snapshot.of(an_update_with_a_death()).data())
    for width in (1280, 520, 320):
        page.set_viewport_size({"width": width, "height": 1000})
        until(lambda: len({_columns(page, part) for part in CHARTS}) == 1, "the charts to line up")
        screenshot(page, f"charts-{width}")
        overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert overflow <= 0

    printed = [chart(page, part).locator(".xtick text").count() for part in CHARTS]
    assert printed[:2] == [0, 0]
    assert printed[2] >= 2
    assert len({tuple(shown) for shown in ranges(page)}) == 1


def test_where_only_time_passes_areas_move_to_where_plotly_would_draw_them(
    page: Page, show: Show
) -> None:
    """Plotly draws everything anew, which takes ten times as long."""
    show(live(9, slots=500, at_once=20))
    page.wait_for_function("() => view.axis.charts.every(({ still, hidden }) => still || hidden)")
    seen = page.evaluate(LATER)
    assert [drawn for _, _, drawn, _ in seen] == [0, 0, 0]
    assert [moved for _, moved, _, _ in seen] == [anew for _, _, _, anew in seen]
    before, (names, _), *_ = seen[-1]
    assert names != before


def test_a_chart_that_is_slow_leaves_all_at_one_moment(page: Page, show: Show) -> None:
    """On a busy machine the others were drawn more often, and were ahead of it by a second."""
    show(live(4))
    count = page.evaluate(COUNT_DRAWINGS)
    drawn = [count[part] for part in CHARTS]
    assert max(drawn) - min(drawn) <= 1, count


def test_no_frame_shows_charts_with_different_times(page: Page, show: Show) -> None:
    """Not even while the axis moves and drawing takes long, so that the page answers in between."""
    show(live(4))
    frames = page.evaluate(
        """async () => {
            const charts = view.axis.charts.filter(({ plot }) => plot);
            let drawings = 0;
            for (const chart of charts) {
                const { react } = chart;
                chart.react = (...given) => {
                    for (const until = performance.now() + 40; performance.now() < until; );
                    drawings += 1;
                    return react.apply(chart, given);
                };
            }
            const seen = () => charts.map(({ copy, plot }) => (copy ?? plot).innerHTML);
            const before = seen();
            const zoom = new KeyboardEvent("keydown", { key: "+", bubbles: true });
            charts[0].el.dispatchEvent(zoom);
            const frames = [];
            do {
                await new Promise(requestAnimationFrame);
                frames.push([drawings, seen().filter((look, n) => look !== before[n]).length]);
            } while (drawings < charts.length);
            return frames;
        }"""
    )
    assert {1, 2} & {drawings for drawings, _ in frames}, "the page did not answer in between"
    assert {changed for _, changed in frames[:-1]} == {0}
    assert frames[-1] == [3, 3]


def _columns(page: Page, part: str) -> tuple[float, float]:
    box = area(chart(page, part))
    return box["x"], box["width"]


def test_zooming_one_chart_zooms_all(page: Page, show: Show) -> None:
    """A double click in any of them shows all of the time again."""
    show(Snapshot.of(an_update_with_a_death()).data())
    until(lambda: len({tuple(shown) for shown in ranges(page)}) == 1, "the charts to be drawn")
    whole = ranges(page)

    drag(page, chart(page, "slots"), 200, 500)
    until(lambda: all(shown != whole[0] for shown in ranges(page)), "all charts to zoom")
    assert len({tuple(shown) for shown in ranges(page)}) == 1

    box = area(chart(page, "replicas"))
    page.mouse.dblclick(box["x"] + 300, box["y"] + 40)
    until(lambda: ranges(page) == whole, "all of the time to be back")


def test_the_axis_begins_shortly_before_the_update(page: Page, show: Show) -> None:
    """A double click, or 0, shows the reading before, too; once more, and it is left out again."""
    show(Snapshot.of(read_before(130)).data())
    until(lambda: len({tuple(shown) for shown in ranges(page)}) == 1, "the charts to be drawn")
    update = ranges(page)
    assert update[0][0] == 127_000
    assert update[0][1] < 136_000

    box = area(chart(page, "replicas"))
    page.mouse.dblclick(box["x"] + 300, box["y"] + 40)
    until(lambda: all(shown[0] == 0 for shown in ranges(page)), "all of the time")
    assert ranges(page)[0][1] > 135_000
    chart(page, "slots").focus()
    page.keyboard.press("0")
    until(lambda: ranges(page) == update, "the update alone")


def test_while_nothing_has_happened_the_last_half_minute_is_shown(page: Page, show: Show) -> None:
    show(live(130, pace=1, rest=600))
    begin, end = drawn_range(page, "slots")

    assert end - begin == 30_000
    assert begin >= 100_000


#: Puts what the page shows in a panel of JupyterLab's.
_IN_A_PANEL = """const panel = document.querySelector("main");
panel.className = "labkit-panel";
panel.style = "position: absolute; inset: 0";"""


@pytest.mark.parametrize(
    ("width", "height", "rows"),
    [(600, 780, 3), (1076, 780, 3), (716, 620, 2)],
    ids=["beside", "wide", "in the room"],
)
def test_head_charts_and_first_rows_are_seen_together(
    page: Page, show: Show, width: int, height: int, rows: int
) -> None:
    """In what JupyterLab leaves of a screen of 1440 by 900; in the lab's room above a terminal."""
    made = settled()
    for second in range(13):
        made.add(HashesSeen(after(second), second * 4, float(second)))
    made.add(Ended(after(13), "The update has settled: completed (update completed)."))
    show(Snapshot.of(made).data(), before=_IN_A_PANEL)
    page.set_viewport_size({"width": width, "height": height})
    until(lambda: len({_columns(page, part) for part in CHARTS}) == 1, "the charts to line up")
    expect(page.locator(".labkit-name")).to_be_in_viewport(ratio=1)
    expect(page.locator("[data-part=speed] .labkit-chart")).to_be_in_viewport(ratio=1)
    screenshot(page, f"charts-{width}x{height}")
    expect(page.locator(".labkit-ps tr[data-n]").nth(rows - 1)).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize(
    ("width", "height", "scale"), [(490, 560, 1), (345, 380, 2)], ids=["1024 x 700", "200 %"]
)
def test_in_little_room_each_part_is_reached_whole(
    page: Page, show: Show, width: int, height: int, scale: int
) -> None:
    """Beside a notebook in a small window, or in one of 1440 by 900 that is zoomed."""
    metrics = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": False}
    page.context.new_cdp_session(page).send("Emulation.setDeviceMetricsOverride", metrics)
    show(Snapshot.of(settled()).data())
    until(lambda: len({_columns(page, part) for part in CHARTS}) == 1, "the charts to line up")
    row = page.locator(".labkit-ps tr[data-n]").nth(2)
    for part in [page.locator(".labkit-head"), *(chart(page, part) for part in CHARTS), row]:
        part.scroll_into_view_if_needed()
        expect(part).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0

    row.click()
    why = page.locator(".labkit-why")
    expect(why).to_be_in_viewport()
    assert why.evaluate("(el) => el.scrollWidth <= el.clientWidth")
    screenshot(page, f"charts-{width}x{height}")


def test_a_chart_is_one_tab_stop(page: Page, show: Show) -> None:
    show(live(8, pace=1), kernel=True)
    expect(chart(page, "phases").locator(".modebar-btn")).not_to_have_count(0)
    page.get_by_role("button", name="Mark").focus()
    stops = []
    for _ in range(4):
        page.keyboard.press("Tab")
        stops.append(page.evaluate("document.activeElement.closest('[data-part]').dataset.part"))

    assert stops == [*CHARTS, "table"]


def test_keys_save_a_picture_and_are_told(page: Page, show: Show) -> None:
    show(Snapshot.of(an_update_with_a_death()).data())
    slots = chart(page, "slots")
    keys = page.locator("[data-part=slots] .labkit-keys")
    expect(keys).to_be_hidden()
    chart(page, "replicas").focus()
    page.keyboard.press("Tab")
    expect(slots).to_be_focused()
    expect(keys).to_contain_text("0 shows all")
    with page.expect_download() as download:
        page.keyboard.press("s")

    assert download.value.suggested_filename == "dc_worker.png"


def test_an_attempt_that_died_at_once_cannot_be_missed(page: Page, show: Show) -> None:
    """It has a cross; pointing at it tells its error whole, a click chooses its row.

    A right click does not: it is for the menu.
    """
    show(Snapshot.of(an_update_with_a_death()).data())
    cross = chart(page, "slots").locator(".scatterlayer path.point")
    expect(cross).to_have_count(1)
    box = cross.bounding_box()
    assert box
    assert min(box["width"], box["height"]) >= 9

    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.click(box["x"] + 4, box["y"] + 4, button="right")
    expect(page.locator(".labkit-why")).to_be_hidden()  # a right click is for the page's menu
    card = page.locator("[data-part=slots] .labkit-card")
    expect(card).to_be_visible()
    for words in (
        ERROR,
        "1.1 in dc_worker.1",
        "task 1.1-1",
        "Made by the update",
        "0:04  rejected",
    ):
        expect(card).to_contain_text(words)
    screenshot(page, "a-death")

    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    chosen = page.evaluate("view.viewState.tasks.get(view.selection)?.id")
    assert chosen == "1.1-1"
    says = chart(page, "slots").get_attribute("aria-label") or ""
    assert "Failed: 1, in slots 1 at 0:04" in says


def test_the_pointer_has_one_line_in_all_charts(page: Page, show: Show) -> None:
    show(Snapshot.of(an_update_with_a_death()).data())
    box = area(chart(page, "replicas"))
    page.mouse.move(box["x"] + 321, box["y"] + 30)

    lines = page.locator(".labkit-pointer:visible")
    expect(lines).to_have_count(len(CHARTS))
    at_x = [line.bounding_box() for line in lines.all()]
    assert {round(each["x"] - box["x"]) for each in at_x if each} == {321}
    page.mouse.move(2, 2)
    expect(lines).to_have_count(0)


def test_the_keyboard_goes_from_task_to_task_and_zooms(page: Page, show: Show) -> None:
    show(Snapshot.of(an_update_with_a_death()).data())
    until(lambda: ranges(page)[0] == ranges(page)[2], "the charts to be drawn")
    whole = ranges(page)
    chart(page, "slots").focus()
    card = page.locator("[data-part=slots] .labkit-card")

    page.keyboard.press("ArrowDown")
    expect(card).to_contain_text("task next")
    page.keyboard.press("ArrowLeft")
    expect(card).to_contain_text(ERROR)
    page.keyboard.press("Enter")
    assert page.evaluate("view.viewState.tasks.get(view.selection).id") == "1.1-1"
    page.keyboard.press("Escape")
    assert page.evaluate("view.selection") is None
    expect(card).to_be_hidden()

    page.keyboard.press("+")
    until(lambda: all(shown != whole[0] for shown in ranges(page)), "all charts to zoom")
    page.keyboard.press("0")
    until(lambda: ranges(page) == whole, "all of the time to be back")


def test_what_is_still_to_come_is_drawn_before_it_comes(page: Page, show: Show) -> None:
    """With every slot updated, the last delay and the monitor window stand ahead, dotted."""
    state = live(14, pace=1)
    state["settling"] = {"delay": 20_000, "monitor": 27_000}
    show(state)
    ribbon = chart(page, "phases")

    expect(ribbon.locator(".annotation-text", has_text="monitor window until 0:27")).to_be_visible()
    dotted = ribbon.evaluate(
        """(chart) => chart.querySelector(".js-plotly-plot").layout.shapes
            .filter(({ line }) => line?.dash === "dot").map(({ x1 }) => x1)"""
    )
    assert dotted == [20_000, 27_000]
    assert drawn_range(page, "phases")[1] >= 27_000


def test_a_mark_is_shown_at_once_and_sent(page: Page, show: Show) -> None:
    """Dashed until the kernel has it; Escape puts none; a click on the ribbon says when."""
    show(live(8, pace=1), kernel=True)
    before = page.evaluate("view.viewState.at")
    page.get_by_role("button", name="Mark").click()
    after = page.evaluate("view.viewState.at")
    page.keyboard.type("first <b>pair</b> is done")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Mark").click()
    page.keyboard.type("no")
    page.keyboard.press("Escape")

    (sent,) = page.evaluate("sent")
    assert sent["mark"] == "first <b>pair</b> is done"
    assert before <= sent["at"] <= after
    until(lambda: _marks(page) == {part: ["dash"] for part in CHARTS}, "the mark in all charts")
    name = chart(page, "phases").locator(".annotation-text", has_text="first <b>pair</b> is done")
    expect(name).to_be_visible()
    screenshot(page, "a-mark")

    page.evaluate("view.viewState.marks = [[sent[0].at, sent[0].mark]]; view.draw()")
    until(lambda: _marks(page) == {part: [None] for part in CHARTS}, "the mark to be kept")

    box = area(chart(page, "phases"))
    page.mouse.click(box["x"] + box["width"] * 0.15, box["y"] + 10)
    asked = page.get_by_role("textbox")
    expect(asked).to_be_focused()
    second = int(drawn_range(page, "phases")[1] * 0.15 / 1000)
    expect(asked).to_have_attribute("placeholder", f"what happened at 0:{second:02}?")


def test_a_mark_is_of_no_moment_that_is_to_come(page: Page, show: Show) -> None:
    """The axis goes on to the right of now; the recording may end before it gets there."""
    show(live(8, pace=1), kernel=True)
    page.get_by_role("button", name="Mark").wait_for()

    assert page.evaluate("(view.marks.ask(1e9), view.marks.asked <= view.viewState.at)")


def _marks(page: Page) -> dict[str, list[str | None]]:
    """How the lines of marks are drawn in each chart."""
    return {
        part: chart(page, part).evaluate(
            """(chart) => chart.querySelector(".js-plotly-plot").layout.shapes
                .filter(({ line, y0, yref }) => line?.width === 1.5 && yref === "paper")
                .map(({ line }) => line.dash ?? null)"""
        )
        for part in CHARTS
    }


def test_without_a_kernel_there_is_no_mark_to_put(page: Page, show: Show) -> None:
    show(Snapshot.of(an_update_with_a_death()).data())

    expect(page.get_by_role("button", name="Mark")).to_have_count(0)


def test_who_wants_less_motion_gets_none(page: Page, show: Show) -> None:
    page.emulate_media(reduced_motion="reduce")
    show(Snapshot.of(an_update_with_a_death()).data())

    moving = page.evaluate(
        """() => [...document.querySelectorAll(".labkit-watch, .labkit-watch *")]
            .filter((each) => getComputedStyle(each).transitionDuration !== "0s"
                || getComputedStyle(each).animationName !== "none")
            .map((each) => each.getAttribute("class"))"""
    )
    assert moving == []


def test_of_ten_thousand_slots_those_are_drawn_in_which_something_happened_last(
    page: Page, show: Show
) -> None:
    """The page is never blocked for long: neither by a delta, nor by a zoom."""
    page.add_init_script(LONG_TASKS)
    show(live(4, pace=0.2, rest=1, slots=10_000))
    words = page.locator("[data-part=slots] .labkit-aside")
    expect(words).to_have_text("60 of 10,000 slots: those in which something happened last")
    expect(chart(page, "slots").locator(".ytick text", has_text="10")).not_to_have_count(0)
    until(lambda: _idle(page), "all charts to be drawn")

    # what is slow is slow each time; a machine that is busy with something else is not
    longest = _blocked_by_step(page, 0)
    for number in range(1, 20):
        if max(longest) >= BLOCKED:
            longest = [*map(min, longest, _blocked_by_step(page, number))]
    assert max(longest) < BLOCKED, longest
    screenshot(page, "ten-thousand-slots")


def _idle(page: Page) -> bool:
    return bool(page.evaluate("view.places.every(({ drawn, el }) => drawn || el.hidden)"))


def _blocked_by_step(page: Page, number: int) -> list[float]:
    """How long the page was blocked at most by each of some deltas and zooms."""
    longest: list[float] = page.evaluate(
        """async (round) => {
            const rest = () => new Promise((resolve) => setTimeout(resolve, 300));
            const blocked = [];
            const blocks = async (step) => {
                long.length = 0;
                step();
                await rest();
                blocked.push(Math.max(0, ...long));
            };
            const { viewState } = view;
            const before = [...viewState.tasks.values()].filter(({ tag }) => tag === 0);
            await rest();
            for (let step = 0; step < 5; step += 1) {
                const at = Math.round(viewState.at);
                const some = before.slice((round * 5 + step) * 20 + 100).slice(0, 20);
                viewState.follow({
                    seq: viewState.seq + 1, now: viewState.now,
                    kinds: [["running", "shutdown", "stopping"]],
                    moves: some.map(({ n }) => [n, at, 0, 0]),
                });
                await blocks(() => view.draw());
                await blocks(() => view.axis.step(0.9));
            }
            await blocks(() => view.axis.all());
            return blocked;
        }""",
        number,
    )
    return longest
