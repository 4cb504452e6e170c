"""Claims about stages: what a task's state and desired state mean together."""

from __future__ import annotations

import pytest

from labkit.views.state.stages import stage
from tests.values import task


@pytest.mark.parametrize(
    ("state", "desired", "meant"),
    [
        ("preparing", "ready", "waiting"),  # the old task of the slot has not stopped
        ("ready", "ready", "waiting"),
        ("pending", "running", "starting"),
        ("starting", "running", "starting"),
        ("running", "running", "running"),
        ("running", "shutdown", "stopping"),
        ("running", "remove", "stopping"),
        ("starting", "shutdown", "stopping"),
        ("shutdown", "shutdown", "ended"),
        ("complete", "shutdown", "ended"),
        ("failed", "shutdown", "failed"),
        ("failed", "running", "failed"),
        ("rejected", "shutdown", "failed"),
        ("orphaned", "remove", "failed"),
    ],
)
def test_a_stage_goes_by_state_and_desired_state(state: str, desired: str, meant: str):
    assert stage(task(1, state=state, desired_state=desired)) == meant
