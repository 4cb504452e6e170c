"""An instructor's plan, printed."""

import re

import pytest
from playwright.sync_api import Page

from labkit import lessons
from labkit.lessons.checks import QUESTIONS
from labkit.lessons.notebooks import cells
from labkit.views.static import plan

pytestmark = pytest.mark.browser


def test_each_notebooks_plan_fills_one_page_of_paper(page: Page):
    books = [cells.read(step.shipped) for step in lessons.STEPS]
    titles = {name: question.title for name, question in QUESTIONS.items()}

    page.set_content(plan.page(books, titles))
    printed = page.pdf(prefer_css_page_size=True)

    assert len(re.findall(rb"/Type /Page\b", printed)) == len(books)
