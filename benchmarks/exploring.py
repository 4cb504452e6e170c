"""What if?: from a slider that is moved to the picture, with ten replicas.

Each move works out the whole update anew and draws it. In the kernel, beside it stands the same
update in the same three charts as a notebook would have them without a picture of its own: Plotly
figures, as the JSON that goes to the page. Then all of it in JupyterLab, until the page has drawn
the picture. Milliseconds of the wall clock.
"""

import asyncio
import os
import shutil
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

from benchmarks.report import p95, pair
from labkit.api.exploring import Situation, made_up
from labkit.views import figure
from labkit.views.cards.explorer import CHARTS, Explorer
from tests.browser.lab import Lab, Notebook
from tests.browser.test_explorer import NOWHERE

_MOVES = 60
#: ms: what is slower is not seen to follow a slider.
_MOST = 100
#: Moves a slider, with rests in which chance is worked out (`_REST` of the explorer) and without;
#: returns the time until each picture is on the screen, in ms.
_MOVE = """async (moves) => {
  const explorer = document.querySelector(".labkit-explorer"), times = [];
  const labels = [...explorer.querySelectorAll("label")];
  const slider = labels.find((each) => each.innerText.includes("parallelism")).control;
  const rest = (ms) => new Promise((go) => setTimeout(go, ms));
  for (let move = 0; move < moves; move++) {
    slider.value = 2 + (move % 7);
    // not `innerText`, which would lay the page out to answer
    const said = () => explorer.querySelector(".labkit-explored-ways")?.textContent ?? "";
    const arrived = () => said().includes(`--update-parallelism=${slider.value}`);
    const began = performance.now();
    const drawn = new Promise((go) => {
      const observer = new MutationObserver(() => {
        if (!arrived()) return;
        observer.disconnect();
        requestAnimationFrame(() => setTimeout(() => go(performance.now() - began)));
      });
      observer.observe(explorer, { subtree: true, childList: true, characterData: true });
    });
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    times.push(await drawn);
    await rest(move % 2 ? 80 : 420 + 40 * (move % 6));
  }
  return times;
}"""


def run() -> None:
    """Move a slider of ten replicas to and fro, and print how long the picture takes."""
    labkit, other = asyncio.run(_moves())
    pair("a slider moved, until its picture is made", labkit, other, "ms", "Plotly figures")
    drawn = _moves_in_a_page()
    print(
        f"in JupyterLab, until it is drawn: {statistics.median(drawn):.0f} ms (95 of 100 within "
        f"{p95(drawn):.0f} ms); at most {_MOST} ms are wanted. Load {os.getloadavg()[0]:.1f}",
        flush=True,
    )


def _moves_in_a_page() -> list[float]:
    with TemporaryDirectory() as folder, Lab(Path(folder)) as lab, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        Notebook(lab, page, [NOWHERE]).run(0)
        page.wait_for_selector(".labkit-explorer .labkit-explored-ways", timeout=60_000)
        page.evaluate(_MOVE, 5)  # what is slow once
        return list(page.evaluate(_MOVE, _MOVES))


async def _moves() -> tuple[list[float], list[float]]:
    """Return the times of both. A loop runs, as in a kernel: other seeds are left for later."""
    shown = Explorer(Situation(made_up("dc_worker")))
    labkit, other = [], []
    for number in range(_MOVES):
        values = shown.settings.values | {"delay": number % 10, "parallelism": 1 + number % 4}
        labkit.append(_timed(partial(setattr, shown.settings, "values", values)))
        other.append(_timed(lambda: [figure(shown.expected, each).to_json() for each in CHARTS]))
    return labkit, other


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000
