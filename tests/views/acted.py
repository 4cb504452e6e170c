"""Updates to draw, and ways to read what was drawn."""

import re
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

from labkit.lessons.checks import Choice, Question, Reading
from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import Ended, Gap, Header, Marked
from labkit.views import Snapshot
from labkit.views.state.view_state import ViewState
from labkit.views.static.drawing import drawing
from tests.acting import HOSTILE, ActedSwarm
from tests.looks import Looks, recorded
from tests.values import at

START = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
HEADER = Header(service="dc_worker", service_id="serviceid", engine="acted", started=START)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


def play(seconds: float, **options: Any) -> tuple[Recording, list[dict], ViewState]:
    """Record an acted update for some seconds; return the delta of each quarter second too."""
    clock = Clock()
    swarm = ActedSwarm(now=clock, **options)
    made, state, deltas, applied = Recording(HEADER), ViewState(HEADER), [], 0
    for _ in range(int(seconds * 4)):
        made.observe(swarm.snapshot("dc_worker"))
        state.apply(made.changes[applied:])
        applied = len(made.changes)
        deltas.append(state.delta())
        clock.now += timedelta(seconds=0.25)
    return made, deltas, state


def settled(seconds: float = 16, **options: Any) -> Recording:
    """Record an acted update to its end."""
    made, _, _ = play(seconds, **options)
    made.add(Ended(after(seconds), "The update has settled."))
    return made


def hostile() -> Recording:
    """Record an update of which every text tries to be something else."""
    made, _, _ = play(9, hostile=True)
    made.add(Gap(after(9), HOSTILE))
    made.add(Marked(START, after(3), HOSTILE))
    made.add(Ended(after(10), HOSTILE))
    return made


def failing() -> Recording:
    """Slot 1 gets a task that fails three seconds after it was made; then Swarm goes back."""
    failed = {"is": "bug=bugged-1 failed", "error": "task: non-zero exit (1)", "exit_code": 1}
    looks: Looks = {
        0: ["service 1.0", "1.0-1..2"],
        2: [{"is": "service bugged", "version": 11}, "1.0-1 told shutdown", "bug=bugged-1 new"],
        3: ["service bugged updating: going", "1.0-1 shutdown", "bug=bugged-1 starting"],
        5: ["service 1.0 rollback_started: gone wrong", failed],
        8: ["again=1.0-1 made 5"],
    }
    made = recorded(looks)
    made.add(Ended(at(10), "done"))
    return made


def follow(page: dict, delta: dict) -> dict:
    """Do what the page does with a delta."""
    tasks = {task[0]: task for task in [*page.get("tasks", []), *delta.get("tasks", [])]}
    steps = {step[0]: step for step in [*page.get("steps", []), *delta.get("steps", [])]}
    appended = ("moves", "gone", "windows", "speed")
    longer = {key: [*page.get(key, []), *delta.get(key, [])] for key in appended}
    small = {key: value for key, value in delta.items() if key not in appended}
    whole = {"tasks": list(tasks.values()), "steps": list(steps.values())}
    return {**page, **small, **longer, **whole}


def in_order(state: dict) -> dict:
    """A view state without what a message begins with, its tasks and moves in order."""
    rest = {key: state[key] for key in state.keys() - {"seq", "now", "seen", "trouble"}}
    return rest | {key: sorted(state[key]) for key in ("tasks", "moves", "gone")}


class Page(HTMLParser):
    """What is in a page: elements, visible text, attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.said: list[str] = []
        self._style = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += attrs
        self._style = tag == "style"

    def handle_data(self, data: str) -> None:
        if not self._style:
            self.said.append(data)

    @property
    def text(self) -> str:
        return "".join(self.said)


def assert_text_only(html: str, *allowed: str) -> Page:
    """Hold that what was hostile is text: no element of its own, no handler, no unseen sign."""
    page = Page(html)
    assert not {"script", "img"} & {*page.names} - {*allowed}
    assert [name for name, _ in page.attributes if name.startswith("on")] == []
    assert not {"\x1b", "\u202e"} & {*html}
    assert "<script>window.hacked=1</script>" in page.text
    return page


def handed_on(html: str) -> str:
    """The JSON that a saved view's script hands to the page's module."""
    found = re.search(r"show\(el, (.*), \"labkit/plotly-", html)
    assert found
    return found[1]


# ---- drawings ----------------------------------------------------------------------

Element = ElementTree.Element


def drawn(of: Recording, *parts: str) -> Element:
    """The drawing, parsed: what is not well-formed fails here."""
    made = drawing(Snapshot.of(of).state, parts or None)
    assert made
    return ElementTree.fromstring(made.svg)


def images(html: str) -> list[Element]:
    """The images in it: each is in the page itself."""
    found = re.findall('<img src="data:image/svg.xml;base64,([^"]*)', html)
    return [ElementTree.fromstring(b64decode(data)) for data in found]


def every(root: Element, name: str) -> list[Element]:
    return root.findall(f".//{{*}}{name}")


def titles(root: Element) -> list[str]:
    return [each.text or "" for each in every(root, "title")]


def texts(root: Element) -> list[str]:
    return [each.text or "" for each in every(root, "text")]


def curves(root: Element) -> list[str]:
    """The paths of its lines."""
    return [each.get("d", "") for each in every(root, "path") if each.get("vector-effect")]


def titled(root: Element, beginning: str) -> Iterator[Element]:
    """The elements whose title begins so."""
    for each in root.iter():
        if (each.findtext("{*}title") or "").startswith(beginning):
            yield each


def percent(share: str | None) -> float:
    return float((share or "").removesuffix("%"))


# ---- a question -----------------------------------------------------------------------

READING = Reading("45", "the update took 45.1 s.", "Each updater sleeps.", "set the delay to 0s.")
QUESTION = Question(
    name="pairs",
    title="A title",
    step=2,
    text="How long do `pairs` take?",
    choices=(
        Choice("25", "About 25 s", "That takes the delay to come between pairs."),
        Choice("45", "About 45 s", "That was so, indeed."),
    ),
    read=lambda _: READING,
)
