"""The tests here see what asks for another machine, and nothing of it leaves this one."""

import pytest
from playwright.sync_api import Page

from tests.browser.lab import note_outside

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("address", ["https://example.com/x.js", "http://192.0.2.1/x.js"])
def test_a_request_to_another_machine_is_refused_and_noted(page: Page, address: str) -> None:
    other = page.context.new_page()  # the noting of the page itself fails this test
    outside = note_outside(other)
    problem = other.evaluate("(address) => fetch(address).catch(String)", address)
    other.close()

    assert "Failed to fetch" in problem
    assert outside == [address]
