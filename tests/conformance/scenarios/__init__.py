"""The scenarios, by what they are about. Each enters itself when its module is imported."""

from tests.conformance.scenarios import (  # noqa: F401
    command_line,
    failing,
    restarting,
    rolling,
    rolling_back,
    scaling,
    stopping,
    waiting,
)
