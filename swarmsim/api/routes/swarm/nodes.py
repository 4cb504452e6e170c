"""Nodes: `docker node ls`, `inspect`, `update`, `promote`, `demote`, `rm`."""

from swarmsim.api.asking import asked, body_of, filters_of, find, version
from swarmsim.api.documents.objects import node_json
from swarmsim.api.http import Answer, Call, Routes
from swarmsim.engine.engine import Engine
from swarmsim.go.errors import ApiError
from swarmsim.go.filters import Filters
from swarmsim.go.gojson.shapes import write
from swarmsim.model import Cluster, Node

routes = Routes()

_KEYS = ("name", "id", "label", "role", "membership", "node.label")
_FILTERED = {"role": {"worker", "manager"}, "membership": {"accepted", "pending"}}
_SETTINGS = {"Role": {"worker", "manager"}, "Availability": {"active", "pause", "drain"}}
#: What no Docker engine can be asked to do to a node.
_DEEDS = {"kill": Cluster.kill_node, "cut": Cluster.cut_node, "start": Cluster.start_node}


def find_node(engine: Engine, term: str) -> Node:
    """The node that a client means by an id, a hostname, or how an id begins."""
    engine.manager()
    return find(engine.cluster.nodes, term, "node", lambda node: node.hostname)


@routes.get("/nodes")
async def listed(call: Call) -> Answer:
    """`docker node ls`."""
    filters = filters_of(call, *_KEYS)
    swarm = call.engine.manager()
    for key, choices in _FILTERED.items():
        for wanted in filters.get(key):
            if wanted and wanted.lower() not in choices:
                raise ApiError(500, f"Invalid {key} filter: '{wanted}'")
    nodes = call.engine.cluster.nodes
    found = [nodes[key] for key in sorted(nodes) if _matches(nodes[key], filters)]
    return Answer([node_json(node, swarm, call.engine.version) for node in found])


def _matches(node: Node, filters: Filters) -> bool:
    return (
        filters.prefix("name", node.hostname)
        and filters.prefix("id", node.id)
        and filters.swarm_labels("label", node.engine_labels)
        and filters.swarm_labels("node.label", node.spec.get("Labels") or {})
        and filters.word("role", node.role)
        and filters.word("membership", "accepted")
    )


@routes.get("/nodes/{id}")
async def inspect(call: Call) -> Answer:
    """`docker node inspect`."""
    node = find_node(call.engine, call.path["id"])
    return Answer(node_json(node, call.engine.manager(), call.engine.version))


@routes.post("/nodes/{id}/update")
async def update(call: Call) -> Answer:
    """`docker node update`: labels, availability, role."""
    given = await body_of(call, "swarm.NodeSpec")
    of_version = version(call, "node")
    for key, words in _SETTINGS.items():
        if given.get(key, "").lower() not in words:
            raise ApiError(400, f'invalid {key}: "{given.get(key, "")}"')
        given[key] = given[key].lower()
    node = find_node(call.engine, call.path["id"])
    spec = write({"Labels": {}, **given}, "swarm.NodeSpec")
    asked(call.engine.cluster.update_node, node.id, of_version, spec)
    return Answer()


@routes.delete("/nodes/{id}")
async def remove(call: Call) -> Answer:
    """`docker node rm`."""
    node = find_node(call.engine, call.path["id"])
    asked(call.engine.cluster.remove_node, node.id, force=call.flag("force"))
    return Answer()


@routes.post("/swarmsim/nodes/{id}/{deed}")
async def disturb(call: Call) -> Answer:
    """Let a node die, cut it off, or bring it back: swarmsim's own, as no engine does that."""
    node, deed = find_node(call.engine, call.path["id"]), _DEEDS.get(call.path["deed"])
    if deed is None:
        raise ApiError(404, "page not found")
    if node.id == call.engine.manager().node_id:
        raise ApiError(400, f"{node.hostname} is the engine that answers")
    deed(call.engine.cluster, node.id)
    return Answer()


@routes.post("/swarmsim/restart")
async def restart(call: Call) -> Answer:
    """Restart the manager and all nodes at once: swarmsim's own, too."""
    call.engine.manager()
    call.engine.cluster.restart()
    return Answer()
