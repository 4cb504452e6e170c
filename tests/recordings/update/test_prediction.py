"""A prediction: what the model expects of an update, as a recording like any other."""

import copy
from datetime import timedelta
from typing import Any

import pytest

from labkit.base import settings
from labkit.base.errors import BadValue
from labkit.recordings import comparison, story
from labkit.recordings.recording import Recording
from labkit.recordings.story import in_words
from labkit.recordings.update.prediction import SEEDS, in_pieces, over_seeds
from swarmsim.model import Behaviour
from tests.played import worker_spec
from tests.values import START

Spec = dict[str, Any]


def spec(tag: str = "1.0", replicas: int = 10, **update_config: Any) -> Spec:
    config = {"Parallelism": 1, "FailureAction": "rollback", **update_config}
    return worker_spec(tag, replicas, UpdateConfig=config)


def predict(before: Spec, after: Spec, **more: Any) -> Recording:
    *_, made = in_pieces(before, after, **more)
    return made


def of_update(after: Spec, **more: Any) -> Recording:
    before = copy.deepcopy(after)
    before["TaskTemplate"]["ContainerSpec"]["Image"] = "lab/dockercoins_worker:1.0"
    return predict(before, after, began=START, **more)


def test_an_update_that_goes_well_is_predicted_to_its_end() -> None:
    made = of_update(spec("1.1", Parallelism=2, Delay=5 * 10**9))
    (run,) = comparison.compare([made])

    assert made.header.provenance == "predicted"
    assert story.phases(made) == ["updating", "completed"]
    assert story.running_now(made) == {"1.1": 10}
    assert (run.touched, run.fewest, run.state) == (10, 8, "completed")
    assert story.most_at_once(made, "1.1") == 2
    # delay and monitor are both 5 s, so it is watched for a second more than the delay
    assert 11 <= story.from_last_start_to_end(made, "1.1").total_seconds() < 11.1
    assert made.ended
    assert made.ended.why == "The update has settled: completed (update completed)."
    assert in_words(made).endswith(" never fewer than 8 replicas running.")


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("01-rolling", {}),
        ("02-pairs", {"Parallelism": 2, "Delay": 5 * 10**9}),
        ("02-no-delay", {"Parallelism": 2}),
    ],
)
def test_a_prediction_takes_as_long_as_a_real_engine_did(name: str, config: Spec) -> None:
    recorded = Recording.load(settings.lesson_files() / f"notebooks/recordings/{name}.jsonl")
    made = of_update(spec("1.1", **config), old_behaviour={"stops_after": "30ms"})

    assert story.took(made) / story.took(recorded) == pytest.approx(1, abs=0.03)


def test_tasks_that_fail_are_predicted_to_be_rolled_back() -> None:
    made = of_update(spec("bugged"), behaviour={"exits_after": "300ms", "exit_code": 1})
    assert story.phases(made) == ["updating", "rollback_started", "rollback_completed"]
    assert story.running_now(made) == {"1.0": 10}
    assert story.errors(made) == ["task: non-zero exit (1)"]
    assert story.slots_touched(made) <= 2
    assert in_words(made).startswith("Predicted: rollback_completed after ")


def test_a_function_says_what_the_task_of_each_slot_does() -> None:
    def one_in_ten(slot: int) -> Behaviour | dict[str, Any]:
        return Behaviour(exits_after=timedelta(seconds=1)) if slot == 3 else {}

    tolerated = of_update(spec("1.1", MaxFailureRatio=0.1), behaviour=one_in_ten)
    not_tolerated = of_update(spec("1.1"), behaviour=one_in_ten)

    assert story.phases(tolerated) == ["updating", "completed"]
    assert story.phases(not_tolerated)[-1] == "rollback_completed"


@pytest.mark.parametrize("deaf", [{"stops_after": None}, {"ignores_stop": True}])
def test_old_tasks_that_ignore_the_stop_signal_take_their_grace(deaf: dict[str, Any]) -> None:
    prompt = of_update(spec("1.1", replicas=2))
    stubborn = of_update(spec("1.1", replicas=2), old_behaviour=deaf)
    slower = story.took(stubborn) - story.took(prompt)
    assert 18 < slower.total_seconds() < 22, "ten seconds a slot"


def of_production(tag: str, seed: int, **more: Any) -> Recording:
    """What notebook 5 asks of twelve replicas."""
    config: Spec = {"Parallelism": 2, "Delay": 10**10, "Order": "start-first"}
    config |= {"Monitor": 30 * 10**9, "MaxFailureRatio": 0.1}
    after = spec(tag, 12, **config) | {"RollbackConfig": {"Parallelism": 0}}
    return of_update(after, seed=seed, **more)


@pytest.mark.parametrize("seed", range(3))
def test_a_prediction_ends_when_nothing_moves_any_more(seed: int) -> None:
    """A rollback was over by its status while old tasks, told to stop before it, still ran."""
    crashes = {"exits_after": "1s", "exit_code": 1}
    for made in (
        of_production("1.1", seed),
        of_production("bugged", seed, behaviour=crashes),
        of_production("bugged", seed, behaviour=crashes, old_behaviour={"stops_after": "25s"}),
    ):
        left = [task for task in made.current if not task.ended]

        assert [task.desired_state for task in left] == ["running"] * 12
        assert story.running_now(made) == {made.service and made.service.tag: 12}


def test_tasks_that_fail_again_and_again_do_not_prolong_a_prediction() -> None:
    """One of them is always on its way; it went on for an hour, and took seconds to work out."""
    made = of_update(spec("1.1", FailureAction="continue"), behaviour={"unhealthy_after": "5s"})
    assert made.ended
    assert story.phases(made) == ["updating", "completed"]
    assert made.ended.at - made.update_states()[-1][0] < timedelta(minutes=1)


def test_what_chance_decides_is_a_range_over_seeds() -> None:
    """One bad slot of ten, and none is tolerated: all depends on when its turn comes."""
    after = spec("1.1", Parallelism=2, MaxFailureRatio=0.05)
    before = spec("1.0")

    def one_in_ten(slot: int) -> Spec:
        return {"exits_after": "1s", "exit_code": 1} if slot == 3 else {}

    pieces = over_seeds(before, after, behaviour=one_in_ten, began=START)
    runs = [run for run in pieces if run.ended]
    spread = story.over_seeds(runs)
    least, most = spread["total_seconds"]
    slots = spread["slots_touched"]

    assert len(runs) == SEEDS
    assert story.facts(runs[4]) == story.facts(
        predict(before, after, behaviour=one_in_ten, began=START, seed=4)
    )
    assert most - least > 10
    assert len(slots) > 1
    assert (
        f"after {least:.1f} to {most:.1f} s; {slots[0]} to {slots[-1]} slots touched"
        in in_words(*runs)
    )
    said = f" Chance decides: these are the ranges of {SEEDS} predictions."
    assert in_words(*runs).endswith(said)


def test_a_prediction_is_worked_out_in_pieces() -> None:
    """Of a second of the update at most, so that a slider that moves does not wait for more."""
    pieces = [*in_pieces(spec("1.0"), spec("1.1", Parallelism=1), began=START)]
    (made,) = {id(piece): piece for piece in pieces}.values()
    update = story.first_update(made)
    assert update
    assert update.total
    assert len(pieces) >= update.total.total_seconds()


def test_what_chance_does_not_decide_is_said_as_it_is() -> None:
    before, after = spec("1.0", replicas=4), spec("1.1", replicas=4)
    runs = [run for run in over_seeds(before, after, began=START) if run.ended]
    assert in_words(*runs) == in_words(runs[0])
    assert "Chance" not in in_words(*runs)


def test_a_constraint_that_no_node_meets_ends_in_what_it_waits_for() -> None:
    after = spec("1.1", replicas=2)
    before = copy.deepcopy(after)
    after["TaskTemplate"]["Placement"] = {"Constraints": ["node.labels.disk == ssd"]}

    made = predict(before, after, began=START)

    assert story.phases(made) == ["updating"]
    assert made.ended
    assert made.ended.why == (
        "Nothing more will happen by itself: "
        "no suitable node (scheduling constraints not satisfied on 1 node)."
    )


def test_an_update_that_goes_on_for_too_long_is_followed_no_further() -> None:
    made = of_update(spec("1.1", replicas=3), up_to="5s")
    assert story.phases(made) == ["updating"]
    assert made.ended
    assert made.ended.why == "It has not settled within 5s."


def test_a_change_that_no_task_needs_is_predicted_to_touch_none() -> None:
    made = predict(spec(), spec() | {"Labels": {"a": "b"}}, began=START)
    assert story.phases(made) == []
    assert story.running_now(made) == {"1.0": 10}


def test_a_scale_down_is_predicted_to_leave_as_many_as_are_wanted() -> None:
    made = predict(spec(), spec(replicas=3), began=START)
    assert story.running_now(made) == {"1.0": 3}
    assert in_words(made).startswith(
        "Predicted: no task is replaced; in the end 3 replicas run. The service was changed"
    )


def test_the_same_question_has_the_same_answer_and_another_seed_another_order() -> None:
    made = [of_update(spec("1.1"), seed=seed).spans() for seed in (1, 1, 2)]
    orders = [[s.slot for s in spans if (s.tag, s.state) == ("1.1", "running")] for spans in made]
    assert orders[0] == orders[1] != orders[2]
    assert set(orders[0]) == set(range(1, 11))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("crashes", "behaviour is of type Behaviour or a mapping of its fields, not 'crashes'"),
        ({"dies": "1s"}, "Behaviour has no 'dies'; it has exits_after, exit_code"),
        ({"exits_after": "soon"}, "soon"),
        ({"exits_after": "-1s"}, "exits_after must be a duration of zero or more"),
        (lambda slot: slot, "behaviour is of type Behaviour or a mapping of its fields, not 1"),
    ],
)
def test_what_is_no_behaviour_is_refused(wrong: Any, says: str) -> None:
    with pytest.raises(BadValue, match=says):
        of_update(spec("1.1", replicas=1), behaviour=wrong)
