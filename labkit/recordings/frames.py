"""A recording as pandas frames, for new questions; as plain tables where pandas is missing.

That is in a browser. A table can do what the lesson does with a frame: choose rows and columns,
round, and be shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from html import escape
from importlib.util import find_spec
from typing import Any, Self

from labkit.recordings.recording import Recording, Span

_SPANS = [*(each.name for each in fields(Span)), "seconds"]


def spans(recording: Recording) -> Any:
    """Return one row a task and state, with how long it lasted in `seconds`.

    `end` and `seconds` are missing for what still lasts, and for states that end a task.
    """
    rows = [
        asdict(span) | {"seconds": span.end and (span.end - span.start).total_seconds()}
        for span in recording.spans()
    ]
    if find_spec("pandas") is None:
        return Table(_SPANS, rows)
    import pandas as pd

    frame = pd.DataFrame(rows, columns=_SPANS)
    for name in ("start", "end"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    return frame.astype({"slot": "Int64", "seconds": float})


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


# ---- without pandas ------------------------------------------------------------------


class Column(list[Any]):
    """The values of a column; compared with a value, whether each is that."""

    def __eq__(self, other: object) -> list[bool]:  # type: ignore[override]  # as pandas has it
        return [each == other for each in self]

    __hash__ = None


class Table:
    """Rows with named columns."""

    def __init__(self, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
        self.columns = list(columns)
        self.rows = [dict(row) for row in rows]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, asked: Any) -> Any:
        """Return a column by its name, several by theirs, or the rows for which it says so."""
        if isinstance(asked, str):
            return Column(row.get(asked) for row in self.rows)
        if asked and all(isinstance(each, bool) for each in asked):
            chosen = [row for row, is_in in zip(self.rows, asked, strict=True) if is_in]
            return Table(self.columns, chosen)
        return Table(asked, self.rows)

    def round(self, digits: int) -> Self:
        """Return it with its fractions rounded."""
        rows = [
            {key: round(it, digits) if isinstance(it, float) else it for key, it in row.items()}
            for row in self.rows
        ]
        return type(self)(self.columns, rows)

    def _words(self) -> list[list[str]]:
        return [[_word(row.get(name)) for name in self.columns] for row in self.rows]

    def __repr__(self) -> str:
        lines = [self.columns, *self._words()]
        wide = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join("  ".join(map(str.rjust, line, wide)) for line in lines)

    def _repr_html_(self) -> str:
        def line(cells: Sequence[str], kind: str) -> str:
            return f"<tr>{''.join(f'<{kind}>{escape(each)}</{kind}>' for each in cells)}</tr>"

        rows = "".join(line(cells, "td") for cells in self._words())
        return f"<table><thead>{line(self.columns, 'th')}</thead><tbody>{rows}</tbody></table>"


def _word(value: object) -> str:
    if value is None:
        return "NaN"
    return value.isoformat(" ", "milliseconds") if isinstance(value, datetime) else str(value)
