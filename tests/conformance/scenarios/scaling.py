"""More and fewer replicas, with and without a change of what they run."""

from tests.conformance.play import NEW, OLD, Play, config, restart
from tests.conformance.scenario import scenario


@scenario(lasts=14)
def slots_that_come_with_an_update_are_no_part_of_it(play: Play) -> None:
    """They start at once on the new spec, whatever the parallelism, and may fail as they like."""
    new = "slot 3,4: exit 1 after 0.5"
    play.running(replicas=2, task=restart(delay=1), UpdateConfig=config(delay=2, monitor=3))
    play.update(new, replicas=4)

    play.ends("completed")
    slots = play.by_slot()
    added = [slots[3][0].created, slots[4][0].created]
    play.took("between the new slots", abs(added[0] - added[1]), about=0, late=0.3)
    assert slots[3][0].image == slots[4][0].image == play.engine.image(new)
    updated = sorted(slots[slot][1].created for slot in (1, 2))
    assert updated[1] - updated[0] > 2, "the delay is between these only"
    assert max(added) < updated[1], "the new slots do not wait for their turn"


@scenario(lasts=10)
def slots_that_go_with_an_update_go_at_once(play: Play) -> None:
    """The highest go, with their history; the others are updated."""
    play.running(replicas=4, UpdateConfig=config(monitor=1))
    play.update(NEW, replicas=2)

    play.ends("completed")
    play.until(
        lambda: {task.slot for task in play.tasks if task.gone_at is None} == {1, 2},
        "the highest slots to be gone",
    )
    assert play.slots_on(NEW) == 2
    slots = play.by_slot()
    told = [slots[slot][0].stopped_from or slots[slot][0].gone_at or 0 for slot in (3, 4)]
    assert max(told) < max(slots[slot][1].created for slot in (1, 2)), "they do not wait their turn"


@scenario(lasts=5)
def a_scale_replaces_no_task_and_is_no_update(play: Play) -> None:
    """More replicas, then fewer: the highest slots go."""
    play.running(replicas=1)
    first = play.tasks[0].id
    play.update(replicas=3)
    play.until(lambda: sum(task.running for task in play.tasks) == 3, "three replicas")
    play.update(replicas=1)
    play.until(lambda: sum(task.gone_at is None for task in play.tasks) == 1, "one task")

    assert [task.id for task in play.tasks if task.gone_at is None] == [first]
    assert play.status.state == ""


@scenario(lasts=12)
def the_first_scale_by_docker_py_replaces_all_tasks(play: Play) -> None:
    """It sends back the defaults that it asked for; the second scale finds them there."""
    play.running(replicas=2)
    service = play.engine.client.services.get(play.id)
    assert service.scale(3)

    play.ends("completed")
    assert {slot: len(tasks) for slot, tasks in play.by_slot().items()} == {1: 2, 2: 2, 3: 1}
    service.reload()
    assert service.scale(1)
    play.until(lambda: play.counts[-1] == (1, 1), "one replica")
    play.watch(1)
    assert play.status.state == ""
    assert len(play.on(OLD)) == 5


@scenario(lasts=9)
def the_history_of_a_removed_slot_stays_until_the_next_change(play: Play) -> None:
    """Its last task goes when it has stopped, and the older ones with the service's next update."""
    play.running(replicas=2, UpdateConfig=config(parallelism=None, monitor=1))
    play.update(NEW)
    play.ends("completed")
    play.update(replicas=1)

    def left() -> list[int]:
        return [sum(t.gone_at is None for t in tasks) for tasks in play.by_slot().values()]

    play.until(lambda: sorted(left()) == [1, 2], "the removed slot's last task to be gone")
    play.watch(1)
    assert sorted(left()) == [1, 2]
    play.update(UpdateConfig=config(parallelism=None, monitor=2))
    play.until(lambda: sorted(left()) == [0, 2], "the rest of the slot to be gone")
