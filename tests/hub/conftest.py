"""The browser of the tests in `tests/browser`, for those of the hub."""

from tests.browser.conftest import browser

__all__ = ["browser"]
