"""The lesson as a site: JupyterLite and an engine, in a browser, from a web server of files.

What is awaited in the page has a limit there, so that a notebook that hangs is one test that fails.
"""

import json
import re
import textwrap
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect

from tests.browser.lab import new_page, screenshot
from tests.browser.others import Tab

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.timeout(1200)]

ROOT = Path(__file__).resolve().parents[2]
#: The notebooks, as a learner goes through them.
ROWS = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
_NOTEBOOKS = [
    pytest.param(row, id=row["notebook"], marks=pytest.mark.site if row.get("minutes") else ())
    for row in ROWS
]
#: What is open after them, and so has a kernel: loading one takes longer than what is tested.
_LAST = "04-shutting-down.ipynb"
#: As fast as Swarm's times are still right beside what runs in the tasks.
_SPEED = 10
#: What a person does in the page, and when there is one.
PERSON = Path(__file__).with_name("person.js").read_text(encoding="utf-8")


#: What JupyterLab and its widgets say of a notebook that is closed while they still draw it.
_OF_THE_CLOSED = ("was disposed", "(reading 'kernel')", "(reading 'insertWidget')")
#: JupyterLab shows a notebook, and opens no other by itself.
SHOWN = """() => globalThis.jupyterapp?.shell.currentWidget?.context?.isReady"""
#: The limit of what the page does before it can have limits of its own, in ms.
_LOADS = 240_000


class Desk:
    """A page of the site, in which one notebook is open at a time: each has a kernel to load."""

    def __init__(self, context: BrowserContext, address: str, speed: int = _SPEED) -> None:
        self._context, self._address, self._speed = context, address, speed
        self._pages = ExitStack()
        self._page: Page | None = None

    @contextmanager
    def notebook(self, name: str) -> Iterator[Page]:
        """Open a notebook in place of the one before; after a failure, the next gets a new page."""
        try:
            page = self._page or self._open(name)
            page.evaluate("(path) => person.open(path)", name)
            page.evaluate("() => person.execute('%reset -f')")
            yield page
        except BaseException:
            self.close()
            raise

    def reload(self) -> None:
        """Reload the page."""
        assert self._page
        self._page.reload(timeout=_LOADS)
        self._meet()

    def crash(self) -> None:
        """Run a cell that never ends, and restart the kernel."""
        assert self._page
        self._page.evaluate("() => person.crash()")

    def close(self) -> None:
        """Close the page."""
        self._page = None
        self._pages.close()

    def _open(self, name: str) -> Page:
        self._page = self._pages.enter_context(new_page(self._context, *_OF_THE_CLOSED))
        self._page.on("dialog", lambda dialog: dialog.accept())  # whether to leave it unsaved
        link = f"{self._address}/lab/index.html?path={name}&speed={self._speed}"
        self._page.goto(link, timeout=_LOADS)
        self._meet()
        return self._page

    def _meet(self) -> None:
        """Wait until a notebook is shown."""
        assert self._page
        self._page.wait_for_function(SHOWN, timeout=_LOADS)
        self._page.evaluate(PERSON)


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A context of its own: the site's engine runs on until that is closed."""
    own = browser.new_context(viewport={"width": 1280, "height": 900})
    yield own
    own.close()


@pytest.fixture(scope="module")
def desk(context: BrowserContext, address: str) -> Iterator[Desk]:
    """One page for all tests, unless one fails."""
    made = Desk(context, address)
    yield made
    made.close()


@pytest.mark.parametrize("row", _NOTEBOOKS)
def test_a_notebook_runs_in_a_page(desk: Desk, row: dict[str, Any]) -> None:
    """Every cell: none fails, and each prints what is stored in the notebook."""
    with desk.notebook(f"{row['notebook']}.ipynb") as page:
        said, wrong = go_through(page, row)
        end = page.locator(".labkit-panel .labkit-end")
        expect(end).to_contain_text(row.get("end", ""))
        screenshot(page, f"site-{row['notebook']}")

    assert wrong == []
    assert [each for each in row.get("said", ()) if each not in said] == []


@pytest.mark.parametrize(
    "lost", ["reload", *(pytest.param(each, marks=pytest.mark.site) for each in ("crash", "close"))]
)
def test_what_is_edited_and_recorded_survives_in_mid_update(desk: Desk, lost: str) -> None:
    """The page is reloaded, the kernel is killed in an endless loop, or the tab is closed."""
    begin = "import labkit; step = labkit.reset(1); view = labkit.watch(step.worker)"
    # slot 10 follows after the delay, and the update ends two delays later: time for a page
    config = {"parallelism": 9, "delay": "40s"}
    update = f"labkit.update(step.worker, force=True, update_config={config})"
    is_edited = '"# mine" in (step.folder / "worker" / "worker.py").read_text()'
    with desk.notebook(_LAST) as page:
        execute(page, begin)
        _edit(page, "^DEBUG =", "# mine\n$&")
        assert execute(page, f"print({is_edited})") == "True\n"
        execute(page, f"{update}; view.wait_for_update('updating')")

    getattr(desk, lost)()

    with desk.notebook(_LAST) as page:
        said = execute(page, "import labkit; labkit.resume(); print(view.wait())")
        assert "You have these again: step, swarm, view, recording" in said
        assert "The update has settled" in said
        assert execute(page, f"print({is_edited})") == "True\n"
        expect(page.locator(".labkit-note")).to_have_count(0)  # a page that is gone is no tab


@pytest.mark.site
def test_an_update_takes_as_long_as_swarm_s_times_say(browser: Browser, address: str) -> None:
    """At Swarm's own speed, and by the kernel's clock."""
    lasted = """
    import labkit, time
    from labkit.recordings import story
    step = labkit.reset(1)
    expected = story.took(labkit.predict(step.worker, force=True)).total_seconds()
    view, began = labkit.watch(step.worker), time.monotonic()
    labkit.update(step.worker, force=True)
    view.wait_for_update("completed")
    print(f"expected {expected} s, lasted {time.monotonic() - began} s")
    """
    with (
        browser.new_context() as own,
        closing(Desk(own, address, speed=1)) as desk,
        desk.notebook("01-rolling-updates.ipynb") as page,
    ):
        said = execute(page, textwrap.dedent(lasted))
    print(said)
    expected, seen = map(float, re.findall(r"(\S+) s\b", said.splitlines()[-1]))
    assert seen == pytest.approx(expected, rel=0.05)


@pytest.mark.site
def test_an_engine_that_hangs_is_replaced(browser: Browser, address: str) -> None:
    """A program that stays in C for ever stops all that is in the engine's worker."""
    hangs = """
    import labkit
    step = labkit.reset(0)
    worker = step.folder / "worker" / "worker.py"
    kept = worker.read_text()
    worker.write_text(kept.replace("time.sleep(0.1)", "sum(range(10**13))"))
    labkit.build(step.folder / "worker", step.image("hanging"))
    worker.write_text(kept)
    view = labkit.watch(step.worker)
    labkit.update(step.worker, image=step.image("hanging"))
    view.wait()
    """
    goes_on = """
    labkit.connect()
    step = labkit.reset(0)
    labkit.watch(step.worker).wait_for_replicas("1.0", 10)
    """
    with (
        browser.new_context() as own,
        closing(Desk(own, address)) as desk,
        desk.notebook("00-start-here.ipynb") as page,
    ):
        with pytest.raises(Error, match="run this notebook's first cell"):
            execute(page, textwrap.dedent(hangs))
        assert "Another one takes its place" in execute(page, textwrap.dedent(goes_on))


def test_two_tabs_share_an_engine_and_files(
    desk: Desk, context: BrowserContext, address: str
) -> None:
    """Each has a notebook open; the second tab says that there is another."""
    other = Desk(context, address)
    with (
        desk.notebook("00-start-here.ipynb") as page,
        closing(other),
        other.notebook("01-rolling-updates.ipynb") as second,
    ):
        expect(second.get_by_text("The lab is open in another tab, too.")).to_be_visible()
        expect(page.locator(".labkit-note")).to_have_count(0)
        execute(page, "import labkit; step = labkit.reset(0); view = labkit.watch(step.worker)")
        _edit(second, "^DEBUG =", "# theirs\n$&")
        edited = "print('# theirs' in (step.folder / 'worker' / 'worker.py').read_text())"
        assert execute(page, edited) == "True\n"
        execute(second, "import labkit; labkit.connect(); labkit.update('dc_worker', replicas=12)")
        execute(page, "view.wait_for_replicas('1.0', 12); labkit.update(step.worker, replicas=11)")
        theirs = "labkit.watch('dc_worker').wait_for_replicas('1.0', 11); print('seen')"
        assert execute(second, theirs).endswith("seen\n")


def test_a_click_is_answered_while_a_cell_waits(desk: Desk) -> None:
    with desk.notebook(_LAST) as page:
        first, second, third = (cell["id"] for cell in _code(page)[:3])
        _run(page, first, "import labkit; step = labkit.reset(0)")
        _run(page, second, "view = labkit.watch(step.worker); view")
        marked = "view.recording.marks()"
        waits = f"import time\nwhile not {marked}: time.sleep(0.1)\nprint({marked}[0][1])"
        page.evaluate("(given) => void person.begin(...given)", [third, waits])

        panel = page.locator(".labkit-panel")
        panel.get_by_role("button", name="Mark").click()
        panel.locator(".labkit-mark-label").fill("half of them")
        page.keyboard.press("Enter")

        said = page.locator(".jp-OutputArea-output").filter(has_text="half of them")
        expect(said).to_have_count(1)


def go_through(page: Page | Tab, row: dict[str, Any]) -> tuple[str, list[str]]:
    """Run every cell of the open notebook; return what they say, and which of them fail."""
    source = {cell["id"]: cell for cell in _source(f"{row['notebook']}.ipynb")}
    said, wrong = [], []
    for cell in _code(page):
        tags = cell["tags"]
        began = time.monotonic()
        outputs = _do(page, cell, row, source.values())
        shown = "".join(map(text, outputs))
        said.append(shown)
        wrongly = any(map(failed, outputs)) and "raises-exception" not in tags
        stored = "".join(map(text, source[cell["id"]]["outputs"]))
        if wrongly or ("nbval-check-output" in tags and shown != stored):
            wrong.append(f"{cell['source']}\n→ {shown}\nstored: {stored}")
        print(f"{time.monotonic() - began:5.1f} s  {cell['source'].splitlines()[-1]}", flush=True)
    print(*said, sep="\n---\n")
    return "".join(said), wrong


def _do(
    page: Page | Tab, cell: dict[str, Any], row: dict[str, Any], source: Iterable[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Do what the learner does with a cell; return what it puts out."""
    instead = next((it for it in row.get("cells", ()) if it["words"] in cell["source"]), None)
    if instead is None:
        return _run(page, cell["id"])
    if "edit" in instead:
        _edit(page, *instead["edit"])
    typed = [instead.get("type", "pass")]
    if typed == ["solution"]:
        tags = {"solution", cell["tags"][1]}
        solution = (it for it in source if it["cell_type"] == "code" and tags <= _tags(it))
        typed = ["".join(it["source"]) for it in solution]
    return [output for each in typed for output in _run(page, cell["id"], each)]


def _source(name: str) -> list[dict[str, Any]]:
    cells: list[dict[str, Any]] = json.loads((ROOT / "notebooks" / name).read_text())["cells"]
    return cells


def _tags(cell: dict[str, Any]) -> set[str]:
    return set(cell["metadata"].get("tags", ()))


def _code(page: Page | Tab) -> list[dict[str, Any]]:
    return [cell for cell in page.evaluate("() => person.cells()") if cell["type"] == "code"]


def _run(page: Page | Tab, cell: str, source: str | None = None) -> list[dict[str, Any]]:
    """Run a cell, maybe with another source; return what it puts out."""
    outputs: list[dict[str, Any]] = page.evaluate("(given) => person.run(...given)", [cell, source])
    return outputs


def execute(page: Page | Tab, code: str) -> str:
    """Run code in the notebook's kernel, and return what it prints. Raises what it raises."""
    said: str = page.evaluate("(code) => person.execute(code)", code)
    return said


def _edit(page: Page | Tab, find: str, replace: str) -> None:
    """Edit the worker in JupyterLab's editor."""
    given = ["dockercoins/worker/worker.py", find, replace]
    page.evaluate("(given) => person.edit(...given)", given)


def text(output: dict[str, Any]) -> str:
    """What an output says."""
    shown = output.get("text") or output.get("data", {}).get("text/plain") or ""
    return "".join([*shown, *(f"{line}\n" for line in output.get("traceback", ()))])


def failed(output: dict[str, Any]) -> bool:
    """Whether an output is a problem."""
    return output["output_type"] == "error" or output.get("name") == "stderr"
