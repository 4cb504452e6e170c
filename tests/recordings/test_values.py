"""The values of a Swarm, and how they are read from what the Engine API says."""

from copy import deepcopy
from datetime import UTC, datetime, timedelta

import pytest

from labkit.recordings.values import (
    RollbackConfig,
    Task,
    UpdateConfig,
    UpdateStatus,
    instant,
    tag_of,
)
from tests.claims import claims, each_claim


def test_the_defaults_are_those_of_swarm_and_not_of_docker_py() -> None:
    config = UpdateConfig()
    assert (config.parallelism, config.failure_action) == (1, "pause")
    assert (config.delay, config.monitor) == (timedelta(0), timedelta(seconds=5))
    assert (config.max_failure_ratio, config.order) == (0, "stop-first")


def test_durations_may_be_text_and_are_kept_as_timedelta() -> None:
    assert UpdateConfig(delay="5s", monitor="1m").delay == timedelta(seconds=5)  # type: ignore[arg-type]


@each_claim(__file__, "refused", "field", "value", "says")
def test_a_config_that_swarm_would_refuse_is_refused_with_a_sentence(field, value, says):
    with pytest.raises(ValueError, match=says):
        UpdateConfig(**{field: value})


def test_a_rollback_never_rolls_back() -> None:
    with pytest.raises(ValueError, match="failure_action must be one of pause, continue, not"):
        RollbackConfig(failure_action="rollback")
    assert RollbackConfig.from_api({"FailureAction": "rollback"}).failure_action == "pause"


def test_an_absent_config_means_one_at_a_time_and_an_empty_one_means_all_at_once() -> None:
    assert UpdateConfig.from_api(None).parallelism == 1
    assert UpdateConfig.from_api({}).parallelism == 0


def test_a_config_goes_to_the_api_and_back_unchanged() -> None:
    config = UpdateConfig(parallelism=2, delay=timedelta(seconds=5), max_failure_ratio=0.2)

    assert UpdateConfig.from_api(config.to_api()) == config
    assert config.to_api() == {
        "Parallelism": 2,
        "Delay": 5_000_000_000,
        "FailureAction": "pause",
        "Monitor": 5_000_000_000,
        "MaxFailureRatio": 0.2,
        "Order": "stop-first",
    }


@each_claim(__file__, "tags", "image", "tag")
def test_what_a_replica_runs_is_the_tag_of_its_image(image: str, tag: str) -> None:
    assert tag_of(image) == tag


def test_a_time_of_the_api_keeps_microseconds_and_the_year_1_means_never() -> None:
    read = instant("2026-03-01T10:00:00.123456789+01:00")
    assert read == datetime(2026, 3, 1, 9, 0, 0, 123456, tzinfo=UTC)
    assert instant("2026-03-01T09:00:00Z") == datetime(2026, 3, 1, 9, tzinfo=UTC)
    assert instant("0001-01-01T00:00:00Z") is None
    assert instant("") is None


def test_a_service_that_was_never_updated_has_no_update_status() -> None:
    assert UpdateStatus.from_api(None) is None
    assert UpdateStatus.from_api({}) is None


def test_an_exit_code_is_of_a_task_that_has_ended() -> None:
    """The engine says `ExitCode` 0 of a running container, which has not exited."""
    raw = deepcopy(claims(__file__, "task"))

    running = Task.from_api(raw, {"n1": "node-1"})
    raw["Status"] |= {"State": "failed", "Err": "task: non-zero exit (1)"}
    raw["Status"]["ContainerStatus"]["ExitCode"] = 1
    failed = Task.from_api(raw, {})

    assert (running.exit_code, running.node, running.ports) == (None, "node-1", "*:8000->80/tcp")
    assert (failed.exit_code, failed.node, failed.error) == (1, "", "task: non-zero exit (1)")
