"""Whatever is written in a file of a recording, it is read as far as it goes, or refused."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.base.errors import RecordingProblem
from labkit.base.settings import lesson_files
from labkit.recordings import frames, story
from labkit.recordings.recording import Recording
from labkit.views.static.snapshot import Snapshot, text

NODE = {"id": "n", "name": "node-1", "state": "ready", "availability": "drain"}
NODES = {"kind": "nodes", "at": "2026-11-28T16:41:23Z", "nodes": [NODE]}
LINES = [
    [*(json.loads(line) for line in path.read_text().splitlines()[:40]), NODES]
    for path in sorted((lesson_files() / "notebooks" / "recordings").glob("*.jsonl"))
]
TIMES = ["9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00Z", "2026-11-28T16:41:23+23:59"]
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(
        [10**30, -(10**30), "updating", "running", "complete", "1.0", "-5s", "99999999h", *TIMES]
    ),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)


def _has_fields(found: Any) -> bool:
    return isinstance(found, dict) and bool(found)


@st.composite
def damaged(draw: st.DrawFn) -> list[Any]:
    """The lines of a recording in which some fields hold something else, or are missing."""
    lines = json.loads(json.dumps(draw(st.sampled_from(LINES))))
    for _ in range(draw(st.integers(1, 3))):
        row = draw(st.sampled_from(lines))
        inside = [*row.values(), *row.get("nodes", [])]
        inner = draw(st.sampled_from([row, *filter(_has_fields, inside)]))
        field = draw(st.sampled_from(sorted(inner)))
        if draw(st.booleans()):
            inner[field] = draw(ANYTHING)
        elif len(inner) > 1:
            del inner[field]
    return list(lines)


@settings(max_examples=60)
@given(damaged())
def test_any_field_of_a_recording_may_hold_anything(lines: list[Any]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "r.jsonl")
        path.write_text("\n".join(map(json.dumps, lines)))
        try:
            recording = Recording.load(path)
        except RecordingProblem:
            return
    assert json.dumps(story.facts(recording))
    assert text(recording)
    assert Snapshot.of(recording)._repr_html_()
    frames.spans(recording)
