"""The site in Chromium, beside JupyterLab on the simulated engine of the same machine.

Seconds count from the moment that the address is opened in a browser that has just started: until
the kernel is ready, and until a live view has drawn its chart. A desktop's server runs before
that. A first visit has a new profile; for the second one browser and kernel are started again.
What is sent is all that the site's lab may load, or all files that JupyterLab has loaded, each
compressed by gzip.
"""

import gzip
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import BrowserType, Page, sync_playwright

from benchmarks.report import pair
from tests.browser.lab import REFUSE, Lab
from tests.browser.pages import served
from tests.whole.labs import home

_ROOT = Path(__file__).resolve().parents[1]
_SITE = _ROOT / "build" / "site"
_NOTEBOOK = "01-rolling-updates.ipynb"
#: How often each is visited for the first and the second time.
_TIMES = 3
#: What visits take in seconds, with what is wanted of the site (alone on a machine with two cores).
_FIGURES = (
    "first visit, kernel ready (wanted: 12)",
    "first visit, live chart (wanted: 18)",
    "update of 10 replicas, engine's time (± 5 %)",
    "second visit, kernel ready (wanted: 8)",
)
_KERNEL = "jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel"
#: Before that, JupyterLab silently runs no cell.
_READY = """() => globalThis.jupyterapp?.shell.currentWidget?.sessionContext?.isReady
    && jupyterapp.commands.isEnabled("notebook:run-cell")"""
_ANSWERS = f"async () => {{ await {_KERNEL}.info }}"
_CHART = ".labkit-panel [data-part=slots] path.js-fill"
_EXECUTE = f"""async (code) => {{
    const asked = {_KERNEL}.requestExecute({{ code }});
    let said = "";
    asked.onIOPub = ({{ content }}) => {{ said += content.text ?? content.evalue ?? "" }};
    await asked.done;
    return said;
}}"""
_RUN = """(source) => {
    const { content } = jupyterapp.shell.currentWidget;
    content.activeCellIndex = content.widgets.findIndex(({ model }) => model.type === "code");
    content.activeCell.model.sharedModel.setSource(source);
    void jupyterapp.commands.execute("notebook:run-cell");
}"""
_END = "() => jupyterapp.shell.currentWidget.sessionContext.shutdown()"
#: How many bytes the files have that the page has loaded.
_LOADED = """async () => {
    let sent = 0;
    for (const { name } of performance.getEntriesByType("resource")) {
        if (!/[.](js|css|woff2)([?]|$)/.test(name)) continue;
        const compressed = (await fetch(name)).body.pipeThrough(new CompressionStream("gzip"));
        sent += (await new Response(compressed).arrayBuffer()).byteLength;
    }
    return sent;
}"""
_VIEW = "import labkit\nstep = labkit.reset(1)\nview = labkit.watch(step.worker)\nview"
_UPDATE = """
from labkit.recordings import story
labkit.update(step.worker, force=True, update_config={"parallelism": 5})
view.wait()
print("took", story.took(view.recording).total_seconds())"""
#: Milliseconds that a browser has for each step, and between two looks at it: to look at each
#: frame, as Playwright does by itself, has the page draw all the time.
_LIMIT, _EVERY = 300_000, 50


def run() -> None:
    """Visit both in turn, and print what a visit takes, and how much is sent."""
    subprocess.run([sys.executable, _ROOT / "site" / "build.py"], check=True)
    here, there = [], []
    with (
        TemporaryDirectory() as folder,
        home(Path(folder), 1),
        Lab(Path(folder)) as lab,
        served(_SITE) as address,
        sync_playwright() as playwright,
    ):
        chromium = playwright.chromium
        desktop = lab.url(f"lab/tree/lab/{_NOTEBOOK}") + "&reset"
        subprocess.run([sys.executable, "-m", "labkit", "up"], check=True, capture_output=True)
        for _ in range(_TIMES):
            here.append(list(_visits(chromium, f"{address}/lab/index.html?path={_NOTEBOOK}")))
            there.append(list(_visits(chromium, desktop)))
        loaded = _loaded(chromium, desktop)
    figures = (zip(*each, strict=True) for each in (here, there))
    for what, ours, other in zip(_FIGURES, *figures, strict=True):
        pair(what, ours, other, "s", "desktop")
    names = json.loads((_SITE / "engine" / "offline.json").read_text())
    sent = sum(len(gzip.compress((_SITE / name).read_bytes())) for name in names)
    pair("sent, compressed (wanted: 20)", [sent / 1e6], [loaded / 1e6], "MB", "desktop")
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}", flush=True)


def _visits(chromium: BrowserType, address: str) -> Iterator[float]:
    """Yield each of `_FIGURES`."""
    with TemporaryDirectory() as profile:
        with _browser(chromium, profile) as page:
            began = _open(page, address)
            yield time.monotonic() - began
            page.evaluate(_RUN, _VIEW)
            page.wait_for_selector(_CHART, state="attached", timeout=_LIMIT)
            yield time.monotonic() - began
            yield float(page.evaluate(_EXECUTE, _UPDATE).rpartition("took ")[2])
            page.evaluate(_END)
        with _browser(chromium, profile) as page:
            began = _open(page, address)
            yield time.monotonic() - began
            page.evaluate(_END)


def _open(page: Page, address: str) -> float:
    """Open a notebook, and wait until its kernel answers; return the moment before that."""
    began = time.monotonic()
    page.goto(address, timeout=_LIMIT)
    page.wait_for_function(_READY, timeout=_LIMIT, polling=_EVERY)
    page.evaluate(_ANSWERS)
    return began


def _loaded(chromium: BrowserType, address: str) -> int:
    """Return how many bytes a page has loaded once its kernel is ready."""
    with TemporaryDirectory() as profile, _browser(chromium, profile) as page:
        _open(page, address)
        return int(page.evaluate(_LOADED))


@contextmanager
def _browser(chromium: BrowserType, profile: str) -> Iterator[Page]:
    """A page of a browser that has just started, with a folder for what it keeps."""
    with chromium.launch_persistent_context(
        profile, executable_path=shutil.which("chromium"), args=["--no-sandbox", REFUSE]
    ) as browser:
        page = browser.new_page()
        page.add_init_script("performance.setResourceTimingBufferSize(5000)")
        yield page
