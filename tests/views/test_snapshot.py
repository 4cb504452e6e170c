"""Claims about what is drawn without a kernel: snapshots, and pages of them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from base64 import b64decode
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from labkit import views
from labkit.base.errors import BadValue
from labkit.recordings import ps
from labkit.recordings.recording import Ended, Gap, Recording
from labkit.views import Snapshot
from labkit.views.live import server
from labkit.views.state import words
from labkit.views.state.sentences import budgets
from tests.acting import HOSTILE
from tests.views.test_picture import HEADER, START, play, settled


@pytest.fixture
def update() -> Recording:
    return settled()


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

    assert "There is no end in the recording: it broke off here, or it still goes on." in text
    assert f"The last good snapshot is of {update.last_at:%Y-%m-%d %H:%M:%S} UTC." in text


def test_hostile_text_stays_text_in_a_snapshot(hostile: Recording) -> None:
    """The only script is labkit's own, and what it holds of an engine's text cannot end it."""
    html = Snapshot.of(hostile).html
    elements = Elements(html)

    assert elements.names.count("img") == len(images(html)) == 1
    assert elements.names.count("script") == 1
    assert elements.handlers == []
    assert html.count("</script") == 1
    assert any("<script>window.hacked=1</script>" in text for text in elements.texts)


def images(html: str) -> list[bytes]:
    """The images in it: each is in the page itself."""
    return [
        b64decode(data) for data in re.findall('<img src="data:image/svg.xml;base64,([^"]*)', html)
    ]


def test_in_a_notebook_the_drawing_is_an_image(update: Recording) -> None:
    """Hosts that do not trust a notebook strip SVG, and leave the words of it lying about.

    On such a host, as in any dark page, the image has its own white ground.
    """
    snapshot = Snapshot.of(update)
    image = ElementTree.fromstring(images(snapshot.html)[0])

    assert "<svg" not in snapshot.html
    assert f'alt="{image.get("aria-label")}"' in snapshot.html
    assert (image.get("style") or "").startswith("background:#fff;color:#222;")


def test_on_a_page_of_its_own_the_drawing_is_itself(update: Recording) -> None:
    """There nothing strips it, so its bars have their titles and the page's colours."""
    page = Snapshot.of(update).page.split("<script>", 1)[0]

    assert "<svg" in page
    assert "<img" not in page


def test_the_picture_in_a_snapshot_is_the_picture(hostile: Recording) -> None:
    """What the script hands on is what was drawn."""
    snapshot = Snapshot.of(hostile)
    inside = re.search(r"show\(el, (.*), \"labkit/plotly-", snapshot.html)

    assert inside is not None
    assert json.loads(inside[1]) == snapshot.picture


def test_a_large_table_is_cut_in_a_snapshot() -> None:
    """A snapshot weighs on every save of its notebook, so it says what it leaves out."""
    recording, _, _ = play(0.25, slots=600)
    html = Snapshot.of(recording).html

    assert html.count('<tr data-mood="') == 500
    assert "101 further rows are left out." in html


def test_an_empty_recording_can_be_shown() -> None:
    """A service that was never seen has no rows and no steps, and that is no error."""
    assert "Nothing has been recorded yet." in Snapshot.of(Recording(HEADER)).html


def test_older_tasks_are_folded_under_the_newest_of_each_slot(update: Recording) -> None:
    """Those that failed are what one looks for, so then they are not folded away."""
    html = Snapshot.of(update).html
    newest, older = html.split("<details open>")

    assert newest.count("<td>dc_worker.") == 10
    assert "<summary>1 older task of these slots</summary>" in older
    assert older.count("<td> \\_ dc_worker.3</td>") == 1


def test_a_snapshot_can_be_of_some_parts(update: Recording) -> None:
    """The page is told which, and draws the same."""
    snapshot = Snapshot.of(update, ["table", "replicas"])
    elements = Elements("".join(snapshot.content()))

    assert snapshot.data()["parts"] == ["replicas", "table"]
    assert "Running replicas" in elements.texts
    assert "Tasks in each slot" not in elements.texts
    assert "Completed: 10 of 10 replicas run 1.1." not in elements.texts


def test_a_part_that_no_view_has_is_refused(update: Recording) -> None:
    with pytest.raises(BadValue, match="no part 'pie'"):
        Snapshot.of(update, ["pie"])


def test_a_snapshot_has_the_budget_in_words(update: Recording) -> None:
    says = "Failures: no failure was tolerated, and none was counted."

    assert says in Elements(Snapshot.of(update).html).texts


BUDGET = {
    "of": "update",
    "failures": 0,
    "tolerated": 2,
    "slots": 10,
    "action": "rollback",
    "ratio": 0.2,
    "missed": 0,
    "watched": True,
}


@pytest.mark.parametrize(
    ("budget", "state", "says"),
    [
        (
            {"failures": 1},
            "updating",
            "Failures: 1 failure of 2 tolerated (of 10 slots being updated); "
            "2 more and Swarm rolls the update back.",
        ),
        (
            {"failures": 2, "action": "pause"},
            "updating",
            "Failures: 2 failures of 2 tolerated (of 10 slots being updated); "
            "one more and Swarm pauses the update.",
        ),
        (
            {"failures": 3},
            "rollback_started",
            "Failures: 3 failures, 2 tolerated: Swarm rolled the update back.",
        ),
        (
            {"missed": 1},
            "completed",
            "Failures: no failure of 2 tolerated (of 10 slots that were updated). 1 task died "
            "without being counted: after the monitor window, or when the update looked it was "
            "over.",
        ),
        (
            {"tolerated": 0},
            "updating",
            "Failures: no failure is tolerated: the first one rolls the update back.",
        ),
        (
            {"watched": False, "action": "continue"},
            "updating",
            "Failures: not watched, as failure_action is continue.",
        ),
    ],
)
def test_the_budget_is_told_as_swarm_counts(budget: dict, state: str, says: str) -> None:
    picture = {"budget": BUDGET | budget, "rollback_budget": None, "status": {"state": state}}

    assert budgets(picture) == [says]


def test_lines_that_could_not_be_read_are_told(update: Recording) -> None:
    update.torn_lines = 2

    says = "2 lines of the file could not be read; what is drawn is what could."
    assert says in Elements(Snapshot.of(update).html).texts
    assert Snapshot.of(update).picture["trouble"] == says


def test_a_page_asks_for_nothing(update: Recording) -> None:
    """plotly.js is in it; no element of it has an address."""
    page = views.html(update)
    own = page.split("<script>", 1)[0] + page.rsplit('<script type="module">', 1)[1]

    assert "plotly.js v" in page
    assert not re.search(r"(src|href)\s*=(?!\"#)", page.split("<script>", 1)[0])
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", own)


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


@pytest.mark.parametrize(
    "module", ["labkit.views.live.page", "labkit.views.state.parts", "labkit.views.live.server"]
)
def test_the_jupyter_server_loads_no_widgets_for_the_page(module: str) -> None:
    """It needs the text of the module, and neither anywidget nor Plotly's figures."""
    code = f"import sys, {module}; print(*sys.modules)"
    words = [sys.executable, "-c", code]
    loaded = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()

    assert not {"anywidget", "ipywidgets", "plotly.graph_objects"} & set(loaded)


def test_a_name_that_views_do_not_have_names_those_they_have() -> None:
    with pytest.raises(AttributeError, match="no 'chart'; it has Comparison, ProgressTable"):
        views.chart  # type: ignore[attr-defined]  # noqa: B018 - asking for it is the test


@pytest.mark.parametrize("name", views.__all__)  # type: ignore[attr-defined]
def test_each_name_is_what_it_says(name: str) -> None:
    """No module of the package hides a name of it."""
    assert getattr(views, name).__name__ == name


def test_the_server_extension_is_enabled_by_the_file_that_is_installed() -> None:
    """`pip install` puts the file where a Jupyter server looks for what to load."""
    file = Path(views.__file__).parent / "live" / "jupyter_server_config.json"
    enabled = json.loads(file.read_text())["ServerApp"]["jpserver_extensions"]

    assert enabled == {server.__name__: True}
    assert server._jupyter_server_extension_points() == [{"module": server.__name__}]
