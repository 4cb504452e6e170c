"""An instructor's plan is made from the notes alone, and shows all of them."""

import re
from html import unescape

from labkit.lessons.notebooks import versions
from labkit.views.static import plan
from tests.lessons.notebooks.books import lesson, without

QUESTIONS = {"how-long": "How long it takes"}


def shown(*books) -> str:
    """What a reader sees of the page, in one line."""
    page = plan.page(books, QUESTIONS)
    return " ".join(unescape(re.sub("<[^>]*>", " ", page.partition("<body>")[2])).split())


def test_it_says_what_for_in_which_order_when_what_to_ask_and_what_to_cut():
    assert shown(lesson()) == (
        "1 · Updates 15 min Goal: slot by slot The three questions to ask "
        "who has updated a service? (1 · Updates) who is next? (Watch) why? (Do it) "
        "At Min Section To ask and to say Short of time? Cut "
        "0 2 Opening Ask: question 1 above. "
        "2 5 Watch They predict: How long it takes Ask: question 2 above. Wrong: in batches "
        "7 8 Do it Ask: question 3 above. the whole exercise"
    )


def test_it_is_the_same_from_an_instructors_version_with_its_own_notes():
    built = versions.build("instructor", lesson()).book
    built["cells"][1]["source"] += ["\n> - **Room:** <b>2</b>\n", "> - **Ask:** `a_b`?"]
    said = shown(built)
    as_in_the_source = said.replace(" Ask: a_b ?", "").removesuffix(" Room: <b>2</b>")
    assert said != as_in_the_source == shown(lesson())


def test_a_notebook_without_notes_has_an_empty_plan():
    empty = without(lesson(), "n-open", "n-watch", "n-do")
    assert shown(empty).startswith("1 · Updates 0 min The three questions")
