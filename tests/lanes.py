"""How the tests are shared out where several processes run them (`pytest -n 2`).

Most of the minutes go into waiting for containers. So what waits longest begins first.
"""

from fnmatch import fnmatchcase
from functools import cache

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

#: What is in each file with tests for the second part of `make test`, which collects only these.
MARKED = "mark.(engine|browser)|on_a_real_engine"
#: They begin before all others (`tests/whole/conftest.py`), and are collected last.
NOTEBOOKS = "tests/whole/test_notebooks.py"
#: Judged by times, so not beside the notebooks, which keep a processor busy.
TIMED = "tests/conformance/test_scenarios.py"
#: Patterns of tests that stay together, with `|` between them, in the order in which they begin.
FIRST = [
    "tests/browser/test_charts.py::*",  # which need no JupyterLab: the two are to end together
    "tests/browser/*",  # they share a browser, and the site, which take longest in the first part
    "tests/conformance/test_scenarios.py::*[[]fast*",
    "tests/whole/test_lab_simulated.py::*",  # which leaves a processor to the fast scenarios
    "tests/whole/test_notebooks_simulated.py::*",
    "tests/house/test_pyodide.py::*|tests/swarmsim/runtime/test_turns.py::*",  # and a Pyodide
    "tests/engines/test_nodes.py::*|tests/engines/test_disturbed_nodes.py::*",  # three engines each
    "tests/house/test_wheel.py::*",
    "tests/house/test_bootstrap.py::*",
    "tests/whole/test_nbval.py::*",
    "tests/swarmsim/runtime/test_processes.py::*",
    "tests/hub/*[[]containers]",  # two hubs would give two learners' containers one name
]


@cache
def lane(nodeid: str) -> str:
    """Return what a test stays together with: a part of `FIRST`, or else its file."""
    file = nodeid.partition("::")[0]
    return next((first for first in FIRST if _is_of(nodeid, first)), file)


def _is_of(nodeid: str, patterns: str) -> bool:
    return any(fnmatchcase(nodeid, each) for each in patterns.split("|"))


def place(nodeid: str) -> tuple[int, int]:
    """Return where a test stands among the others, which keep their order."""
    found = lane(nodeid)
    last = (TIMED, NOTEBOOKS)
    return (
        last.index(found) + 1 if found in last else 0,
        FIRST.index(found) if found in FIRST else len(FIRST),
    )


def is_first(config: pytest.Config) -> bool:
    """Whether this is the first of several processes, which collects what it has begun."""
    return getattr(config, "workerinput", {}).get("workerid") == "gw0"


class Lanes(LoadFileScheduling):  # type: ignore[misc] # xdist ships no types
    """Gives a process one lane after the other, in the order of the tests."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        config.option.loadscopereorder = False  # by how many tests there are, not how long
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return lane(nodeid)

    def _assign_work_unit(self, node: WorkerController) -> None:
        first = min(self.nodes, key=lambda each: each.gateway.id)
        if [*self.workqueue] == [NOTEBOOKS] and node is not first:
            node.shutdown()  # there is nothing more to do for it
        else:
            super()._assign_work_unit(node)
