"""Claims about what is drawn without a kernel: snapshots, and pages of them."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from labkit import views
from labkit.base.errors import BadValue
from labkit.recordings import ps
from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import Back, TaskSeen
from labkit.views import Snapshot
from labkit.views.live import server
from labkit.views.parts import replicas, slots
from tests.views.acted import (
    HEADER,
    Page,
    after,
    assert_text_only,
    handed_on,
    hostile,
    images,
    play,
)


def test_a_snapshot_shows_the_rows_of_docker_service_ps(update: Recording) -> None:
    shown = Page(Snapshot.of(update).html).said
    now = after(16)
    for row in ps.without_clean_history(ps.rows(update.current, "dc_worker", now)):
        assert row.name in shown
        assert row.current_state in shown


def test_a_snapshot_says_how_it_ended(update: Recording) -> None:
    texts = Page(Snapshot.of(update).html).said
    assert "The update has settled." in texts
    assert "Completed: 10 of 10 replicas run 1.1." in texts


def test_a_recording_that_breaks_off_says_so(update: Recording) -> None:
    """Its recorder was killed: the time of the last good snapshot stands there."""
    update.changes.pop()
    text = "".join(Page(Snapshot.of(update).html).said)
    assert "The recording has no end: it broke off here, or is still going on." in text
    assert f"The last good snapshot was taken at {update.last_at:%Y-%m-%d %H:%M:%S} UTC." in text


def test_hostile_text_stays_text_in_a_snapshot() -> None:
    """The only script is labkit's own, and what it holds of an engine's text cannot end it."""
    html = Snapshot.of(hostile()).html
    page = assert_text_only(html, "script", "img")
    assert page.names.count("img") == len(images(html)) == 1
    assert page.names.count("script") == html.count("</script") == 1


def test_in_a_notebook_the_drawing_is_an_image(update: Recording) -> None:
    """Hosts that do not trust a notebook strip SVG, and leave the words of it lying about.

    On such a host, as in any dark page, the image has its own white ground.
    """
    snapshot = Snapshot.of(update)
    (image,) = images(snapshot.html)
    assert "<svg" not in snapshot.html
    assert ("alt", image.get("aria-label")) in Page(snapshot.html).attributes
    assert (image.get("style") or "").startswith("background:#fff;color:#222;")


def test_on_a_page_of_its_own_the_drawing_is_itself(update: Recording) -> None:
    """There nothing strips it, so its bars have their titles and the page's colours."""
    page = Snapshot.of(update).page.split("<script>", 1)[0]
    assert "<svg" in page
    assert "<img" not in page


def test_the_script_hands_on_what_was_drawn() -> None:
    snapshot = Snapshot.of(hostile())
    assert json.loads(handed_on(snapshot.html)) == snapshot.state


def test_a_large_table_is_cut_in_a_snapshot() -> None:
    """It weighs on every save of its notebook and on its page, and says what it leaves out."""
    recording, _, _ = play(0.25, slots=200)
    html = Snapshot.of(recording).html
    assert html.count('<tr data-mood="') == 50
    assert "151 further rows are left out." in html


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
    elements = Page(snapshot.plain)
    assert snapshot.data()["parts"] == ["replicas", "table"]
    assert replicas.TITLE in elements.said
    assert slots.TITLE not in elements.said
    assert "Completed: 10 of 10 replicas run 1.1." not in elements.said


def test_a_part_that_no_view_has_is_refused(update: Recording) -> None:
    with pytest.raises(BadValue, match="no part 'pie'"):
        Snapshot.of(update, ["pie"])


def test_a_snapshot_has_the_budget_in_words(update: Recording) -> None:
    says = "Failures: no failure was tolerated, and none was counted."
    assert says in Page(Snapshot.of(update).html).said


def test_lines_that_could_not_be_read_are_told(update: Recording) -> None:
    update.torn_lines = 2
    says = "2 lines of the file could not be read; the rest is shown."
    assert says in Page(Snapshot.of(update).html).said
    assert Snapshot.of(update).state["trouble"] == says


def test_of_a_long_recording_the_last_changes_are_shown(update, monkeypatch):
    """Those before them, marks and polls of the service alike, cost the page nothing."""
    whole, end = Snapshot.of(update), update.last_at
    update.changes += [Back(end) for _ in range(700)]
    monkeypatch.setattr("labkit.views.static.snapshot.MOST_CHANGES", (9999, 500))
    few = update.latest(9999, 500)
    shown = Snapshot.of(update)

    assert [type(each) for each in few.changes[-501:]] == [TaskSeen, *[Back] * 500]
    assert shown.state["steps"][-1][1] == whole.state["steps"][-1][1]
    assert shown.state["status"] == whole.state["status"]
    says = (
        f"The recording is long: its first {few.left_out} changes are not shown, "
        f"and times count from {end:%Y-%m-%d %H:%M:%S} UTC."
    )
    assert few.left_out == len(update.changes) - 500
    assert few.latest(100, 100) is few
    assert says in Page(shown.html).said


def test_a_page_asks_for_nothing(update: Recording) -> None:
    """plotly.js is in it; no element of it has an address."""
    page = views.html(update)
    own = page.split("<script>", 1)[0] + page.rsplit('<script type="module">', 1)[1]
    assert "plotly.js (basic" in page
    assert not re.search(r"(src|href)\s*=(?!\"#)", page.split("<script>", 1)[0])
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", own)


def test_the_jupyter_server_loads_no_widgets_for_the_page() -> None:
    """It needs the text of the module, and neither anywidget nor Plotly's figures."""
    modules = "labkit.views.parts, labkit.views.live.page, labkit.views.live.server"
    code = f"import sys, {modules}; print(*sys.modules)"
    words = [sys.executable, "-c", code]
    loaded = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
    assert not {"anywidget", "ipywidgets", "plotly.graph_objects"} & set(loaded)


def test_a_name_that_views_do_not_have_names_those_they_have() -> None:
    with pytest.raises(AttributeError, match="no 'chart'; it has Comparison, ProgressTable"):
        views.chart  # type: ignore[attr-defined]  # noqa: B018 - asking for it is the test


def test_each_name_is_what_it_says() -> None:
    """No module of the package hides a name of it."""
    for name in views.__all__:  # type: ignore[attr-defined]
        assert getattr(views, name).__name__ == name


def test_the_server_extension_is_enabled_by_the_file_that_is_installed() -> None:
    """`pip install` puts the file where a Jupyter server looks for what to load."""
    file = Path(views.__file__).parent / "live" / "jupyter_server_config.json"
    enabled = json.loads(file.read_text())["ServerApp"]["jpserver_extensions"]
    assert enabled == {server.__name__: True}
    assert server._jupyter_server_extension_points() == [{"module": server.__name__}]
