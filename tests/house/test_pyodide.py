"""labkit and its engine run in Pyodide, which is what Python is in a browser."""

import pytest

from tests.pyodide import RunPython

#: An update is watched, fails, and is rolled back; the engine is asked as a site's is.
WATCHED = """
import labkit
from labkit.api import doing
from labkit.swarm.client import Swarm
from swarmsim import Behaviour, Engine
engine = Engine(speed=10, behaviour={"web:2": Behaviour(exits_after="1s", exit_code=1)})
doing._current = Swarm(engine.client(), "unix://in-process")
labels, careful = {"labkit.lab": "true"}, {"FailureAction": "rollback"}
engine.client().services.create("web:1", name="web", labels=labels, update_config=careful)
view, sent = labkit.watch("web", path="/tmp/web.jsonl"), []
view.send = lambda message, **_: sent.append(message)
labkit.update("web", image="web:2")
print(view.wait(timeout=120))
print("moved:", any("moves" in each for each in sent))
"""


@pytest.mark.engine
@pytest.mark.long
def test_an_update_is_watched_and_rolled_back_in_pyodide(pyodide: RunPython) -> None:
    said = pyodide(WATCHED).splitlines()
    assert "The update has settled" in said[-2]
    assert said[-1] == "moved: True"


#: The page answers after a while.
ASKED = """
from pyodide.code import run_js
run_js('''
globalThis.location = { href: "http://here/site/extensions/x.js" };
globalThis.XMLHttpRequest = class {
    open() {}
    responseText = '"yes"';
    send() { for (const began = Date.now(); Date.now() - began < 500;); }
};
''')
from labkit.base import browser, jobs
began = jobs.spent()
print(browser.ask("page", "?", 5), jobs.spent() - began < 0.25)
"""


@pytest.mark.engine
@pytest.mark.long
def test_what_is_waited_for_in_pyodide_is_no_processor_time(pyodide: RunPython) -> None:
    """A recorder rests nine times as long as it has worked: it would see nothing of an update."""
    assert pyodide(ASKED) == "yes True\n"
