"""The site in Firefox (`make test-browsers`): notebook 0, and an update."""

import json
from pathlib import Path

import pytest

from tests.browser import firefox
from tests.browser.test_site import PERSON, SHOWN, failed, text

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.site, pytest.mark.timeout(900)]

_NOTEBOOK = "00-start-here.ipynb"
_UPDATE = """view = labkit.watch(step.worker)
labkit.update(step.worker, force=True)
print(view.wait())"""


def test_notebook_0_and_an_update_run(address: str, tmp_path: Path) -> None:
    said = ""
    with firefox.firefox(tmp_path) as tab:
        tab.open(f"{address}/lab/index.html?path={_NOTEBOOK}&speed=10")
        firefox.wait_for(tab, f"({SHOWN})()")
        tab.run(f"({PERSON})()")
        tab.run(f"await person.open('{_NOTEBOOK}')")
        for cell in tab.run("return person.cells()"):
            if cell["type"] == "code":
                outputs = tab.run(f"return await person.run({json.dumps(cell['id'])}, null)")
                said += "".join(map(text, outputs))
                assert not any(map(failed, outputs)), said
        updated = tab.run(f"return await person.execute({json.dumps(_UPDATE)})")
        noted = tab.run("return document.querySelector('.labkit-note')?.textContent ?? null")
        firefox.screenshot(tab, "site-firefox")

    assert noted is None
    assert "hashes are made: True" in said
    assert "running: {'1.0': 12}" in said
    assert "The update has settled" in updated
