"""A recording as pandas frames, for new questions; as plain tables where pandas is missing."""

from dataclasses import asdict, fields
from importlib.util import find_spec
from typing import Any

from labkit.recordings.recording import Recording, Span
from labkit.recordings.table import Table

_SPANS = [*(each.name for each in fields(Span)), "seconds"]


def spans(recording: Recording) -> Any:
    """Return one row a task and state, with how long it lasted in `seconds`.

    `end` and `seconds` are missing for what still lasts, and for states that end a task.
    """
    rows = [asdict(span) for span in recording.spans()]
    if find_spec("pandas") is None:
        return Table(_SPANS, [row | {"seconds": _seconds(row)} for row in rows])
    import pandas as pd

    frame = pd.DataFrame(rows, columns=_SPANS[:-1])
    frame["end"] = pd.to_datetime(frame["end"], utc=True)
    frame["start"] = pd.to_datetime(frame["start"], utc=True)
    frame["seconds"] = (frame["end"] - frame["start"]).dt.total_seconds()
    return frame.astype({"slot": "Int64"})


def replicas(recording: Recording) -> Any:
    """Return the running replicas by tag: a column a tag, a row a moment that changed them."""
    steps = recording.running_by_tag()
    if find_spec("pandas") is None:
        tags = list(dict.fromkeys(tag for _, counts in steps for tag in counts))
        none = dict.fromkeys(tags, 0)
        return Table(["at", *tags], [{"at": at, **none, **counts} for at, counts in steps])
    import pandas as pd

    index = pd.DatetimeIndex([at for at, _ in steps], name="at", tz="UTC")
    frame = pd.DataFrame([dict(counts) for _, counts in steps], index=index)
    return frame.fillna(0).astype(int)


def _seconds(row: dict[str, Any]) -> float | None:
    return None if row["end"] is None else (row["end"] - row["start"]).total_seconds()
