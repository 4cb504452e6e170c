"""The home page and the documentation are whole, and load nothing from elsewhere."""

import json
import re
from gzip import GzipFile
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import Literal
from urllib.parse import unquote, urldefrag, urlsplit
from zipfile import ZipFile

import pytest
import yaml
from playwright.sync_api import Page, expect

import labkit
import swarmsim
from labkit.recordings.update.prediction import SEEDS
from labkit.swarm.images.images import SERVICES
from tests.browser.test_accessibility import problems

ROOT = Path(__file__).resolve().parents[2]
LAB = "lab/index.html"  # `site/build.py` puts it there


pytestmark = [pytest.mark.browser, pytest.mark.long]  # it takes the site


class Links(HTMLParser):
    """What a page links to, what it loads, and the places in it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.loads: set[str] = set()
        self.places = {"", "top"}
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.places.add(found.get("id") or "")
        if href := found.get("href"):
            (self.links if tag == "a" else self.loads).add(href)
        self.loads |= {found[name] for name in ("src", "poster", "data") if found.get(name)}


def pages(site: Path) -> dict[Path, Links]:
    """Those that are not JupyterLite's."""
    found = [site / "index.html", *(site / "docs").rglob("*.html"), *site.glob("replays/*.html")]
    return {path: Links(path) for path in found}


def test_every_link_leads_somewhere_and_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    known = pages(site)
    broken, outside = [], []
    for path, page in known.items():
        for address in page.links | page.loads:
            target, place = urldefrag(address)
            if urlsplit(target).scheme:
                outside += [address] if address in page.loads else []
                continue
            file = (path.parent / unquote(urlsplit(target).path)).resolve() if target else path
            there = file in known and unquote(place) in known[file].places
            if not (there or (file.is_file() and not place) or file == site / LAB):
                broken.append(f"{path.relative_to(site)}: {address}")

    assert len(known) > 20
    assert broken == []
    assert [each for each in outside if not each.startswith("data:")] == []


def test_style_sheets_load_nothing_from_elsewhere(site: Path) -> None:
    folders = (site / "home", site / "docs")
    sheets = [path.read_text("utf-8") for each in folders for path in each.rglob("*.css")]

    assert sheets
    for sheet in sheets:
        assert not re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//[^)]*", sheet)


def test_what_is_the_same_at_each_visit_was_done_when_the_site_was_built(site: Path) -> None:
    folder = site / "static" / "pyodide"
    with GzipFile(folder / "packages.bin") as packed:
        packages = {
            path.partition("site-packages/")[2] for path, _ in json.loads(packed.readline())
        }
    with ZipFile(folder / "python_stdlib.zip") as library:
        compiled = {*packages, *library.namelist()}
    with ZipFile(folder / "images.zip") as images:
        built = images.read("images/index.json").decode()

    assert compiled >= {"labkit/api/doing.pyc", "swarmsim/engine/engine.pyc", "json/decoder.pyc"}
    assert [each for each in SERVICES if f"dockercoins_{each}:1.0" not in built] == []


def test_the_home_page_has_a_card_for_each_recording(site: Path) -> None:
    said = yaml.safe_load((ROOT / "site" / "home" / "replays.yaml").read_text(encoding="utf-8"))
    recordings = {path.stem for path in (ROOT / "notebooks" / "recordings").glob("*.jsonl")}

    assert set(said) == recordings == {path.stem for path in (site / "replays").glob("*.html")}


def test_what_the_model_says_is_of_whole_predictions(site: Path) -> None:
    text = (site / "docs" / "how-updates-work.html").read_text(encoding="utf-8")
    said = re.findall("<figcaption>Predicted: (.*?)</figcaption>", text)

    assert len(said) == text.count('class="predicted"') > 9
    assert {int(each) for each in re.findall(r"ranges of (\d+) predictions", text)} == {SEEDS}


@pytest.mark.parametrize("package", [labkit, swarmsim], ids=lambda package: package.__name__)
def test_the_reference_has_every_public_name(site: Path, package: ModuleType) -> None:
    name = package.__name__
    places = Links(site / "docs" / f"{name}.html").places
    elsewhere = {"Behaviour"} if name == "labkit" else set()  # it is swarmsim's

    assert {f"{name}.{each}" for each in set(package.__all__) - elsewhere} <= places


@pytest.mark.parametrize(
    ("name", "scheme"),
    [
        ("index", "light"),
        ("index", "dark"),
        ("docs/how-updates-work", "dark"),
        ("docs/labkit", "dark"),
        ("docs/on-your-machine", "light"),
    ],
)
def test_a_page_fits_a_phone_and_axe_finds_nothing_serious(
    page: Page, address: str, name: str, scheme: Literal["light", "dark"]
) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{address}/{name}.html")

    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert problems(page, "body") == []


def test_the_picture_moves_by_itself_and_can_be_stopped(page: Page, address: str) -> None:
    page.goto(f"{address}/index.html")
    said, button, curtain = (
        page.locator(f"#moving {each}") for each in (".now", "button", ".curtain")
    )
    expect(said).to_have_text("Updating: 1 of 10 replicas run 1.1.")
    button.click()
    width = curtain.bounding_box()
    expect(button).to_have_text("Play")
    assert curtain.bounding_box() == width

    button.click()
    expect(said).to_have_text("Completed: 10 of 10 replicas run 1.1.")
    expect(curtain).to_be_hidden()


def test_the_picture_stands_still_for_who_prefers_it(page: Page, address: str) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.goto(f"{address}/index.html")

    expect(page.locator("#moving button")).to_have_text("Play again")
    expect(page.locator("#moving .curtain")).to_be_hidden()
    expect(page.locator("#moving .now")).to_contain_text("Completed")


def test_the_search_needs_no_server(page: Page, address: str) -> None:
    page.goto(f"{address}/docs/search.html?q=monitor+window")

    expect(page.locator("#search-results li", has_text="How Swarm updates work")).not_to_have_count(
        0
    )


def test_a_replay_has_the_plotly_that_all_share(page: Page, address: str) -> None:
    page.goto(f"{address}/replays/03-rolled-back.html")
    expect(page.get_by_role("link", name="All recordings")).to_be_visible()

    expect(page.locator(".js-plotly-plot").first).to_be_visible()
