"""Print figures side by side, each with its 95th percentile, and their ratios."""

import statistics
from collections.abc import Sequence


def pair(
    what: str, labkit: Sequence[float], other: Sequence[float], unit: str, other_name: str
) -> None:
    """Print the medians of what labkit and the other one need, and the first over the second.

    One measurement has no percentile, and none prints nothing.
    """
    medians = _ratio(_median(labkit), _median(other))
    if len(labkit) > 1 and len(other) > 1:
        medians += f", p95 {_ratio(p95(labkit), p95(other))}"
    print(
        f"{what:44} labkit {_figures(labkit, unit)}  {other_name} {_figures(other, unit)}  "
        f"ratio {medians}",
        flush=True,
    )


def p95(values: Sequence[float]) -> float:
    """Return what 95 of 100 values do not exceed."""
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


def _median(values: Sequence[float]) -> float | None:
    return statistics.median(values) if values else None


def _figures(values: Sequence[float], unit: str) -> str:
    if not values:
        return "nothing"
    more = f" (p95 {p95(values):.2f})" if len(values) > 1 else ""
    return f"{statistics.median(values):8.2f} {unit:2}{more}"


def _ratio(labkit: float | None, other: float | None) -> str:
    return f"{labkit / other:.2f}" if labkit is not None and other else "none"
