"""The model of Swarm: 10,000 replicas, updated ten at a time, and with start-first.

A transition is a write to the model's store: a task in another state, or of which something
else is desired, a service with another status. Beside it stands what a clocked model cannot
do without, measured in the same run: a value put into a dictionary of as many keys, and
an event put on a heap and taken off it again. Both are processor time.
"""

import heapq
import time
from collections.abc import Callable
from functools import partial

from benchmarks.report import pair
from swarmsim.model import SECOND, Cluster, Service, Spec

_REPLICAS = 10_000
_MICROSECONDS = 1e6
_BESIDE = "dictionary and heap"


def run() -> None:
    """Create the service and update it, and print what a transition costs."""
    for order in ("stop-first", "start-first"):
        cluster = Cluster(now=0, seed=1)
        cluster.add_node("lab", manager=True)
        service = cluster.create_service(_spec("1", order))
        created = _cost(cluster, lambda: True)
        cluster.update_service(service.id, service.version, _spec("2", order))
        updated = _cost(cluster, partial(_is_over, service))
        needed = _dictionary_and_heap()
        pair(f"{order}: a transition while created", [created], [needed], "us", _BESIDE)
        pair(f"{order}: a transition while updated", [updated], [needed], "us", _BESIDE)


def _spec(tag: str, order: str) -> Spec:
    return {
        "Name": "web",
        "Labels": {},
        "Mode": {"Replicated": {"Replicas": _REPLICAS}},
        "TaskTemplate": {"ContainerSpec": {"Image": f"web:{tag}"}},
        "UpdateConfig": {"Parallelism": 10, "Order": order},
    }


def _is_over(service: Service) -> bool:
    return service.update_status is not None and service.update_status.state == "completed"


def _cost(cluster: Cluster, is_over: Callable[[], bool]) -> float:
    """Return the processor time of one transition, in microseconds, until something is so."""
    index, began = cluster.index, time.process_time()
    cluster.run_until(cluster.now + 60 * SECOND)
    while not is_over():
        cluster.run_until(cluster.now + 60 * SECOND)
    return (time.process_time() - began) * _MICROSECONDS / (cluster.index - index)


def _dictionary_and_heap(times: int = 200_000) -> float:
    """Return the processor time of a write to a dictionary and an event, in microseconds."""
    kept: dict[int, int] = {}
    due: list[tuple[int, int]] = [(n, n) for n in range(_REPLICAS)]
    began = time.process_time()
    for n in range(times):
        kept[n % _REPLICAS] = n
        heapq.heappush(due, (n, n))
        heapq.heappop(due)
    return (time.process_time() - began) * _MICROSECONDS / times
