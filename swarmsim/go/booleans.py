"""What Docker takes for true: one rule for most query parameters, Go's own for the others."""

from __future__ import annotations

_TRUE = {"1", "t", "T", "true", "TRUE", "True"}
_FALSE = {"0", "f", "F", "false", "FALSE", "False"}


def of_query(text: str) -> bool:
    """Read a query parameter as moby's `httputils.BoolValue`: true unless it says no."""
    return text.strip().lower() not in {"", "0", "no", "false", "none"}


def parse(text: str) -> bool | None:
    """Read what Go's `strconv.ParseBool` takes; `None` for what it refuses."""
    return text in _TRUE if text in _TRUE | _FALSE else None
