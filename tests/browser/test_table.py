"""The words and the table of a view, in a page of its own: folding, keyboard, explanations."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from labkit import views
from labkit.recordings import ps
from labkit.recordings.recording import Recording
from labkit.recordings.values import UpdateConfig
from tests.acting import HOSTILE
from tests.browser.lab import screenshot
from tests.browser.pages import Open, at_moment, stated
from tests.claims import claims
from tests.looks import Looks, recorded
from tests.values import at, task
from tests.views.acted import play
from tests.waiting import until

pytestmark = pytest.mark.browser

CONFIG = UpdateConfig(delay=timedelta(seconds=2), failure_action="rollback", max_failure_ratio=0.5)
#: What of the modules is offered to scripts.
NAMES = "Object.assign(globalThis, { ViewState, explain, waitsFor, quoted });"
LONG = "task: non-zero exit (1): dockerexec: unhealthy container, and more that nobody sees"


def history() -> Recording:
    """Two slots, updated twice; the second one failed once."""
    first = [
        f"{tag}-{slot} shutdown made {born} since {born + 20}"
        for slot in (1, 2)
        for tag, born in (("0.8", -300), ("0.9", -200))
    ]
    failed = {"is": "bugged-2 failed made -100 since -90", "error": LONG}
    return recorded({0: ["service 1.0", "1.0-1..2", failed, *first]})


def lines(page: Page) -> list[str]:
    rows: list[str] = page.evaluate(
        """() => [...document.querySelectorAll(".labkit-ps tbody tr:not([hidden])")].map(
            (row) => [...row.children].map((cell) => cell.textContent).join(" | "))"""
    )
    return rows


def slots(page: Page) -> list[str]:
    return [line.split(" | ")[1] for line in lines(page)]


def row(page: Page, text: str) -> Locator:
    return page.locator(".labkit-ps tbody tr", has_text=text).first


def test_a_row_that_news_came_of_is_lit_for_a_moment(page: Page, opened: Open) -> None:
    """Also in a view that has a part with nothing to show, which is never drawn."""
    opened.view(stated(history()), "budget", "table")
    until(lambda: len(lines(page)) == 3, "the rows")
    lit = page.locator(".labkit-ps tr.labkit-fresh")
    expect(lit).to_have_count(0)

    page.evaluate(
        """() => {
            const n = Number(document.querySelector("tr[data-n]").dataset.n);
            const kind = view.viewState.kinds.findIndex(([state]) => state === "running");
            view.viewState.apply({ moves: [[n, 500, kind, 500]] });
            view.draw();
        }"""
    )
    expect(lit).to_have_count(1)
    expect(lit).to_have_count(0)


def test_older_tasks_unfold_by_slot_and_all_together(page: Page, opened: Open) -> None:
    """Folded, the rows are those that `grep -v` keeps; unfolded, all that docker prints."""
    opened.view(stated(history()), "table")
    until(lambda: len(lines(page)) == 3, "the rows")
    assert slots(page) == ["dc_worker.1", "dc_worker.2", " \\_ dc_worker.2"]
    expect(page.locator(".labkit-table-bar .labkit-code")).to_contain_text("grep -v")

    fold = page.get_by_role("button", name="2 older tasks of dc_worker.1")
    expect(fold).to_have_attribute("aria-expanded", "false")
    fold.click()
    expect(fold).to_have_attribute("aria-expanded", "true")
    assert slots(page)[:4] == ["dc_worker.1", *[" \\_ dc_worker.1"] * 2, "dc_worker.2"]
    expect(page.locator(".labkit-why")).to_be_hidden()

    page.get_by_role("button", name="Unfold 4 older tasks").click()
    assert len(lines(page)) == 7
    command = page.locator(".labkit-table-bar .labkit-code")
    expect(command).to_have_text("docker service ps dc_worker")
    page.get_by_role("button", name="Fold older tasks").click()
    assert len(lines(page)) == 3


def test_rows_are_walked_and_explained_with_the_keyboard(page: Page, opened: Open) -> None:
    """One row is a tab stop; Enter explains it, and Escape returns to it."""
    opened.view(stated(history()), "table")
    until(lambda: len(lines(page)) == 3, "the rows")
    row(page, "dc_worker.1").focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowDown"):
        page.keyboard.press(key)
    expect(row(page, "bugged")).to_be_focused()
    assert page.locator(".labkit-ps tr[tabindex='0']").count() == 1

    page.keyboard.press("Enter")
    why = page.get_by_role("region", name="Why dc_worker.2 is where it is")
    expect(why).to_contain_text(LONG)
    expect(row(page, "bugged")).to_have_attribute("aria-selected", "true")
    screenshot(page, "row-explained")
    page.keyboard.press("Escape")
    expect(why).to_be_hidden()
    expect(row(page, "bugged")).to_be_focused()

    page.keyboard.press("Home")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(row(page, "0.9")).to_be_visible()


def test_a_task_selected_elsewhere_is_unfolded_and_explained(page: Page, opened: Open) -> None:
    """The slots' chart selects tasks that the table has folded away."""
    opened.view(stated(history()), "table")
    until(lambda: len(lines(page)) == 3, "the rows")
    page.evaluate(
        "view.select([...view.viewState.tasks.values()].find(({id}) => id === '0.8-1').n)"
    )

    expect(row(page, "0.8")).to_have_attribute("aria-selected", "true")
    expect(page.locator(".labkit-why")).to_contain_text("It was told to stop, and stopped.")


def test_a_large_table_is_walked_to_its_end(page: Page, opened: Open) -> None:
    """Of thousands of rows a few hundred are in the page, wherever one is, unfolded or not."""
    _, _, state = play(4, slots=3000, pace=0.01)
    opened.view(at_moment(state, state.full()["origin"] + 4000), "table")
    until(lambda: lines(page), "the rows")
    page.get_by_role("button", name="Unfold").first.click()
    row(page, "dc_worker.1").focus()
    page.keyboard.press("End")
    expect(row(page, "dc_worker.3000")).to_be_focused()
    assert len(lines(page)) < 300
    page.locator(".labkit-scroll").evaluate("(scroll) => { scroll.scrollTop = 0; }")
    expect(row(page, "dc_worker.1")).to_be_visible()
    page.keyboard.press("ArrowUp")

    expect(page.locator(".labkit-ps tr:focus")).to_contain_text("dc_worker.")
    expect(page.locator(".labkit-ps tr:focus")).to_be_in_viewport()


def test_errors_are_cut_as_docker_cuts_them(page: Page, opened: Open) -> None:
    """By columns of a terminal, of which some letters take two."""
    opened.module(NAMES)
    texts = ["", *(letter * count for letter in "xé漢🐳" for count in (14, 15, 16, 29, 30, 31))]
    texts += ["x" + "漢" * 15, "漢x" * 10 + "x", "🇨🇭" * 16]
    printed = [ps.rows([task(1, error=text)], "web", at(9))[0].error for text in texts]

    assert page.evaluate("(texts) => texts.map(quoted)", texts) == printed


# ---- why a task is where it is -------------------------------------------------------

WHY: dict[str, Any] = claims(__file__, "why")
#: What was seen of an update of two slots when the first is new, and when that has died.
RAN, DIED = (
    WHY[name]["looks"]
    for name in ("is inside its monitor window", "died inside its monitor window")
)


def updated(looks: Looks, **config: Any) -> Recording:
    """A recording of some looks at the update that the claims are about."""
    return recorded(looks, update_config=replace(CONFIG, **config))


def test_why_a_task_is_where_it_is(page: Page, opened: Open) -> None:
    """For every stage and cause: what happened, the setting, and the command."""
    opened.module(NAMES)
    told = page.evaluate(
        """(cases) => cases.map(([data, id, at]) => {
            const state = new ViewState(data);
            state.still = () => at;
            const task = [...state.tasks.values()].find((one) => one.id === id);
            const { what, settings, commands } = explain(task, state);
            return [what, settings.map((pair) => pair.join(" ")), commands].flat().join(" ");
        })""",
        [
            (
                stated(updated(case["looks"], **case.get("config", {}))),
                case["task"],
                last_look(case),
            )
            for case in WHY.values()
        ],
    )

    missing = {
        name: (phrase, said)
        for (name, case), said in zip(WHY.items(), told, strict=True)
        for phrase in [*case["says"], "docker service ps --no-trunc dc_worker"]
        if phrase not in said or ("never started" in said and "SIGTERM" in said)
    }
    assert missing == {}


def last_look(case: dict[str, Any]) -> float:
    """The page's moment of a case, in ms since its recording began."""
    return 1000 * max(case["looks"])


def test_hostile_text_stays_text_in_an_explanation(page: Page, opened: Open) -> None:
    hostile = {"error": HOSTILE, "node": HOSTILE, "image": f"lab/x:{HOSTILE.split('<script')[0]}"}
    dead = {"is": "1.1-1 failed since 7.5", "exit_code": 1} | hostile
    opened.view(stated(updated(RAN | {8: [dead]})), "table")
    row(page, "Failed").click()

    expect(page.locator(".labkit-why")).to_contain_text("<script>window.hacked=1</script>")
    assert page.evaluate("() => window.hacked") is None
    assert page.locator(".labkit-watch img, .labkit-watch script").count() == 0


# ---- the budget and the countdown ------------------------------------------------------


def test_the_failure_budget_as_boxes(page: Page, opened: Open) -> None:
    """One for each tolerated failure, one more for that which triggers the action."""
    opened.view(stated(updated(DIED)), "budget")
    meter = page.get_by_role("meter", name="Failure budget")
    expect(meter).to_have_attribute("aria-valuenow", "1")
    expect(meter).to_have_attribute("aria-valuemax", "2")
    assert meter.locator("i").count() == 2
    assert meter.locator("i[data-used=yes]").count() == 1
    words = "1 failure of 1 tolerated (of 2 slots being updated)"
    expect(page.locator(".labkit-budget-words")).to_contain_text(words)

    opened.view(stated(history()), "budget", "head")
    expect(page.locator(".labkit-badge")).to_have_count(1)
    expect(meter).to_have_count(0)


def test_what_an_update_still_waits_for_is_counted_down(page: Page, opened: Open) -> None:
    """First the last delay, then the monitor window; then it may be any moment."""
    opened.module(NAMES)
    said = page.evaluate(
        """() => [0, 1800, 2000, 7000].map((at) => waitsFor({
            settling: { delay: 2000, monitor: 7000 }, end: null, silent: false, gaps: [], at }))"""
    )

    assert said == [
        "The last delay ends in 2 s, then the monitor window begins.",
        "The last delay ends in 1 s, then the monitor window begins.",
        "The monitor window ends in 5 s.",
        "The monitor window is over: Swarm will say so any moment.",
    ]


def test_a_screen_reader_is_not_told_every_second(page: Page, opened: Open) -> None:
    both = {6: [*RAN[6], "1.0-2 shutdown since 5", "1.1-2 made 4 since 6"]}
    opened.view(stated(updated(RAN | both, delay="0s", monitor="60s")), "head")
    timer = page.get_by_role("timer")
    expect(timer).to_contain_text("The monitor window ends in")
    before = timer.inner_text()
    until(lambda: timer.inner_text() != before, "the next second")

    assert timer.evaluate("(timer) => timer.closest('[aria-live]')") is None


def test_without_a_table_a_click_in_the_slots_still_explains(page: Page, opened: Open) -> None:
    update, _, _ = play(16)
    opened.html(views.Snapshot.of(update, ["slots"]).page)
    plot = page.locator("[data-part=slots] .nsewdrag").first
    plot.click(position={"x": 200, "y": 8})

    expect(page.locator(".labkit-why")).to_contain_text("dc_worker.1")
    page.get_by_role("button", name="Close").click()
    expect(page.locator(".labkit-why")).to_be_hidden()


def test_beside_a_notebook_the_table_shows_tag_and_state(page: Page, opened: Open) -> None:
    """Columns that an update does not change make room for those that it does."""
    update, _, _ = play(16)
    page.set_viewport_size({"width": 1000, "height": 3000})
    opened.html(views.Snapshot.of(update).page)

    # until the table is drawn, the snapshot's is in the page as well
    expect(page.locator(".labkit-narrow")).to_be_visible()
    expect(page.locator("th", has_text="CURRENT STATE")).to_be_in_viewport()
    expect(page.locator("th").first).to_be_hidden()


@pytest.mark.parametrize("width", [320, 480, 600, 880])
def test_in_a_narrow_panel_state_and_error_are_not_cut_off(
    page: Page, opened: Open, width: int
) -> None:
    """What all rows have in common goes, and what is still too long goes on in a second line."""
    page.set_viewport_size({"width": width, "height": 900})
    opened.view(stated(history()), "table")
    until(lambda: len(lines(page)) == 3, "the rows")
    failed = row(page, "bugged").locator("td")
    expect(failed.nth(6)).to_have_text('"task: non-zero exit (1): dock…"')
    for number in (1, 2, 5, 6):
        cell = failed.nth(number)
        expect(cell).to_be_in_viewport(ratio=1)
        assert cell.evaluate("(cell) => cell.scrollWidth <= cell.clientWidth"), number
    assert page.locator(".labkit-scroll").evaluate("(el) => el.scrollWidth <= el.clientWidth")
    expect(failed.nth(1).locator(".labkit-wide")).to_be_hidden()
    screenshot(page, f"table-{width}")


def test_a_second_line_of_an_error_is_no_matter_to_the_keyboard(page: Page, opened: Open) -> None:
    page.set_viewport_size({"width": 320, "height": 900})
    _, _, state = play(16, slots=60, pace=0.2)
    opened.view(at_moment(state, state.full()["origin"] + 16_000), "table")
    until(lambda: lines(page), "the rows")
    row(page, "dc_worker.1").focus()
    page.keyboard.press("End")
    expect(row(page, "dc_worker.60")).to_be_in_viewport(ratio=0.9)
    for _ in range(59):
        page.keyboard.press("ArrowUp")

    expect(page.locator(".labkit-ps tr:focus")).to_be_in_viewport(ratio=0.9)
