"""What the tests of views draw."""

import pytest

from labkit.recordings.recording import Recording
from tests.views.acted import settled


@pytest.fixture
def update() -> Recording:
    """A recording of an acted update to its end."""
    return settled()
