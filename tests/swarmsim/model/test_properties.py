"""What holds of every run, whatever is asked of the swarm and whatever its containers do."""

import copy
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from swarmsim.model import (
    SECOND,
    Behaviour,
    Cluster,
    Node,
    Refused,
    Scripted,
    Service,
    StoreEvent,
    Task,
    states,
)
from swarmsim.model.plan import reservations
from tests.swarmsim.model.swarms import config, spec, tag_of

QUICK = settings(max_examples=30, derandomize=True, suppress_health_check=list(HealthCheck))
SETTLED = {"completed", "paused", "rollback_completed", "rollback_paused"}


def length(most: float) -> st.SearchStrategy[timedelta]:
    return st.floats(0, most).map(lambda seconds: timedelta(seconds=seconds))


behaviours = st.builds(
    Behaviour,
    exits_after=st.none() | length(12),
    exit_code=st.sampled_from([0, 1]),
    stops_after=st.none() | length(3),
    healthy_after=st.none() | length(6),
    pull_error=st.sampled_from(["", "", "", "No such image: web:9"]),
)
good = st.builds(Behaviour, stops_after=st.none() | length(3), healthy_after=length(6))
actions = st.sampled_from(["pause", "continue", "rollback"])
configs = st.builds(
    lambda **given: config(**given),
    Parallelism=st.integers(0, 4),
    Delay=st.sampled_from([0, 0, 1, 4]),
    Monitor=st.sampled_from([1, 5]),
    FailureAction=actions,
    MaxFailureRatio=st.sampled_from([0.0, 0.25, 0.5]),
    Order=st.sampled_from(["stop-first", "start-first"]),
)
restarts = st.sampled_from([None, {"Delay": 0}, {"Condition": "on-failure", "MaxAttempts": 2}])


class Watched:
    """A cluster whose every write is held to what may not happen."""

    def __init__(self, behave: dict[str, Behaviour], seed: int, nodes: int = 1) -> None:
        self.behave = behave
        driver = Scripted(lambda task: behave.get(tag_of(task), Behaviour()))
        self.cluster = Cluster(0, seed=seed, driver=driver)
        self.told: list[tuple[Any, ...]] = []
        self._seen: set[str] = set()
        self._tasks: dict[str, tuple[int, int]] = {}
        self._index = 0
        self.cluster.watch(self._changed)
        self.nodes = [self.cluster.add_node(f"n{n}", manager=n == 0) for n in range(nodes)]

    def _changed(self, change: StoreEvent) -> None:
        changed = change.object
        assert self._index <= self.cluster.index
        if change.action != "remove":
            assert self._index < changed.version == self.cluster.index, "versions only grow"
        self._index = self.cluster.index
        if isinstance(changed, Task):
            self._task(change.action, changed)
        elif isinstance(changed, Service):
            self._service(changed)
        self.told.append((self.cluster.now, type(changed), change.action, changed.id))

    def _task(self, action: str, task: Task) -> None:
        state, desired = self._tasks.get(task.id, (0, 0))
        assert state <= task.observed, "an observed state never goes back"
        assert desired <= task.desired, "nor does a desired one"
        self._tasks[task.id] = task.observed, task.desired
        assert task.status_at <= self.cluster.now
        assert (action == "create") is (task.id not in self._seen)
        self._seen.add(task.id)
        service = self.cluster.services.get(task.service_id)
        updater = self.cluster.updater(task.service_id)
        if service and updater and updater.config.parallelism:
            assert updater.busy <= updater.config.parallelism, "never more slots in hand"

    def _service(self, service: Service) -> None:
        status = service.update_status
        if status and status.state == "rollback_started":
            assert status.started_at <= self.cluster.now

    def wait(self, seconds: float) -> None:
        self.cluster.run_until(self.cluster.now + round(seconds * SECOND))

    def live(self, service: Service) -> Counter[Any]:
        """How many tasks of each place shall run or do so, among those that are kept."""
        return Counter(
            task.place
            for task in self.cluster.tasks_of(service.id)
            if task.desired <= states.RUNNING
        )


def waits_for(watched: Watched, service: Service) -> str:
    """Say why an update does not end, or nothing."""
    for task in watched.cluster.tasks_of(service.id):
        if task.desired <= states.RUNNING and not task.ended:
            if task.observed == states.PENDING and task.error:
                return task.error
            if task.observed == states.STARTING:
                return "not healthy"
    return ""


@QUICK
@given(behaviours, good, configs, configs, restarts, st.integers(1, 6), st.integers(0, 2**32))
def test_an_update_ends_or_says_what_it_waits_for(new, old, update, back, restart, replicas, seed):
    watched = Watched({"1": old, "2": new}, seed)
    first = spec("1", replicas, restart=restart, rollback=back)
    service = watched.cluster.create_service(first)
    watched.wait(30)
    wanted = spec("2", replicas, restart=restart, update=update, rollback=back)
    watched.cluster.update_service(service.id, service.version, wanted)
    for _ in range(120):
        watched.wait(2)
        if service.update_status and service.update_status.state in SETTLED:
            break
    else:
        assert waits_for(watched, service)
    assert set(watched.live(service)) <= set(range(1, replicas + 1))


@QUICK
@given(good, good, configs, st.integers(1, 7), st.integers(0, 2**32))
def test_no_slot_is_lost_or_doubled_by_an_update_that_goes_well(new, old, update, replicas, seed):
    """Stop-first: one live task in each slot; start-first: one that runs, and never fewer."""
    watched = Watched({"1": old, "2": new}, seed)
    service = watched.cluster.create_service(spec("1", replicas))
    watched.wait(30)
    wanted = spec("2", replicas, update=update)
    watched.cluster.update_service(service.id, service.version, wanted)
    every_slot = dict.fromkeys(range(1, replicas + 1), 1)
    start_first = update["Order"] == "start-first"
    parallelism = update["Parallelism"] or replicas
    while not (service.update_status and service.update_status.state in SETTLED):
        watched.wait(0.2)
        tasks = watched.cluster.tasks_of(service.id)
        running = [task for task in tasks if task.observed == states.RUNNING]
        wanted_running = [task for task in running if task.desired == states.RUNNING]
        if start_first:
            assert len(wanted_running) >= replicas
        else:
            assert watched.live(service) == every_slot
            in_place = Counter(task.place for task in running if task.desired <= states.RUNNING)
            assert max(in_place.values(), default=0) <= 1
            assert len(wanted_running) >= replicas - parallelism
    assert service.update_status.state == "completed"
    assert watched.live(service) == every_slot
    assert {tag_of(task) for task in running} == {"2"} or start_first


@QUICK
@given(behaviours, configs, st.integers(1, 5), st.integers(0, 2**32), st.integers(1, 5))
def test_at_rest_no_slot_has_more_past_than_the_limit(new, update, replicas, seed, limit):
    watched = Watched({"2": new, "3": Behaviour()}, seed)
    watched.cluster.history_limit = limit
    service = watched.cluster.create_service(spec("1", replicas))
    for tag in ("2", "3", "1"):
        watched.wait(45)
        wanted = spec(tag, replicas, update=update)
        watched.cluster.update_service(service.id, service.version, wanted)
    watched.wait(600)
    places = Counter(task.place for task in watched.cluster.tasks_of(service.id))
    assert max(places.values()) <= max(limit, 1) + (update["Order"] == "start-first")


def run(seed: int, new: Behaviour, update: Any) -> tuple[list[tuple[Any, ...]], Counter[str]]:
    watched = Watched({"2": new}, seed, nodes=2)
    service = watched.cluster.create_service(spec("1", 4))
    watched.wait(20)
    watched.cluster.update_service(service.id, service.version, spec("2", 4, update=update))
    watched.wait(120)
    return watched.told, Counter(
        f"{task.state} {tag_of(task)}" for task in watched.cluster.tasks_of(service.id)
    )


@QUICK
@given(behaviours, configs, st.integers(0, 2**32))
def test_the_same_seed_gives_the_same_run_to_the_nanosecond(new: Behaviour, update: Any, seed: int):
    assert run(seed, new, update) == run(seed, new, update)


@QUICK
@given(good, configs, st.integers(0, 2**16), st.integers(2**17, 2**18))
def test_another_seed_gives_another_order_but_the_same_end(new, update, one, other):
    (told, ends), (told_too, ends_too) = run(one, new, update), run(other, new, update)
    assert told != told_too
    assert ends == ends_too


class Deeds:
    """Anything that can be done to a swarm."""

    def __init__(self, watched: Watched) -> None:
        self.watched = watched
        self.cluster = watched.cluster
        self.service = self.cluster.create_service(spec("1", 3))

    def do(self, name: str, number: int, update: Any) -> None:
        if name in ("down", "ready"):
            self.cluster.set_node_state(self._node(number).id, name)
        elif name.endswith("_node"):
            getattr(self.cluster, name)(self._node(number).id)
        else:
            getattr(self, name)(number, update)

    def update(self, number: int, update: Any) -> None:
        replicas = self.service.spec["Mode"]["Replicated"]["Replicas"]
        self._post(spec(str(number % 4 + 1), replicas, update=update, rollback=update))

    def scale(self, number: int, _: Any) -> None:
        spec_now = dict(self.service.spec)
        self._post({**spec_now, "Mode": {"Replicated": {"Replicas": number % 6}}})

    def rollback(self, *_: Any) -> None:
        if self.service.previous_spec is not None:
            self._post(None)
            return
        with pytest.raises(Refused):
            self._post(None)

    def remove_and_create(self, *_: Any) -> None:
        self.cluster.remove_service(self.service.id)
        self.service = self.cluster.create_service(spec("1", 3))

    def kill(self, number: int, _: Any) -> None:
        tasks = [t for t in self.cluster.tasks.values() if t.observed == states.RUNNING]
        if tasks:
            self.cluster.container_exited(tasks[number % len(tasks)].id, number % 2)

    def availability(self, number: int, _: Any) -> None:
        node = self._node(number)
        wanted = ("active", "pause", "drain", "active")[number % 4]
        self.cluster.update_node(node.id, node.version, {**node.spec, "Availability": wanted})

    def restart(self, *_: Any) -> None:
        self.cluster.restart()

    def sicken(self, number: int, _: Any) -> None:
        for task in list(self.cluster.tasks.values())[number % 3 :: 3]:
            self.cluster.container_health(task.id, "unhealthy")

    def everything_well(self) -> None:
        """Let all containers be good, and all nodes there."""
        self.watched.behave.clear()
        for node in self.watched.nodes:
            self.cluster.set_node_state(node.id, "ready")
            active = {**node.spec, "Availability": "active"}
            self.cluster.update_node(node.id, node.version, active)

    def _node(self, number: int) -> Node:
        return self.watched.nodes[number % len(self.watched.nodes)]

    def _post(self, wanted: Any) -> None:
        service = self.service
        self.cluster.update_service(service.id, service.version, wanted, rollback=wanted is None)


deeds = st.sampled_from(
    [
        *("update", "update", "scale", "rollback", "remove_and_create", "kill", "kill"),
        *("availability", "down", "ready", "kill_node", "cut_node", "start_node"),
        *("restart", "sicken"),
    ]
)


@QUICK
@given(
    st.lists(
        st.tuples(deeds, st.integers(0, 99), configs, st.floats(0, 9)), min_size=1, max_size=14
    ),
    behaviours,
    behaviours,
    st.integers(0, 2**32),
    st.integers(1, 3),
)
def test_whatever_is_done_in_the_end_every_slot_has_its_task(done, second, third, seed, nodes):
    """Once containers are well again, nodes are up, and a last update has gone through."""
    watched = Watched({"2": second, "3": third}, seed, nodes)
    deeds_ = Deeds(watched)
    for name, number, update, pause in done:
        deeds_.do(name, number, update)
        watched.wait(pause)
    deeds_.everything_well()
    watched.wait(90)
    service = deeds_.service
    last = spec("5", 3, update=config(Parallelism=0, FailureAction="continue"))
    watched.cluster.update_service(service.id, service.version, last)
    watched.wait(300)
    # which slots there are depends on which ran when the service was scaled down
    assert sorted(watched.live(service).values()) == [1, 1, 1]
    tasks = watched.cluster.tasks_of(service.id)
    assert Counter(tag_of(t) for t in tasks if t.observed == states.RUNNING) == {"5": 3}
    # without a slot there was nothing to update
    assert service.update_status is None or service.update_status.state == "completed"
    assert {task.service_id for task in watched.cluster.tasks.values()} == {service.id}


deeds_of_nodes = st.sampled_from(
    [
        *("constrain", "limit", "reserve", "retag", "scale", "label"),
        *("down", "cut", "up", "away", "add", "restart"),
    ]
)


@QUICK
@given(
    st.lists(st.tuples(deeds_of_nodes, st.integers(0, 99), configs, st.floats(0, 6)), max_size=16),
    good,
    st.integers(0, 2**32),
)
def test_no_task_is_placed_twice_and_what_is_booked_is_what_the_tasks_of_a_node_need(
    done: list[tuple[str, int, Any, float]], behaviour: Behaviour, seed: int
) -> None:
    watched = Watched({"1": behaviour, "2": behaviour}, seed, nodes=2)
    cluster = watched.cluster
    placed: Counter[str] = Counter()

    def count(task: Task) -> None:
        placed.update([task.id] if task.observed == states.ASSIGNED else [])

    cluster.on_observed.append(count)
    network = {"Networks": [{"Target": "net"}]}
    services = [
        cluster.create_service(spec("1", 3, template=network if name == "a" else {}, Name=name))
        for name in "ab"
    ]
    for what, number, update, pause in done:
        if what == "restart":
            cluster.restart()
            cluster.on_observed.append(count)
        else:
            change_placement(cluster, services[number % 2], what, number, update)
        watched.wait(pause)
        for info in cluster._scheduler._node_infos.values():
            held = [cluster.tasks[each] for each in info.tasks]
            assert {task.node_id for task in held} <= {info.node.id}
            assert info.memory == sum(reservations(task.spec)[1] for task in held)
            assert info.active == sum(info.tasks.values()) == sum(info.of_service.values())
    watched.wait(200)
    assert not placed or max(placed.values()) == 1
    live = [each for each in cluster.tasks.values() if each.observed == states.RUNNING]
    assert not [task.error for task in live if task.error], "nothing is left of why it had to wait"


def change_placement(
    cluster: Cluster, service: Service, what: str, number: int, update: Any
) -> None:
    wanted, node = copy.deepcopy(service.spec), list(cluster.nodes.values())[-1]
    template, placement = wanted["TaskTemplate"], wanted["TaskTemplate"].setdefault("Placement", {})
    match what:
        case "constrain":
            placement["Constraints"] = ["node.labels.x==y"] if number % 3 else []
        case "limit":
            placement["MaxReplicas"] = number % 4
        case "reserve":
            template["Resources"] = {"Reservations": {"MemoryBytes": number % 5 * 2**30}}
        case "retag":
            template["ContainerSpec"] = {"Image": f"web:{1 + number % 3}"}
        case "scale":
            wanted["Mode"] = {"Replicated": {"Replicas": number % 7}}
        case "label":
            labels = {"x": "y"} if number % 2 else {}
            cluster.update_node(node.id, node.version, {**node.spec, "Labels": labels})
            return
        case "away" if node.role != "manager":
            cluster.remove_node(node.id, force=True)
            return
        case "add":
            cluster.add_node(f"n{number}")
            return
        case _:
            if node.role != "manager":
                deed = {"down": cluster.kill_node, "cut": cluster.cut_node}.get(what)
                (deed or cluster.start_node)(node.id)
            return
    wanted["UpdateConfig"] = update
    cluster.update_service(service.id, service.version, wanted)
