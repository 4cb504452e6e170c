"""Print two figures side by side, with their ratio."""

from __future__ import annotations


def pair(what: str, labkit: float, other: float, unit: str, other_name: str) -> None:
    """Print what labkit needs, what the other one needs, and the first over the second."""
    ratio = labkit / other if other else float("nan")
    print(
        f"{what:44} labkit {labkit:8.2f} {unit:2}  {other_name} {other:8.2f} {unit:2}  "
        f"ratio {ratio:.2f}",
        flush=True,
    )
