"""Placement constraints, as swarmkit reads them (its constraint/constraint.go). Pure."""

from __future__ import annotations

from collections.abc import Iterable

from labkit.rollout.objects import Node


def satisfied(constraints: Iterable[str], node: Node) -> bool:
    """Whether a node meets every constraint, such as `node.role == manager`."""
    return all(_holds(constraint, node) for constraint in constraints)


def _holds(constraint: str, node: Node) -> bool:
    wants_equal = "==" in constraint
    key, _, value = constraint.partition("==" if wants_equal else "!=")
    found = _value(key.strip(), node)
    return (found.casefold() == value.strip().casefold()) is wants_equal


def _value(key: str, node: Node) -> str:
    """Return what a node has for a key; an unknown label counts as empty."""
    known = {
        "node.id": node.id,
        "node.hostname": node.hostname,
        "node.ip": node.address,
        "node.role": node.role,
        "node.platform.os": node.os,
        "node.platform.arch": node.architecture,
    }
    lowered = key.casefold()
    if lowered in known:
        return known[lowered]
    if lowered.startswith("node.labels."):
        return str((node.spec.get("Labels") or {}).get(key[len("node.labels.") :], ""))
    if lowered.startswith("engine.labels."):
        return str(node.engine_labels.get(key[len("engine.labels.") :], ""))
    return ""
