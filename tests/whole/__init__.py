"""The lab as a whole: its notebooks, its commands, what goes wrong around it."""

import pytest

# so that a notebook that fails says what was not so
pytest.register_assert_rewrite("tests.whole.books")
