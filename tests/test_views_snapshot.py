"""Claims about what is drawn without a kernel: snapshots, pages, figures."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from labkit import ps, server, views
from labkit.recording import Ended, Gap, Recording
from labkit.views import Snapshot, drawing, words
from tests.acting import HOSTILE, HOSTILE_TAG
from tests.test_views_picture import HEADER, START, play


@pytest.fixture
def update() -> Recording:
    recording, _, _ = play(16)
    recording.add(Ended(START + timedelta(seconds=16), "The update has settled."))
    return recording


@pytest.fixture
def hostile() -> Recording:
    recording, _, _ = play(9, hostile=True)
    recording.add(Gap(START + timedelta(seconds=9), HOSTILE))
    recording.add(Ended(START + timedelta(seconds=10), HOSTILE))
    return recording


class Elements(HTMLParser):
    """The elements of a page, the text between them, and attributes that run something."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.texts: list[str] = []
        self.handlers: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_a_snapshot_shows_the_rows_of_docker_service_ps(update: Recording) -> None:
    shown = Elements(Snapshot.of(update).html).texts
    now = START + timedelta(seconds=16)

    for row in ps.without_clean_history(ps.rows(update.current, "dc_worker", now)):
        assert row.name in shown
        assert row.current_state in shown


def test_a_snapshot_says_how_it_ended(update: Recording) -> None:
    texts = Elements(Snapshot.of(update).html).texts

    assert "The update has settled." in texts
    assert "Completed: 10 of 10 replicas run 1.1." in texts


def test_a_recording_that_breaks_off_says_so(update: Recording) -> None:
    """Its recorder was killed: the time of the last good snapshot stands there."""
    update.changes.pop()
    text = "".join(Elements(Snapshot.of(update).html).texts)

    assert "The recording ends here and does not say why." in text
    assert f"The last good snapshot is of {update.last_at:%Y-%m-%d %H:%M:%S} UTC." in text


def test_hostile_text_stays_text_in_a_snapshot(hostile: Recording) -> None:
    """The only script is labkit's own, and what it holds of an engine's text cannot end it."""
    html = Snapshot.of(hostile).html
    elements = Elements(html)

    assert "img" not in elements.names
    assert elements.names.count("script") == 1
    assert elements.handlers == []
    assert html.count("</script") == 1
    assert any("<script>window.hacked=1</script>" in text for text in elements.texts)


def test_the_picture_in_a_snapshot_is_the_picture(hostile: Recording) -> None:
    """What the script hands on is what was drawn."""
    snapshot = Snapshot.of(hostile)
    inside = re.search(r"show\(el, (.*), \"labkit/plotly-", snapshot.html)

    assert inside is not None
    assert json.loads(inside[1]) == snapshot.picture


def test_the_drawing_is_an_svg_of_its_own(hostile: Recording) -> None:
    """It is well-formed, so that other programs can show it; a band for each tag."""
    root = ElementTree.fromstring(drawing.svg(Snapshot.of(hostile).picture))
    bands = root.findall("{*}polygon")

    assert root.get("viewBox") == "0 0 1000 230"
    assert [band.findtext("{*}title") for band in bands] == [
        "1.0",
        words.plain(HOSTILE_TAG, 60),
        "1.1",
    ]


def test_a_band_of_the_drawing_is_as_high_as_its_replicas(update: Recording) -> None:
    """In the end ten of ten run 1.1, from the axis to the top of the tens."""
    root = ElementTree.fromstring(drawing.svg(Snapshot.of(update).picture))
    last = root.findall("{*}polygon")[-1]
    ys = [float(point.split(",")[1]) for point in (last.get("points") or "").split()]

    assert max(ys) - min(ys) == pytest.approx(172 * 10 / 10.6, abs=0.2)


def test_a_large_table_is_cut_in_a_snapshot() -> None:
    """A snapshot weighs on every save of its notebook, so it says what it leaves out."""
    recording, _, _ = play(0.25, slots=600)
    html = Snapshot.of(recording).html

    assert html.count('<tr data-mood="') == 500
    assert "101 further rows are left out." in html


def test_an_empty_recording_can_be_drawn() -> None:
    """A service that was never seen has no rows and no steps, and that is no error."""
    snapshot = Snapshot.of(Recording(HEADER))

    assert "The service is removed." in snapshot.html
    assert views.figure(Recording(HEADER)).data == ()


def test_a_page_asks_for_nothing(update: Recording) -> None:
    """plotly.js is in it; no element of it has an address."""
    page = views.html(update)
    own = page.split("<script>", 1)[0] + page.rsplit('<script type="module">', 1)[1]

    assert "plotly.js v" in page
    assert not re.search(r"(src|href)\s*=", page.split("<script>", 1)[0])
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", own)


def test_a_figure_has_the_steps_of_the_recording(update: Recording) -> None:
    """At every moment of a step the figure stacks as many as ran."""
    figure = views.figure(update)
    stacked = {trace.name: dict(zip(trace.x, trace.y, strict=True)) for trace in figure.data}

    for at, counts in update.running_by_tag():
        ms = round((at - START).total_seconds() * 1000)
        moment = datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")[:-6]
        assert {tag: ys[moment] for tag, ys in stacked.items() if ys[moment]} == {
            tag: n for tag, n in counts.items() if n
        }


def test_a_figure_holds_each_count_until_the_next(update: Recording) -> None:
    for trace in views.figure(update).data:
        assert trace.line.shape == "hv"
        assert trace.stackgroup == "replicas"
        assert list(trace.x) == sorted(trace.x)


def test_hostile_text_stays_text_in_a_figure(hostile: Recording) -> None:
    """Plotly reads a little markup and `$…$`; nothing of either is left in a name."""
    names = [trace.name for trace in views.figure(hostile).data]

    assert not any("<" in name or "$" in name for name in names)
    assert any("&lt;img" in name for name in names)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("task: non-zero exit (1)", "task: non-zero exit (1)"),
        ("a\nb\x1b[31m", "a\\nb\\x1b[31m"),
        ("\u202eright to left", "\\u202eright to left"),
        ("naïve 漢字", "naïve 漢字"),
        ("x" * 2000, "x" * 999 + "…"),
        ("\ud800", "\\ud800"),
    ],
)
def test_every_character_can_be_seen(text: str, shown: str) -> None:
    assert words.plain(text) == shown


def test_html_shows_exactly_the_text() -> None:
    assert words.for_html('<b title="x">&') == "&lt;b title=&quot;x&quot;&gt;&amp;"


def test_the_server_extension_is_enabled_by_the_file_that_is_installed() -> None:
    """`pip install` puts the file where a Jupyter server looks for what to load."""
    file = Path(views.__file__).with_name("jupyter_server_config.json")
    enabled = json.loads(file.read_text())["ServerApp"]["jpserver_extensions"]

    assert enabled == {server.__name__: True}
    assert server._jupyter_server_extension_points() == [{"module": server.__name__}]
