"""The failure budget: how many of the new tasks may fail, and how many have. Pure.

Its sentences travel with the view state (`labkit.views.state.sentences.budget_words`).
"""

from labkit.views.pages import render
from labkit.views.state.view_state import Json

TITLE = "Failures"


def html(view_state: Json) -> str:
    """Return the budgets in sentences."""
    return render("parts/budget.html", lines=text(view_state)[1])


def text(view_state: Json) -> tuple[str, list[str]]:
    """Return the budget of the last update, and of its rollback, a line each."""
    found = [view_state["budget"], view_state["rollback_budget"]]
    said = [(each["title"], " ".join(each["words"])) for each in found if each]
    return "Failure budget", [f"{title}: {words[0].lower()}{words[1:]}" for title, words in said]
