"""How long a view blocks its page: in the site, and beside it in JupyterLab on this machine.

Both show the update of a service with 500 replicas, twenty at a time, at ten times Swarm's speed:
in the site on its engine, whose tasks sleep, on the desktop on a simulated one, whose tasks act.
What is measured is the longest task of the page, from the first chart to the end of the update and
the snapshot that it leaves. It is of use on a machine that does nothing else.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, sync_playwright

from benchmarks.report import pair
from benchmarks.viewing import OBSERVE, REST, SHORTEST
from tests.browser.lab import Lab
from tests.browser.pages import served
from tests.browser.test_site import PERSON, SHOWN

_ROOT = Path(__file__).resolve().parents[1]
_NOTEBOOK, _REPLICAS, _SPEED = "00-start-here.ipynb", 500, 10
_DESKTOP = f"""
import os
from swarmsim import Engine
serving = Engine(speed={_SPEED}).serve("unix://" + os.path.abspath("engine.sock"))
os.environ["DOCKER_HOST"] = serving.__enter__()
"""
_BEGIN = f"""
import labkit
command = ["python3", "-c", "import time; time.sleep(86400)"]
container = {{"Image": "python:3", "Command": command, "StopGracePeriod": 0}}
labkit.connect().post("/services/create", {{
    "Name": "many", "Labels": {{"labkit.lab": "bench"}},
    "TaskTemplate": {{"ContainerSpec": container}},
    "Mode": {{"Replicated": {{"Replicas": {_REPLICAS}}}}}, "UpdateConfig": {{"Parallelism": 20}},
}})
view = labkit.watch("many")
view.wait_for_replicas("3", {_REPLICAS})
"""
_UPDATE = "labkit.update('many', force=True); view.wait()"


def run() -> None:
    """Print the longest time for which either page is blocked."""
    subprocess.run([sys.executable, _ROOT / "site" / "build.py"], check=True, capture_output=True)
    with (
        TemporaryDirectory() as folder,
        Lab(Path(folder)) as lab,
        served(_ROOT / "build" / "site") as address,
        sync_playwright() as playwright,
    ):
        shutil.copy(_ROOT / "notebooks" / _NOTEBOOK, folder)
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        link = f"{address}/lab/index.html?path={_NOTEBOOK}&speed={_SPEED}"
        site = _blocked(browser, link, _BEGIN)
        desktop = _blocked(browser, lab.url(f"lab/tree/{_NOTEBOOK}"), _DESKTOP + _BEGIN)
        browser.close()
    what = f"an update of {_REPLICAS} replicas: page blocked"
    pair(what, [site], [desktop], "ms", "on the desktop")


def _blocked(browser: Browser, address: str, begin: str) -> float:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.add_init_script(OBSERVE)
    page.goto(address, timeout=240_000)
    page.wait_for_function(SHOWN, timeout=240_000)
    page.evaluate(PERSON)
    page.evaluate("(path) => person.open(path)", _NOTEBOOK)
    page.evaluate("(code) => person.execute(code)", begin)
    cells = [each["id"] for each in page.evaluate("() => person.cells()") if each["type"] == "code"]
    page.evaluate("(given) => person.run(...given)", [cells[0], "view"])
    page.wait_for_selector("[data-part=slots] path.js-fill", timeout=60_000, state="attached")
    page.wait_for_timeout(REST)
    page.evaluate("() => { window.longest = 0; }")
    page.evaluate("(given) => person.run(...given)", [cells[1], _UPDATE])
    page.wait_for_timeout(REST)
    longest = float(page.evaluate("() => window.longest"))
    page.context.close()
    return max(longest, SHORTEST)
