"""A recording as pandas frames, for new questions."""

from dataclasses import asdict, fields

import pandas as pd

from labkit.recordings.recording import Recording, Span

_SPANS = [*(each.name for each in fields(Span)), "seconds"]


def spans(recording: Recording) -> pd.DataFrame:
    """Return one row a task and state, with how long it lasted in `seconds`.

    `end` and `seconds` are missing for what still lasts, and for states that end a task.
    """
    frame = pd.DataFrame([asdict(span) for span in recording.spans()], columns=_SPANS[:-1])
    frame["end"] = pd.to_datetime(frame["end"], utc=True)
    frame["start"] = pd.to_datetime(frame["start"], utc=True)
    frame["seconds"] = (frame["end"] - frame["start"]).dt.total_seconds()
    return frame.astype({"slot": "Int64"})


def replicas(recording: Recording) -> pd.DataFrame:
    """Return the running replicas by tag: a column a tag, a row a moment that changed them."""
    steps = recording.running_by_tag()
    index = pd.DatetimeIndex([at for at, _ in steps], name="at", tz="UTC")
    frame = pd.DataFrame([dict(counts) for _, counts in steps], index=index)
    return frame.fillna(0).astype(int)
