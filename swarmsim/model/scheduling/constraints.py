"""Placement constraints, as swarmkit reads them (its constraint/constraint.go). Pure."""

from collections.abc import Iterable
from ipaddress import ip_address, ip_network

from swarmsim.model.objects import Node

_NODE_LABEL = "node.labels."
_ENGINE_LABEL = "engine.labels."


def satisfied(constraints: Iterable[str], node: Node) -> bool:
    """Whether a node meets every constraint, such as `node.role == manager`."""
    return all(_holds(constraint, node) for constraint in constraints)


def label(descriptor: str, node: Node) -> str | None:
    """Return a label of a node, named as in `node.labels.zone`; `None` if it is not a label.

    A label that the node has not counts as empty.
    """
    lowered = descriptor.casefold()
    if lowered.startswith(_NODE_LABEL) and len(descriptor) > len(_NODE_LABEL):
        return str((node.spec.get("Labels") or {}).get(descriptor[len(_NODE_LABEL) :], ""))
    if lowered.startswith(_ENGINE_LABEL) and len(descriptor) > len(_ENGINE_LABEL):
        return str(node.engine_labels.get(descriptor[len(_ENGINE_LABEL) :], ""))
    return None


def _holds(constraint: str, node: Node) -> bool:
    wants_equal = "==" in constraint
    key, _, value = constraint.partition("==" if wants_equal else "!=")
    key, value = key.strip(), value.strip()
    if key.casefold() == "node.ip":
        is_there = _is_within(node.address, value)
        return is_there is not None and is_there is wants_equal
    found = _value(key, node)
    # what swarmkit does not know is not met, whatever the operator
    return found is not None and (found.casefold() == value.casefold()) is wants_equal


def _value(key: str, node: Node) -> str | None:
    known = {
        "node.id": node.id,
        "node.hostname": node.hostname,
        "node.role": node.role,
        "node.platform.os": node.os,
        "node.platform.arch": node.architecture,
    }
    lowered = key.casefold()
    return known[lowered] if lowered in known else label(key, node)


def _is_within(address: str, value: str) -> bool | None:
    """Whether a node's address is the one given, or in that subnet; `None` if it is neither."""
    try:
        return ip_address(address) in ip_network(value, strict=False)
    except ValueError:
        return None
