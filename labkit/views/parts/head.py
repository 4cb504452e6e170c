"""Which service, how its update stands, and how many replicas run each tag. Pure."""

from datetime import UTC, datetime

from labkit.views.pages import render
from labkit.views.parts import replicas
from labkit.views.state.view_state import Json

TITLE = ""


def html(view_state: Json) -> str:
    """Return how it stood at the end."""
    end, last_good = view_state["end"], ""
    if end["died"]:
        seen = datetime.fromtimestamp(view_state["seen"] / 1000, UTC)
        last_good = f"The last good snapshot was taken at {seen:%Y-%m-%d %H:%M:%S} UTC."
    looks = zip(view_state["tags"], replicas.running(view_state), strict=True)
    tags = [
        (*look, count)
        for number, (look, (_, count)) in enumerate(looks)
        if number not in view_state["past"]
    ]
    return render("parts/head.html", view=view_state, last_good=last_good, tags=tags)


def text(view_state: Json) -> tuple[str, list[str]]:
    """Return how it stood at the end, a line each; the service is the heading."""
    badge, status = view_state["badge"], view_state["status"]
    says = [f"{badge.word.capitalize()}: {badge.meaning}"] if badge else []
    says.append(status["sentence"])
    if status["message"]:
        says.append(f"Docker says: {status['message']}")
    more = [view_state["trouble"]] if view_state["trouble"] else []
    service = f"{view_state['service']} on {view_state['engine']}"
    return service, [*says, view_state["end"]["why"], *more]
