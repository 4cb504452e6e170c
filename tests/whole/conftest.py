"""The notebooks on the real engine begin before all tests."""

import contextlib

import pytest

from tests import lanes
from tests.whole import test_notebooks


@pytest.hookimpl(trylast=True)  # the other process need not wait for it
def pytest_collection_finish(session: pytest.Session) -> None:
    """Begin with them in the process that collects them in the end.

    They take longest, and mostly wait.
    """
    chosen = any(lanes.lane(item.nodeid) == lanes.NOTEBOOKS for item in session.items)
    if chosen and lanes.is_first(session.config):
        # what goes wrong does so again where they are collected
        with contextlib.suppress(Exception, pytest.skip.Exception):
            test_notebooks.begin(session)
