"""How tasks of one spec are spread over nodes. Pure.

After swarmkit's manager/scheduler (scheduler.go, nodeset.go, decision_tree.go): by the
service's placement preferences first, then over the nodes with the fewest of its tasks.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cmp_to_key

from swarmsim.model.objects import Task
from swarmsim.model.scheduling.constraints import label
from swarmsim.model.scheduling.node_info import MOST_FAILURES, Filters, NodeInfo

#: Puts a task on a node.
Take = Callable[[Task, NodeInfo], None]


@dataclass(slots=True)
class _Branch:
    """The nodes that are alike in what tasks are to be spread over."""

    #: How many tasks of the service are there.
    tasks: int = 0
    branches: "dict[str, _Branch]" = field(default_factory=dict)
    infos: list[NodeInfo] = field(default_factory=list)


class Spreading:
    """Puts tasks of one spec on nodes."""

    def __init__(self, group: list[Task], filters: Filters, now: int, take: Take) -> None:
        #: The tasks for which there was no room, at the end.
        self.left = deque(group)
        self._one = group[0]
        self._filters = filters
        self._now = now
        self._take = take

    def over(self, infos: Iterable[NodeInfo]) -> None:
        """Put as many tasks as there is room for on these nodes."""
        self._grow(len(self.left), self._tree(infos))

    def _tree(self, infos: Iterable[NodeInfo]) -> _Branch:
        root, service = _Branch(), self._one.service_id
        for info in infos:
            branch = root
            for descriptor in self._preferences():
                value = label(descriptor, info.node)
                if value is None:
                    continue
                branch.tasks += info.of_service[service]
                branch = branch.branches.setdefault(value, _Branch())
            branch.tasks += info.of_service[service]
            if self._filters.pass_(info):
                branch.infos.append(info)
        return root

    def _preferences(self) -> list[str]:
        given = self._one.placement.get("Preferences") or ()
        spreads = [each.get("Spread") or {} for each in given]
        return [spread.get("SpreadDescriptor", "") for spread in spreads]

    def _grow(self, count: int, branch: _Branch) -> int:
        """Put so many tasks below a branch, evenly; return how many there was room for."""
        if not branch.branches:
            branch.infos = self._filters.passing(branch.infos)
            branch.infos.sort(key=cmp_to_key(self._compare))
            return self._fill(count, branch.infos)
        placed, in_use, full = 0, branch.tasks, set[str]()
        is_converging = True
        while placed != count and len(full) != len(branch.branches) and is_converging:
            is_converging = False
            open_ = len(branch.branches) - len(full)
            each, rest = divmod(in_use + count - placed, open_)
            for value, below in branch.branches.items():
                if value in full or not (below.tasks < each or (below.tasks == each and rest > 0)):
                    continue
                is_converging = True
                wanted = each - below.tasks + (rest > 0)
                got = self._grow(wanted, below)
                if got < wanted:
                    full.add(value)
                    in_use -= below.tasks
                elif rest > 0:
                    rest -= 1
                placed += got
        return placed

    def _fill(self, count: int, infos: list[NodeInfo]) -> int:
        """Put tasks on nodes, the emptiest first, until these are level; then in turn."""
        if not infos:
            return 0
        placed, turn, full = 0, 0, set[int]()
        while self.left:
            info = infos[turn % len(infos)]
            self._take(self.left.popleft(), info)
            placed += 1
            if placed == count:
                break
            if turn + 1 >= len(infos) or self._compare(infos[turn + 1], info) < 0:
                turn += 1
            first = turn
            while turn % len(infos) in full or not self._filters.pass_(infos[turn % len(infos)]):
                full.add(turn % len(infos))
                turn += 1
                if turn - first == len(infos):
                    return placed
        return placed

    def _compare(self, one: NodeInfo, other: NodeInfo) -> int:
        """Return which of two nodes is to be preferred: below 0, the first."""
        failures = [info.failures(self._one, self._now) for info in (one, other)]
        if max(failures) >= MOST_FAILURES and failures[0] != failures[1]:
            return failures[0] - failures[1]
        service = self._one.service_id
        return one.of_service[service] - other.of_service[service] or one.active - other.active
