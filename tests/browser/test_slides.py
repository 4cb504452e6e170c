"""Slides as a page, in a browser without a network."""

import pytest
from playwright.sync_api import Page

from labkit import lessons
from labkit.lessons.checks import QUESTIONS
from labkit.lessons.notebooks import cells, versions
from labkit.views.static import slides
from tests.browser.pages import Open

pytestmark = pytest.mark.browser

STEP = lessons.find(3)
#: What of the slides is not in full on its slide, or too small for the back row.
UNFIT = """() => [...document.querySelectorAll(".slides section section")].flatMap((slide) => {
  slide.style.display = "block";
  const small = [...slide.querySelectorAll("p, li, pre, td")].filter(
    (each) => !each.closest("aside") && parseFloat(getComputedStyle(each).fontSize) < 24);
  const found = slide.scrollHeight > 720 || small.length ? [slide.textContent] : [];
  slide.style.display = "";
  return found;
})"""


def test_slides_fit_are_large_play_recordings_and_open_their_notes(opened: Open, page: Page):
    page.context.set_offline(True)
    book = versions.build("slides", cells.read(STEP.shipped)).book
    opened.html(slides.page("x", book, STEP.shipped.parent, QUESTIONS))
    page.wait_for_function("Reveal.isReady()")

    assert page.evaluate(UNFIT) == []

    with page.expect_popup() as speaker:
        page.keyboard.press("s")
    page.keyboard.press("PageDown")
    page.keyboard.press("PageDown")
    speaker.value.get_by_text("Which of the four flags could you leave out?").wait_for()
    speaker.value.close()

    while not page.locator("section.present iframe").count():
        page.keyboard.press("PageDown")
    frame = page.frame_locator("section.present iframe")
    frame.get_by_text("Rolled back: 10 of 10 replicas").wait_for()
    frame.get_by_role("button", name="Play").click()
    page.keyboard.press("PageDown")
    page.wait_for_function("!document.querySelector('section.present iframe')")
    page.context.set_offline(False)
