"""The live view in a real browser, beside a table that is sent whole: what an update costs.

Both show the same acted update in JupyterLab, with 10 to 10,000 tasks, at most four times
a second; in each quarter second one slot in a hundred (at least one) gets a new task. The
other one is what a notebook would do without a view of its own: `docker service ps` as
HTML in an `ipywidgets.HTML`, replaced whole each time.

A message's bytes are those of the websocket frames that reach the page, kernel time is
the processor time of the thread that sends, and the page is blocked for as long as its
longest task lasts, after the first state was there.
"""

import re
import shutil
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, sync_playwright

from benchmarks.report import pair
from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import Header
from labkit.recordings.values import Snapshot, Task
from labkit.views.state.view_state import ViewState
from tests.acting import ActedSwarm
from tests.browser.lab import Lab, Notebook
from tests.waiting import until

_SIZES = (10, 100, 1000, 10_000)
#: For how many seconds each is watched, after all of it has been drawn.
_SECONDS = 12
#: Browsers report what blocks a page for longer than this, in ms.
SHORTEST = 50
#: The page is left in peace for so long before it is looked at, in ms.
REST = 2000

#: In the header of a message from a kernel to a widget; and the end of a view's pulse, which
#: has nothing after what all of a view's messages begin with.
_TO_A_WIDGET, _PULSE = b'"comm_msg"', re.compile(rb'"trouble": ?""\}')
_BESIDE = "whole table"

#: The kernel's file for the processor time of each update, in ms. The page might be blocked.
_COSTS = "costs.txt"
#: What both notebooks begin with: a recorder of an acted update.
_BEGIN = """
import threading, time
from labkit.recordings.recorder import Recorder
from tests.acting import ActedSwarm
swarm = ActedSwarm(slots={slots}, at_once=max(1, {slots} // 100), pace=0.25, rest=8)
recorder = Recorder(swarm, "dc_worker", until=None).start()
costs = open("{costs}", "w", buffering=1)
def timed(work):
    began = time.thread_time()
    result = work()
    if result:
        print((time.thread_time() - began) * 1000, file=costs)
    return result
"""
_LABKIT = """
from labkit.views import Watch
class Timed(Watch):
    def step(self):
        return timed(super().step)
view = Timed(recorder)
view
"""
_OTHER = """
import ipywidgets
from datetime import UTC, datetime
from html import escape
from labkit.recordings import ps
moved = threading.Event()
recorder.subscribe(moved.set)
def table():
    rows = ps.rows(recorder.recording.current, "dc_worker", datetime.now(UTC))
    rows = ps.without_clean_history(rows)
    cells = ("".join(f"<td>{escape(cell)}</td>" for cell in row.cells) for row in rows)
    return "<table class='labkit-ps'><tr>" + "</tr><tr>".join(cells) + "</tr></table>"
view = ipywidgets.HTML(table())
def send():
    view.value = table()
    return True
def run():
    while not recorder.recording.ended:
        moved.wait()
        moved.clear()
        timed(send)
        time.sleep(0.25)
threading.Thread(target=run, daemon=True).start()
view
"""
OBSERVE = """
window.longest = 0;
new PerformanceObserver((list) => {
    const lengths = list.getEntries().map((entry) => entry.duration);
    window.longest = Math.max(window.longest, ...lengths);
}).observe({ type: "longtask" });
"""


@dataclass
class _Cost:
    """What the updates cost, each of them, and the page all together."""

    #: Of those that reached the page in the time.
    kilobytes: list[float]
    #: In ms.
    kernel: list[float]
    #: In ms, at most; 50 stands for less, which browsers do not report.
    blocked: float


def run() -> None:
    """Watch acted updates of four sizes in Chromium, and print what an update costs."""
    with TemporaryDirectory() as folder, Lab(Path(folder)) as lab, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for slots in _SIZES:
            begin = _BEGIN.format(slots=slots, costs=_COSTS)
            labkit = _watched(lab, browser, begin + _LABKIT, "[data-part=slots] path.js-fill")
            other = _watched(lab, browser, begin + _OTHER, ".labkit-ps td")
            what = f"an update at {slots:,} tasks"
            pair(f"{what}: to the page", labkit.kilobytes, other.kilobytes, "kB", _BESIDE)
            pair(f"{what}: kernel", labkit.kernel, other.kernel, "ms", _BESIDE)
            longest = [labkit.blocked], [other.blocked]
            pair(f"{what}: page blocked, at most", *longest, "ms", _BESIDE)
            arrived = f"{len(labkit.kilobytes)} updates, {len(other.kilobytes)} whole tables"
            print(f"{what}: reached the page in {_SECONDS} s: {arrived}", flush=True)
        browser.close()
    _hour()


def _watched(lab: Lab, browser: Browser, cell: str, drawn: str) -> _Cost:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.add_init_script(OBSERVE)
    frames: list[bytes | str] = []
    page.on(
        "websocket",
        lambda socket: socket.on("framereceived", lambda frame: frames.append(frame)),
    )
    notebook = Notebook(lab, page, [cell])
    notebook.run(0)
    page.wait_for_selector(drawn, timeout=60_000, state="attached")
    until(lambda: not notebook.busy(), "the view's cell to end", 60)
    page.wait_for_timeout(REST)
    costs = lab.folder / _COSTS
    page.evaluate("() => { window.longest = 0; }")
    before = len(costs.read_text().splitlines())
    frames.clear()
    page.wait_for_timeout(_SECONDS * 1000)
    sizes = [len(frame) / 1000 for frame in frames if _is_update(frame)]
    kernel = [float(line) for line in costs.read_text().splitlines()[before:]]
    blocked = float(page.evaluate("() => window.longest"))
    notebook.end_kernel()
    page.close()
    return _Cost(sizes, kernel, max(blocked, SHORTEST))


def _is_update(frame: bytes | str) -> bool:
    """Whether a websocket's frame brings a widget something new.

    The others are what a kernel and its server say of themselves, and a view's pulse, which
    says only that it lives. To count them by how many updates were sent would not do: a page
    that is blocked gets fewer than that.
    """
    frame = frame if isinstance(frame, bytes) else frame.encode()
    return _TO_A_WIDGET in frame and not _PULSE.search(frame)


# ---- an hour -----------------------------------------------------------------------


def _hour() -> None:
    """Watch ten replicas that crash and are restarted for an hour, and print the memory used.

    Each dies a second after its start and is restarted five seconds later, so that some
    six thousand tasks come and go. The view state keeps a bounded number of them; the
    recording, which loses nothing, grows.
    """
    header = Header(service="dc_worker", service_id="s", engine="acted", started=_START)
    recording, view_state, applied = Recording(header), ViewState(header), 0
    tracemalloc.start()
    used = []
    for minute, snapshots in enumerate(_crashes(), start=1):
        for each in snapshots:
            recording.observe(each)
            view_state.apply(recording.changes[applied:])
            applied = len(recording.changes)
            view_state.delta()
        if minute in (30, 60):
            used.append(_megabytes("view_state.py", "update_tracker.py"))
    half, whole = used
    pair("memory of a view after an hour of crashes", [whole], [half], "MB", "after half of it")
    everything = tracemalloc.get_traced_memory()[0] / 1e6
    print(f"the recording beside it, which forgets nothing: {everything - whole:.1f} MB")


_START = datetime(2026, 1, 1, tzinfo=UTC)


def _crashes() -> Iterator[Iterator[Snapshot]]:
    """Return sixty minutes of looks, two a second."""
    swarm = ActedSwarm(now=lambda: _START, rest=10**6)
    for minute in range(60):
        yield (_crashing(swarm, minute * 60 + half / 2) for half in range(120))


def _crashing(swarm: ActedSwarm, seconds: float) -> Snapshot:
    now = _START + timedelta(seconds=seconds)
    first = swarm.snapshot("dc_worker")
    tasks = [task for slot in range(1, 11) for task in _attempts(slot, seconds)]
    return Snapshot(at=now, service=first.service, tasks=tuple(tasks))


def _attempts(slot: int, seconds: float) -> Iterator[Task]:
    """Return the last five attempts of a slot, as Swarm keeps them."""
    number = int((seconds + slot * 0.6) // 6)
    for attempt in range(max(0, number - 4), number + 1):
        born = _START + timedelta(seconds=attempt * 6 - slot * 0.6)
        alive = attempt == number and seconds + slot * 0.6 - attempt * 6 < 1
        yield Task(
            id=f"{slot:04}{attempt:021}",
            slot=slot,
            image="lab/dockercoins_worker:bugged",
            node="node-1",
            state="running" if alive else "failed",
            desired_state="running" if alive else "shutdown",
            status_at=born if alive else born + timedelta(seconds=1),
            created_at=born,
            error="" if alive else "task: non-zero exit (1)",
        )


def _megabytes(*files: str) -> float:
    taken = tracemalloc.take_snapshot().statistics("filename")
    return sum(each.size for each in taken if each.traceback[0].filename.endswith(files)) / 1e6
