"""What the site says where a browser lacks what it needs."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.long]

LAB = "lab/index.html?path=00-start-here.ipynb&speed=10"
_NO_STORAGE = "IDBFactory.prototype.open = () => { throw new DOMException('', 'SecurityError'); }"
NO_ROOM = "// nothing is taken from this one but its room"
_FULL = "StorageManager.prototype.estimate = async () => ({ quota: 30e6, usage: 10e6 });"


@pytest.mark.parametrize(
    ("blocked", "says"),
    [
        ("", "allows no service worker here"),  # Playwright blocks it
        ("delete Navigator.prototype.serviceWorker", "allows no service worker here"),
        ("delete globalThis.SharedWorker", "has no shared workers"),
        ("delete globalThis.WebAssembly", "runs no WebAssembly"),
        ("Object.defineProperty(globalThis, 'isSecureContext', { value: false })", "https://"),
        (_NO_STORAGE, "does not let this site store anything"),
        (NO_ROOM, "has no room left"),
    ],
)
def test_a_browser_that_cannot_run_the_lab_is_told_so_at_once(
    browser: Browser, address: str, blocked: str, says: str
) -> None:
    with _visited(browser, address, blocked) as page:
        said = page.get_by_role("alert")
        expect(said).to_contain_text(says)
        said.get_by_role("link", name="See recordings of it").click()
        expect(page).to_have_title("See how Docker Swarm updates a service")


@pytest.mark.parametrize(
    ("lacks", "says"),
    [
        ("delete WebAssembly.Suspending", "can't run the code of your images"),
        (_FULL, "has 20 MB left to store for this site"),
    ],
)
def test_what_a_browser_lacks_in_part_is_noted_beside_the_lab(
    browser: Browser, address: str, lacks: str, says: str
) -> None:
    with _visited(browser, address, lacks) as page:
        note = page.locator(".labkit-note")
        expect(note).to_contain_text(says)
        note.get_by_role("button", name="Close").click()
        expect(note).to_have_count(0)


@contextmanager
def _visited(browser: Browser, address: str, blocked: str) -> Iterator[Page]:
    """The lab's page, in a browser from which a script has taken something, or service workers."""
    context = browser.new_context(service_workers="allow" if blocked else "block")
    with context:
        context.add_init_script(blocked)
        page = context.new_page()
        if blocked == NO_ROOM:
            quota = {"origin": "/".join(address.split("/")[:3]), "quotaSize": 1}
            context.new_cdp_session(page).send("Storage.overrideQuotaForOrigin", quota)
        page.goto(f"{address}/{LAB}")
        yield page
