"""The live view in JupyterLab, in a real browser, with no network."""

from datetime import timedelta
from importlib.resources import files

import pytest
from playwright.sync_api import Page, expect

from labkit import views
from labkit.recordings import ps
from tests.browser.lab import Lab, Notebook, screenshot
from tests.browser.pages import PLOT, Open, drag, put_on, running
from tests.browser.test_accessibility import problems
from tests.browser.test_badges import SIMULATED
from tests.views.acted import play
from tests.waiting import until

pytestmark = pytest.mark.browser

WATCH = """
from labkit.recordings.recorder import Recorder
from labkit.views import Watch
from tests.acting import ActedSwarm
swarm = ActedSwarm({options})
recorder = Recorder(swarm, "dc_worker").start()
Watch(recorder)
"""


def acted(options: str = "") -> str:
    return WATCH.format(options=options)


def watching(lab: Lab, page: Page, options: str, *cells: str) -> Notebook:
    """A notebook whose first cell shows an acted update, and has been run."""
    notebook = Notebook(lab, page, [acted(options), *cells])
    notebook.run(0)
    return notebook


def new_replicas(page: Page) -> int:
    """How many replicas of 1.1 the view says are running."""
    return running(page, "1.1")


def test_a_view_ends_with_the_last_picture_and_hostile_text_stays_text(
    lab: Lab, page: Page
) -> None:
    """It says why it ended, and a saved notebook shows the same with no kernel.

    Markup in a tag, a node, an error, or a message is shown and never obeyed.
    """
    notebook = watching(lab, page, "pace=0.6, rest=1, hostile=True")
    expect(page.locator(".labkit-message q")).to_contain_text("<script>window.hacked")
    expect(page.locator(".js-plotly-plot path.js-fill").first).to_be_visible()
    plot = page.locator(f"[data-part=replicas] {PLOT}")
    plot.hover(position={"x": 50, "y": 40})
    expect(page.locator("[data-part=replicas] .labkit-card")).to_contain_text("<img src=x")
    screenshot(page, "hostile")
    end = page.locator(".labkit-panel .labkit-end")
    expect(end).to_contain_text("The update has settled", timeout=20_000)
    until(lambda: "text/html" in _data(notebook.save()), "the snapshot to be saved")
    # the snapshot that takes the place of the view has a table of older tasks as well
    expect(page.locator(".labkit-ps").first).to_contain_text("\\u202e")
    obeys_nothing(page)

    notebook.end_kernel()
    page.goto("about:blank")
    notebook.open(kernel=False)
    expect(page.locator(".labkit-badge")).to_have_text("completed")
    expect(page.locator(".js-plotly-plot path.js-fill").first).to_be_visible(timeout=20_000)
    # each part is drawn in its turn
    until(lambda: new_replicas(page) == 10, "the head to be drawn")
    expect(page.locator(".labkit-ps tbody td:has-text('dc_worker.10')")).to_have_count(1)
    obeys_nothing(page)
    screenshot(page, "reopened-with-no-kernel")


def obeys_nothing(page: Page) -> None:
    assert page.evaluate("() => window.hacked") is None
    assert page.locator(".labkit-watch img, .labkit-watch script").count() == 0


def test_a_silent_engine_kernel_and_recorder_are_told(lab: Lab, page: Page) -> None:
    """The view never goes on as if it knew.

    Why a recorder died stands there, with the time of the last good snapshot.
    """
    cells = [
        acted("pace=2"),
        "from labkit.base.errors import NoEngine; swarm.trouble = NoEngine('an engine.', 'none.')",
        "swarm.trouble = None",
        "swarm.trouble = RuntimeError('the lights went out')",
    ]
    notebook = Notebook(lab, page, cells)
    live = page.locator(".labkit-live")
    notebook.run(0)
    expect(live).to_have_text("live")
    notebook.run(1)
    expect(live).to_contain_text("no answer from the engine since")
    screenshot(page, "engine-silent")
    notebook.run(2)
    expect(live).to_have_text("live")

    notebook.end_kernel()
    expect(live).to_contain_text("no news since", timeout=20_000)
    expect(page.locator(".labkit-end").first).to_contain_text("import labkit; labkit.resume()")
    expect(page.locator(".labkit-lost")).to_be_hidden()
    screenshot(page, "kernel-silent")
    notebook.save()
    notebook.open()
    expect(page.locator(".labkit-lost")).to_be_visible()
    expect(page.get_by_text("model not found")).to_be_hidden()
    screenshot(page, "kernel-lost")

    notebook.run(0)
    until(lambda: new_replicas(page) >= 2, "the update to go on")
    notebook.run(3)
    end = page.locator(".labkit-panel .labkit-end")
    expect(end).to_contain_text("the lights went out")
    expect(end).to_contain_text("last good snapshot")
    expect(page.locator(".labkit-live")).to_contain_text("ended")
    assert new_replicas(page) >= 2
    screenshot(page, "recorder-died")


@pytest.mark.usefixtures("anew")
def test_without_plotly_there_is_a_plain_chart(lab: Lab, page: Page) -> None:
    """A page that cannot load plotly.js still shows the steps, and says why they are plain."""
    page.route("**/labkit/plotly-*", lambda route: route.abort())
    watching(lab, page, "pace=0.5")

    expect(page.locator(".labkit-note")).to_contain_text("plain charts")
    until(lambda: new_replicas(page) >= 2, "the update to go on")
    expect(page.locator(".labkit-plain-chart path").nth(1)).to_be_attached()
    screenshot(page, "without-plotly")


def test_the_view_follows_the_theme_and_is_accessible_in_each(lab: Lab, page: Page) -> None:
    """Colours are JupyterLab's own, also when the theme changes under the view.

    Here no engine is behind it, which the view says, and one part of it that stands alone.
    What is too pale is found, or axe would find nothing anywhere.
    """
    simulated = '\nswarm.provenance = "simulated"\nrecorder ='
    made = acted("pace=4, slots=20").replace("\nrecorder =", simulated)
    notebook = Notebook(lab, page, [made, "Watch(recorder, ['replicas'], beside=False)"])
    badges = page.locator(".labkit-made:visible")
    for cell, place in enumerate((".labkit-panel", ".jp-NotebookPanel")):
        notebook.run(cell)
        badge = page.locator(place).locator(badges)
        expect(badge).to_have_text(SIMULATED.word)
        expect(badge).to_have_attribute("title", SIMULATED.meaning)
    until(lambda: new_replicas(page) >= 1, "the update to begin")
    light = _background(page)
    for theme in ("Dark", "Light"):
        before = new_replicas(page)
        put_on(page, theme)
        until(lambda: (_background(page) == light) == (theme == "Light"), "the theme to change")  # noqa: B023
        until(lambda: new_replicas(page) > before, "the update to go on")  # noqa: B023
        # one that lasts: axe may come while a row is being put in
        assert (problems(page) and problems(page)) == [], theme
        screenshot(page, f"theme-{theme}")

    pale = page.add_style_tag(content=".labkit-watch * { color: #bbb !important }")
    assert problems(page)
    pale.evaluate("(tag) => tag.remove()")


def test_ages_are_worded_as_docker_words_them(page: Page) -> None:
    """The page counts on by itself, in the same words as `labkit.ps`."""
    seconds = [*range(130), *range(130, 400_000, 997), *range(400_000, 10**8, 99_991)]
    words = (files("labkit.views") / "assets" / "js" / "words.js").read_text()
    shown = page.evaluate(
        """([words, ages]) => import(`data:text/javascript,${encodeURIComponent(words)}`).then(
            ({ ago }) => ages.map((age) => ago(age * 1000)))""",
        [words, seconds],
    )

    assert shown == [ps.age(timedelta(seconds=age)) for age in seconds]


def test_of_a_large_service_the_page_holds_what_can_be_seen(lab: Lab, page: Page) -> None:
    """Ten thousand rows can be scrolled through; a few hundred are in the page at a time."""
    watching(lab, page, "pace=0.2, rest=4, slots=10_000")
    expect(page.locator(".js-plotly-plot path.js-fill").first).to_be_visible(timeout=60_000)
    until(lambda: new_replicas(page) >= 5, "the update to go on", 60)

    table = page.locator(".labkit-ps")
    until(lambda: int(table.get_attribute("aria-rowcount") or 0) > 10_000, "the rows")
    assert table.locator("tbody tr").count() < 300
    page.locator(".labkit-scroll").evaluate("(scroll) => { scroll.scrollTop = 240_000; }")
    expect(table.locator("td:text-is('10000')")).to_be_visible()


def test_a_recording_as_a_page_of_its_own(page: Page, opened: Open) -> None:
    """`labkit show FILE -o OUT.html`: the chart can be zoomed and saved, with no server at all."""
    recording, _, _ = play(16)
    opened.html(views.html(recording))
    plot = page.locator(f"[data-part=replicas] {PLOT}")
    expect(plot.locator("path.js-fill").first).to_be_visible()

    plot.hover()
    with page.expect_download() as download:
        plot.locator("[data-title='Download as PNG']").click()
    assert download.value.suggested_filename == "dc_worker.png"

    before = plot.evaluate("(plot) => plot.layout.xaxis.range")
    drag(page, plot, 100, 300)
    until(lambda: plot.evaluate("(plot) => plot.layout.xaxis.range") != before, "the zoom")
    screenshot(page, "page-of-a-recording")


def test_saved_views_in_an_export_draw_themselves_in_one_style(page: Page, opened: Open) -> None:
    """In a page that is not JupyterLab's they take the place of their images."""
    recording, _, _ = play(16)
    saved = views.Snapshot.of(recording).html
    opened.html(f"<!doctype html><meta charset=utf-8><body>{saved}{saved}")
    expect(page.locator(".labkit-watch > svg")).to_have_count(2)
    expect(page.locator("img")).to_have_count(0)
    assert page.locator("style").count() == 1
    for table in page.locator(".labkit-ps").all():
        expect(table).to_have_css("table-layout", "fixed")


def _background(page: Page) -> str:
    return str(
        page.evaluate(
            "() => getComputedStyle(document.querySelector('.labkit-watch')).backgroundColor"
        )
    )


def _data(saved: dict) -> dict:
    return saved["cells"][0]["outputs"][0]["data"]
