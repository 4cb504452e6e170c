"""Claims about comparisons: several updates on an axis that begins with each of them."""

import json
import re
from xml.etree import ElementTree

import pytest

from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import HashesSeen
from labkit.views import Comparison
from labkit.views.static.comparison import DASHES
from tests.acting import HOSTILE
from tests.views.acted import START, after, curves, handed_on, play, settled, texts


def update(pace: float, rest: float = 1.0) -> Recording:
    return settled(rest + 13 * pace, pace=pace, rest=rest)


@pytest.fixture
def two() -> Comparison:
    return Comparison([update(1), update(0.5, rest=2)], ["slow", "fast"])


def drawn(of: Comparison) -> ElementTree.Element:
    return ElementTree.fromstring(of.drawing().svg)


def test_every_run_begins_when_its_update_began(two: Comparison) -> None:
    slow, fast = two.data()["runs"]
    assert (slow["steps"][0], fast["steps"][0]) == ([0, 10], [0, 10])
    assert slow["began"] == round(START.timestamp() * 1000) + 1000
    assert fast["began"] == slow["began"] + 1000
    assert fast["total"] == slow["total"] / 2


def test_the_table_has_the_facts(two: Comparison) -> None:
    html = two.plain
    rows = [re.findall(r"<td>(.*?)</td>", row) for row in html.split("<tr>")[2:]]
    best = '<b>6.0\N{NO-BREAK SPACE}s</b><span class="labkit-best"> shortest</span>'

    assert "Most replicas" not in html, "of both runs it is the same"
    assert rows == [
        ["12.0\N{NO-BREAK SPACE}s", "10", "9", "not known", "completed"],
        [best, "10", "9", "not known", "completed"],
    ]


def test_hashes_lost_and_gained_are_told() -> None:
    recordings = [update(1, rest=6), update(1, rest=6)]
    for recording, during in zip(recordings, (2, 6), strict=True):
        end, count = recording.changes.pop(), 0
        for second in range(20):
            count += 4 if second <= 6 else during
            moment = after(second)
            recording.add(HashesSeen(moment, count, float(second)))
        recording.add(end)
    lost, gained = Comparison(recordings).data()["runs"]

    assert lost["lost"] > 0 > gained["lost"]
    html = Comparison(recordings).plain
    assert f"<td>{lost['lost']:,.0f} lost</td>" in html
    assert f"<td>{-gained['lost']:,.0f} gained</td>" in html
    assert lost["speed"]
    assert all(at >= 0 for at, _ in lost["speed"])


def test_an_update_that_did_not_end_says_so() -> None:
    recording, _, _ = play(5)
    run = Comparison([recording], ["cut"]).data()["runs"][0]
    assert (run["total"], run["state"]) == (None, "updating")
    assert "<td>not known</td>" in Comparison([recording]).html
    assert "did not end" in Comparison([recording]).plain


def test_lines_differ_in_dash_and_not_only_in_colour() -> None:
    runs = Comparison([update(0.5)] * 8).data()["runs"]
    assert len({run["dash"] for run in runs[: len(DASHES)]}) == len(DASHES)
    assert len({(run["dash"], run["colour"]) for run in runs}) == 8
    assert len({run["name"] for run in runs}) == 8


def test_each_line_is_drawn_with_its_dash_and_named(two: Comparison) -> None:
    strokes = [each.get("stroke-dasharray") for each in drawn(two).findall(".//{*}svg/{*}path")]
    assert strokes == [DASHES["solid"], DASHES["dash"]]
    assert {"slow", "fast"} <= set(texts(drawn(two)))


def test_a_line_ends_where_its_update_ended(two: Comparison) -> None:
    """The fast one took half of the time that the axis has."""
    ends = [max(map(float, re.findall(r"[ML]([\d.]+) ", path))) for path in curves(drawn(two))]
    assert ends == [1000.0, 500.0]


def test_the_page_is_given_what_was_drawn(two: Comparison) -> None:
    assert json.loads(handed_on(two.html)) == two.data()
    assert "plotly.js (basic" in two.page


def test_hostile_names_stay_text() -> None:
    recording = update(1)
    comparison = Comparison([recording, recording], [HOSTILE, "other"])
    assert "<img src=x" not in comparison.html
    assert comparison.html.count("</script") == 1
    assert "\u202e" not in comparison.html
