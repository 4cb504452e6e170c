"""How the tests are shared out where several processes run them (`pytest -n 2`).

Most of the minutes go into waiting for containers. So what waits longest begins first, and
the other process runs everything else meanwhile.
"""

from fnmatch import fnmatchcase

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

#: Patterns of tests that stay together, in the order in which they begin.
FIRST = [
    "tests/whole/test_notebooks.py::*",
    "tests/conformance/test_scenarios.py::*[[]fast*",
    "tests/whole/test_lab_simulated.py::*",  # which leaves a processor to the fast scenarios
    "tests/browser/test_lesson.py::*",
    "tests/whole/test_notebooks_simulated.py::*",
    "tests/browser/*",  # they share a browser
    "tests/engines/test_nodes.py::*",
    # judged by times, so not beside the notebooks, which keep a processor busy
    "tests/conformance/test_scenarios.py::*",
    "tests/house/test_wheel.py::*",
    "tests/house/test_bootstrap.py::*",
    "tests/whole/test_nbval.py::*",
    "tests/swarmsim/runtime/test_processes.py::*",
]


def lane(nodeid: str) -> str:
    """Return what a test stays together with: a part of `FIRST`, or else its file."""
    found = (first for first in FIRST if fnmatchcase(nodeid, first))
    return next(found, nodeid.partition("::")[0])


def place(nodeid: str) -> int:
    """Return where a test stands among the others, which keep their order."""
    return FIRST.index(lane(nodeid)) if lane(nodeid) in FIRST else len(FIRST)


class Lanes(LoadFileScheduling):  # type: ignore[misc] # xdist ships no types
    """Gives a process one lane after the other, in the order of the tests."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        config.option.loadscopereorder = False  # by how many tests there are, not how long
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return lane(nodeid)
