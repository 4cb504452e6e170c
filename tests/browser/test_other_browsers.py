"""The site in Firefox and in WebKit (`make test-browsers`): notebooks, and an update."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser import others
from tests.browser.test_site import PERSON, ROWS, SHOWN, execute, go_through

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.site, pytest.mark.timeout(1800)]

_NOTEBOOK = "00-start-here.ipynb"
_UPDATE = """view = labkit.watch(step.worker)
labkit.update(step.worker, force=True)
print(view.wait())"""
_NOTE = "document.querySelector('.labkit-note')?.textContent ?? ''"
_REFUSAL = "document.querySelector('[role=alert]')?.textContent"


def _at_speed(browser: Any, row: dict[str, Any]) -> Any:
    """A notebook in a browser, at a multiple of Swarm's speed.

    WebKit draws slowly without a GPU: a recording misses what it has no time to look at, such
    as all of an update that fails at once.
    """
    fails = row["notebook"] == "03-rolling-back"
    speed = 10 if browser is others.firefox else 2 if fails else 4
    return pytest.param((browser, speed), row, id=f"{browser.__name__}-{row['notebook']}")


_NOTEBOOKS = [_at_speed(each, row) for each in (others.firefox, others.webkit) for row in ROWS]


@pytest.fixture(scope="module")
def tab(
    request: pytest.FixtureRequest, address: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[others.Tab]:
    """A page in which one notebook after the other is opened."""
    browser, speed = request.param
    with browser(tmp_path_factory.mktemp("browser")) as opened:
        opened.open(f"{address}/lab/index.html?path={_NOTEBOOK}&speed={speed}")
        others.wait_for(opened, f"({SHOWN})()")
        opened.evaluate(PERSON)
        yield opened


@pytest.mark.parametrize(("tab", "row"), _NOTEBOOKS, indirect=["tab"])
def test_a_notebook_runs(tab: others.Tab, row: dict[str, Any]) -> None:
    """With a learner's edits. Where tasks only act, the page and the engine say so."""
    acts = tab.name == "webkit"
    said = _run(tab, row)
    assert [each for each in row.get("said", ()) if each not in said] == []
    assert ("can't run the code of your images" in tab.run(f"return {_NOTE}")) is acts
    assert ("Acted: the code of your images" in said) is acts
    if row is ROWS[0]:
        assert f"hashes are made: {not acts}" in said
        assert "The update has settled" in execute(tab, _UPDATE)


def _run(tab: others.Tab, row: dict[str, Any]) -> str:
    """Run every cell; none fails, and each prints what is stored in it. Return what they say.

    But where tasks only act, no hashes are made.
    """
    tab.evaluate("(path) => person.open(path)", f"{row['notebook']}.ipynb")
    execute(tab, "%reset -f")
    said, wrong = go_through(tab, row)
    others.screenshot(tab, f"site-{row['notebook']}")
    assert [each for each in wrong if "hashes are made: False" not in each] == []
    return said


@pytest.mark.parametrize(
    "preferences",
    [
        {"dom.serviceWorkers.enabled": False},
        # as private windows were before they had service workers
        {
            "browser.privatebrowsing.autostart": True,
            "dom.serviceWorkers.privateBrowsing.enabled": False,
        },
    ],
    ids=["switched-off", "private"],
)
def test_firefox_without_service_workers_is_told_so(
    preferences: dict[str, bool], address: str, tmp_path: Path
) -> None:
    with others.firefox(tmp_path, **preferences) as tab:
        tab.open(f"{address}/lab/index.html?path={_NOTEBOOK}")
        assert "allows no service worker here" in others.wait_for(tab, _REFUSAL)
        others.screenshot(tab, "site-refused")


def test_a_private_window_of_firefox_runs_the_lab(address: str, tmp_path: Path) -> None:
    with others.firefox(tmp_path, **{"browser.privatebrowsing.autostart": True}) as tab:
        tab.open(f"{address}/lab/index.html?path={_NOTEBOOK}")
        others.wait_for(tab, f"({SHOWN})()")
        tab.run(f"({PERSON})()")
        tab.run(f"await person.open('{_NOTEBOOK}')")
        assert tab.run("return await person.execute('print(6 * 7)')") == "42\n"
