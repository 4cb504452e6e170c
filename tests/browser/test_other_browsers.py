"""The site in Firefox and in WebKit (`make test-browsers`): notebooks, and an update."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.browser import others
from tests.browser.test_site import PERSON, ROWS, SHOWN, execute, failed, go_through, text

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.site, pytest.mark.timeout(1800)]

_NOTEBOOK = "00-start-here.ipynb"
_UPDATE = """view = labkit.watch(step.worker)
labkit.update(step.worker, force=True)
print(view.wait())"""
_NOTE = "document.querySelector('.labkit-note')?.textContent ?? ''"
_REFUSAL = "document.querySelector('[role=alert]')?.textContent"


@pytest.mark.parametrize(
    ("browser", "acts", "speed"),
    # WebKit draws slowly without a GPU; at ten times Swarm's speed, the recording would have gaps
    [(others.firefox, False, 10), (others.webkit, True, 1)],
    ids=["firefox", "webkit"],
)
def test_notebook_0_and_an_update_run(
    browser: Callable[[Path], AbstractContextManager[others.Tab]],
    acts: bool,
    speed: int,
    address: str,
    tmp_path: Path,
) -> None:
    """Where tasks only act, the page and the engine say so, and no hashes are made."""
    said = ""
    with browser(tmp_path) as tab:
        tab.open(f"{address}/lab/index.html?path={_NOTEBOOK}&speed={speed}")
        others.wait_for(tab, f"({SHOWN})()")
        tab.run(f"({PERSON})()")
        noted = tab.run(f"return {_NOTE}")
        tab.run(f"await person.open('{_NOTEBOOK}')")
        for cell in tab.run("return person.cells()"):
            if cell["type"] == "code":
                outputs = tab.run(f"return await person.run({json.dumps(cell['id'])}, null)")
                said += "".join(map(text, outputs))
                assert not any(map(failed, outputs)), said
        updated = tab.run(f"return await person.execute({json.dumps(_UPDATE)})")
        others.screenshot(tab, "site")

    assert ("can't run the code of your images" in noted) is acts
    assert ("Acted: the code of your images" in said) is acts
    assert f"hashes are made: {not acts}" in said
    assert "running: {'1.0': 12}" in said
    assert "The update has settled" in updated


@pytest.fixture(scope="module")
def in_firefox(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[others.Tab]:
    """A page in which one notebook after the other is opened."""
    with others.firefox(tmp_path_factory.mktemp("firefox")) as tab:
        tab.open(f"{address}/lab/index.html?path={_NOTEBOOK}&speed=10")
        others.wait_for(tab, f"({SHOWN})()")
        tab.evaluate(PERSON)
        yield tab


@pytest.mark.parametrize("row", ROWS[1:], ids=lambda row: row["notebook"])
def test_a_notebook_runs_in_firefox(in_firefox: others.Tab, row: dict[str, Any]) -> None:
    """Every cell, with a learner's edits; each prints what is stored in it."""
    in_firefox.evaluate("(path) => person.open(path)", f"{row['notebook']}.ipynb")
    execute(in_firefox, "%reset -f")
    said, wrong = go_through(in_firefox, row)
    others.screenshot(in_firefox, f"site-{row['notebook']}")

    assert wrong == []
    assert [each for each in row.get("said", ()) if each not in said] == []


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
