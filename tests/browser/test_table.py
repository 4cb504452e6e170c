"""The words and the table of a view, in a page of its own: folding, keyboard, explanations."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from labkit import views
from labkit.recordings import ps
from labkit.recordings.recording import Recording
from labkit.recordings.values import RollbackConfig, Service, Snapshot, Task, UpdateConfig
from labkit.views.live import page as assets
from labkit.views.state.view_state import Json, ViewState
from tests.acting import HOSTILE
from tests.browser.lab import screenshot
from tests.values import at, recording, service, snapshot, status, task
from tests.views.acted import play
from tests.waiting import until

pytestmark = pytest.mark.browser

CONFIG = UpdateConfig(delay=timedelta(seconds=2), failure_action="rollback", max_failure_ratio=0.5)
NOT_WATCHED = UpdateConfig(failure_action="continue")
LONG = "task: non-zero exit (1): dockerexec: unhealthy container, and more that nobody sees"


@dataclass
class Open:
    """A page that has the modules of the views, and a view of some parts of a state."""

    page: Page
    file: Path

    def module(self) -> None:
        """Offer what the modules declare to scripts of the page."""
        names = "ViewState, explain, waitsFor, quoted"
        self._go(f"Object.assign(globalThis, {{ {names} }});")

    def view(self, state: Json, *parts: str) -> None:
        """Show some parts of a state."""
        self._go(
            f"globalThis.view = new View(document.querySelector('main'), new ViewState("
            f"{_script(state)}), {{ plotlyPath: '', parts: {json.dumps(parts)} }});"
        )

    def _go(self, script: str) -> None:
        self.file.write_text(
            f"<!doctype html><meta charset=utf-8><style>{assets.style()}</style><main></main>"
            f'<script type="module">{assets.module()}\n{script}</script>',
            encoding="utf-8",
        )
        self.page.goto(self.file.as_uri())


@pytest.fixture
def opened(page: Page, tmp_path: Path) -> Open:
    return Open(page, tmp_path / "view.html")


def stated(recording: Recording) -> Json:
    state = ViewState(recording.header)
    state.apply(recording.changes)
    state.delta()
    now = round(recording.last_at.timestamp() * 1000)
    return {"seq": 0, "now": now, "seen": now, "trouble": "", **state.full()}


def _script(value: Any) -> str:
    return json.dumps(value).replace("<", "\\u003c")


def old(slot: int, **more: Any) -> Task:
    return task(slot, **{"created_at": at(-60), "status_at": at(-50), **more})


def new(slot: int, state: str = "running", tag: str = "1.1", **more: Any) -> Task:
    return task(slot, tag, state, **{"created_at": at(4), "status_at": at(6), **more})


def stopped(slot: int, **more: Any) -> Task:
    return old(slot, state="shutdown", desired_state="shutdown", status_at=at(5), **more)


def history() -> Recording:
    """Two slots, updated twice; the second one failed once."""
    first = [
        task(slot, tag, "shutdown", created_at=at(born), status_at=at(born + 20))
        for slot in (1, 2)
        for tag, born in (("0.8", -300), ("0.9", -200))
    ]
    failed = task(2, "bugged", "failed", created_at=at(-100), status_at=at(-90), error=LONG)
    return recording(snapshot(0, service(), old(1), old(2), failed, *first))


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
    whole = state.full()
    now = whole["origin"] + 4000
    opened.view({"seq": 0, "now": now, "seen": now, "trouble": "", **whole}, "table")
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
    opened.module()
    texts = ["", *(letter * count for letter in "xé漢🐳" for count in (14, 15, 16, 29, 30, 31))]
    texts += ["x" + "漢" * 15, "漢x" * 10 + "x", "🇨🇭" * 16]
    printed = [ps.rows([task(1, error=text)], "web", at(9))[0].error for text in texts]

    assert page.evaluate("(texts) => texts.map(quoted)", texts) == printed


# ---- why a task is where it is -------------------------------------------------------

Make = Callable[[], tuple[Snapshot, ...]]


def updating(tag: str = "1.1", config: UpdateConfig = CONFIG, **more: Any) -> Service:
    begun = status("updating", started_at=at(3), message="update in progress")
    return service(tag, **{"update_config": config, "update_status": begun, **more})


def back() -> Service:
    begun = status("rollback_started", started_at=at(3), message="update rolled back")
    return service("1.0", rollback_config=RollbackConfig(order="start-first"), update_status=begun)


BEGUN = (snapshot(0, service(update_config=CONFIG), old(1), old(2)),)
LEAVING = old(1, desired_state="shutdown")


WAITS = (
    *BEGUN,
    snapshot(4, updating(), LEAVING, old(2), new(1, "preparing", desired_state="ready")),
)
RAN = (*BEGUN, snapshot(6, updating(), stopped(1), old(2), new(1)))


def died(seconds: float, state: str = "failed", exit_code: int | None = 1, **more: Any) -> Task:
    return new(1, state, status_at=at(seconds), exit_code=exit_code, error="boom", **more)


CASES: dict[str, tuple[tuple[Snapshot, ...], str, list[str]]] = {
    "waits for the old task": (
        WAITS,
        "1.1-1",
        [
            "The update made it, to take the place of task 1.0-1 (1.0).",
            "It waits until the old task has stopped (order stop-first)",
            "update_config.order stop-first:",
        ],
    ),
    "is being stopped": (
        WAITS,
        "1.0-1",
        [
            "It was there before the recording began.",
            "Swarm has told it to stop: the update put task 1.1-1 in its place.",
            "SIGTERM",
            "stop_grace_period",
        ],
    ),
    "has not had its turn": (
        (*BEGUN, snapshot(4, updating(), stopped(1), old(2), new(1))),
        "1.0-2",
        ["The update has not come to its slot yet.", "restart_policy.delay"],
    ),
    "finds no node": (
        (
            *BEGUN,
            snapshot(
                5,
                updating(),
                stopped(1),
                old(2),
                new(1, "pending", desired_state="running", error="no suitable node", node=""),
            ),
        ),
        "1.1-1",
        [
            "Swarm is looking for a node that can run it. Docker says: “no suitable node”.",
            "The update waits for it, however long that takes.",
        ],
    ),
    "is inside its monitor window": (
        RAN,
        "1.1-1",
        [
            "It has been running since 0:06.",
            "It is inside its monitor window: if it ends before 0:11, that counts as a failure.",
            "The update sleeps until 0:08 before the next slot (its delay).",
            "update_config.monitor 5s:",
            "update_config.failure_action rollback:",
            "update_config.max_failure_ratio 0.5:",
            "docker service logs 1.1-1",
        ],
    ),
    "is past its monitor window": (
        (
            *RAN,
            snapshot(12, updating(), stopped(1), stopped(2), new(1), new(2, "starting")),
        ),
        "1.1-1",
        ["Its monitor window was over at 0:11: if it ends now, that counts as no failure."],
    ),
    "died inside its monitor window": (
        (
            *RAN,
            snapshot(8, updating(), stopped(1), old(2), died(7.5)),
        ),
        "1.1-1",
        [
            "Its process ended with exit code 1, after 2 s. Docker says: “boom”.",
            "It counts as a failure of the update: it ended inside its monitor window",
            "Nothing is in its place yet",
        ],
    ),
    "died after its monitor window": (
        (
            *RAN,
            snapshot(15, updating(), stopped(1), stopped(2), died(14), new(2, "starting")),
        ),
        "1.1-1",
        ["It does not count as a failure of the update: its monitor window was over at 0:11."],
    ),
    "died inside its window by a clock that is ahead": (
        (
            *BEGUN,
            snapshot(6, updating(), stopped(1), old(2), new(1, status_at=at(66))),
            snapshot(8, updating(), stopped(1), old(2), died(68)),
        ),
        "1.1-1",
        ["It counts as a failure of the update: it ended inside its monitor window"],
    ),
    "was never prepared": (
        (*BEGUN, snapshot(6, updating(), stopped(1), old(2), died(5.5, "rejected", None))),
        "1.1-1",
        [
            "Node node-1 could not prepare it, so it never started. Docker says: “boom”.",
            "It counts as a failure of the update",
        ],
    ),
    "ended with exit code 0": (
        (
            *RAN,
            snapshot(8, updating(), stopped(1), old(2), died(7.5, "complete", 0)),
        ),
        "1.1-1",
        ["with exit code 0. Swarm expects a service to run on", "It counts as a failure"],
    ),
    "died while nobody watched": (
        (
            *BEGUN,
            snapshot(6, updating(config=NOT_WATCHED), stopped(1), old(2), new(1)),
            snapshot(8, updating(config=NOT_WATCHED), stopped(1), old(2), died(7.5)),
        ),
        "1.1-1",
        ["It is not counted: failure_action is continue."],
    ),
    "waits for the restart delay": (
        (
            *RAN,
            snapshot(
                8,
                updating(),
                stopped(1),
                old(2),
                died(7.5),
                new(1, "ready", id="again", desired_state="ready", created_at=at(7.6)),
            ),
        ),
        "again",
        [
            "Swarm's restart supervisor made it, because task 1.1-1 in the same slot had failed.",
            "It may not start before the restart delay is over.",
            "restart_policy.delay",
        ],
    ),
    "made by the rollback": (
        (
            *RAN,
            snapshot(8, back(), stopped(1), old(2), died(7.5)),
            snapshot(
                9,
                back(),
                stopped(1),
                old(2),
                died(7.5),
                new(1, "starting", "1.0", id="back", created_at=at(8), desired_state="running"),
            ),
        ),
        "back",
        [
            "The rollback made it, to take the place of task 1.1-1 (1.1).",
            "Its container is starting.",
            "rollback_config.parallelism 1:",
        ],
    ),
    "made by a scale-up": (
        (*BEGUN, snapshot(6, service(replicas=3), old(1), old(2), new(3, tag="1.0", id="third"))),
        "third",
        ["Swarm made it when the service was created or scaled up."],
    ),
    "was killed after its grace period": (
        (*BEGUN, snapshot(15, updating(), stopped(1, exit_code=137), old(2), new(1))),
        "1.0-1",
        ["It was told to stop, and stopped, but not within the stop grace period", "exit code 137"],
    ),
    "is not listed any more": (
        (*BEGUN, snapshot(6, updating(), old(2), new(1))),
        "1.0-1",
        ["The manager no longer lists it", "task-history-limit"],
    ),
}


def test_why_a_task_is_where_it_is(page: Page, opened: Open) -> None:
    """For every stage and cause: what happened, the setting, and the command."""
    opened.module()
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
                stated(recording(*looks)),
                task_id,
                (looks[-1].at - at(0)) / timedelta(milliseconds=1),
            )
            for looks, task_id, _ in CASES.values()
        ],
    )

    missing = {
        name: (phrase, said)
        for (name, (_, _, expected)), said in zip(CASES.items(), told, strict=True)
        for phrase in [*expected, "docker service ps --no-trunc dc_worker"]
        if phrase not in said
    }
    assert missing == {}


def test_hostile_text_stays_text_in_an_explanation(page: Page, opened: Open) -> None:
    dead = died(7.5, node=HOSTILE, image=f"lab/x:{HOSTILE.split('<script')[0]}")
    dead = Task(**{**{name: getattr(dead, name) for name in dead.__slots__}, "error": HOSTILE})
    opened.view(
        stated(recording(*BEGUN, snapshot(8, updating(), stopped(1), old(2), dead))), "table"
    )
    row(page, "Failed").click()

    expect(page.locator(".labkit-why")).to_contain_text("<script>window.hacked=1</script>")
    assert page.evaluate("() => window.hacked") is None
    assert page.locator(".labkit-watch img, .labkit-watch script").count() == 0


# ---- the budget and the countdown ------------------------------------------------------


def test_the_failure_budget_as_boxes(page: Page, opened: Open) -> None:
    """One for each tolerated failure, one more for that which triggers the action."""
    looks = (
        snapshot(6, updating(), stopped(1), old(2), new(1)),
        snapshot(8, updating(), stopped(1), old(2), died(7.5)),
    )
    opened.view(stated(recording(*BEGUN, *looks)), "budget")
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
    opened.module()
    said = page.evaluate(
        """() => [0, 1800, 2000, 7000].map((at) => waitsFor({
            settling: { delay: 2000, monitor: 7000 }, end: null, silent: false, gaps: [], at }))"""
    )

    assert said == [
        "The last delay ends in 2 s, then the monitor window begins.",
        "The last delay ends in 1 s, then the monitor window begins.",
        "The monitor window ends in 5 s.",
        "The monitor window is over: any moment now Swarm says so.",
    ]


def test_a_screen_reader_is_not_told_every_second(page: Page, opened: Open) -> None:
    both = [stopped(1), stopped(2), new(1), new(2)]
    config = UpdateConfig(monitor=timedelta(seconds=60))
    opened.view(stated(recording(*BEGUN, snapshot(6, updating(config=config), *both))), "head")
    timer = page.get_by_role("timer")
    expect(timer).to_contain_text("The monitor window ends in")
    before = timer.inner_text()
    until(lambda: timer.inner_text() != before, "the next second")

    assert timer.evaluate("(timer) => timer.closest('[aria-live]')") is None


def test_without_a_table_a_click_in_the_slots_still_explains(page: Page, tmp_path: Path) -> None:
    update, _, _ = play(16)
    drawn = views.Snapshot.of(update, ["slots"]).page
    (tmp_path / "slots.html").write_text(drawn, encoding="utf-8")
    page.goto((tmp_path / "slots.html").as_uri())
    plot = page.locator("[data-part=slots] .nsewdrag").first
    plot.click(position={"x": 200, "y": 20})

    expect(page.locator(".labkit-why")).to_contain_text("dc_worker.1")
    page.get_by_role("button", name="Close").click()
    expect(page.locator(".labkit-why")).to_be_hidden()


def test_beside_a_notebook_the_table_shows_tag_and_state(page: Page, tmp_path: Path) -> None:
    """Columns that an update does not change make room for those that it does."""
    update, _, _ = play(16)
    (tmp_path / "update.html").write_text(views.Snapshot.of(update).page, encoding="utf-8")
    page.set_viewport_size({"width": 640, "height": 800})
    page.goto((tmp_path / "update.html").as_uri())

    expect(page.locator("th", has_text="CURRENT STATE")).to_be_in_viewport()
    expect(page.locator("th").first).to_be_hidden()
    expect(page.locator(".labkit-narrow")).to_be_visible()
