"""What if?, in JupyterLab: by keyboard, in both themes, after a reload, and without a kernel."""

import nbformat
import pytest
from playwright.sync_api import Page, expect

from tests.browser.lab import Lab, Notebook, screenshot
from tests.browser.pages import put_on
from tests.browser.test_accessibility import problems

#: Nothing answers there, so that the lesson's worker is made up.
NOWHERE = """
import os
os.environ["LABKIT_ENGINE"] = "tcp://127.0.0.1:1"
import labkit
labkit.explore("dc_worker")
"""
#: px that a notebook has at 1440 by 900, without the line of code.
SEEN = 730


@pytest.mark.browser
def test_an_update_is_explored_by_keyboard_and_kept(lab: Lab, page: Page) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    notebook = Notebook(lab, page, [NOWHERE])
    words, slider = page.locator(".labkit-explored-words").nth(1), page.get_by_label("parallelism")

    notebook.run(0)
    expect(words).to_contain_text("never fewer than 9 replicas")
    still = page.locator(".labkit-explored")
    expect(still).to_be_hidden()
    slider.press("ArrowRight")
    expect(words).to_contain_text("never fewer than 8 replicas")
    slider.press("Tab")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".labkit-explored-ways").nth(1)).to_contain_text("--update-delay=1s")
    page.get_by_label("what it does").select_option("dies")
    page.get_by_label("failure action").select_option("rollback")
    page.get_by_label("how many slots").press("Home")
    expect(words).to_contain_text("Chance decides")  # all three have arrived, one after another
    expect(still).to_contain_text("Chance decides")  # and so has what the notebook keeps
    expect(page.get_by_label("new image")).to_have_value("lab/dockercoins_worker:bugged")
    expect(page.get_by_role("button", name="Run it")).to_be_disabled()
    screenshot(page, "explorer")
    for theme in ("Dark", "Light"):
        put_on(page, theme)
        expect(page.locator("#jupyterlab-splash")).to_have_count(0)
        screenshot(page, f"explorer-{theme}")
        assert problems(page, ".labkit-explorer") == []

    notebook.save()
    notebook.open()  # a page that is loaded anew has the kernel's sliders
    slider.press("End")
    expect(page.locator(".labkit-explorer .labkit-explored-ways")).to_contain_text("parallelism=10")
    page.set_viewport_size({"width": 760, "height": 900})  # what a view and a terminal leave
    form = page.locator(".labkit-settings").bounding_box()
    drawn = page.locator(".labkit-explorer .labkit-explored-ways").bounding_box()
    assert form
    assert drawn
    assert drawn["y"] - form["y"] < SEEN
    screenshot(page, "explorer-760")
    page.set_viewport_size({"width": 1024, "height": 700})
    screenshot(page, "explorer-1024")
    notebook.end_kernel()
    notebook.open(kernel=False)
    expect(still.locator("img")).to_be_visible()
    screenshot(page, "explorer-kept")
    from nbconvert import HTMLExporter  # which takes each process half a second

    exported, _ = HTMLExporter().from_notebook_node(nbformat.read(lab.folder / notebook.name, 4))
    assert "Chance decides" in exported
    assert "VBox(" not in exported
