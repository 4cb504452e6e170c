"""What if?: from a slider that is moved to the picture, in the kernel, with ten replicas.

Each move works out the whole update anew and draws it. Beside it stands the same update in the
same three charts as a notebook would have them without a picture of its own: Plotly figures,
as the JSON that goes to the page. Milliseconds of the wall clock.
"""

import asyncio
import time
from collections.abc import Callable

from benchmarks.report import p95, pair
from labkit.api.exploring import Situation, made_up
from labkit.views import figure
from labkit.views.cards.explorer import CHARTS, Explorer

_MOVES = 60
#: ms: what is slower is not seen to follow a slider.
_MOST = 100


def run() -> None:
    """Move a slider of ten replicas to and fro, and print how long the picture takes."""
    labkit, other = asyncio.run(_moves())
    pair("a slider moved, until its picture is drawn", labkit, other, "ms", "Plotly figures")
    print(f"95 of 100 within {p95(labkit):.0f} ms; at most {_MOST} ms are wanted", flush=True)


async def _moves() -> tuple[list[float], list[float]]:
    """Return the times of both. A loop runs, as in a kernel: other seeds are left for later."""
    shown = Explorer(Situation(made_up("dc_worker")))
    labkit, other = [], []
    for number in range(_MOVES):
        values = shown.settings.values | {"delay": number % 10, "parallelism": 1 + number % 4}
        labkit.append(_timed(lambda values=values: setattr(shown.settings, "values", values)))
        other.append(_timed(lambda: [figure(shown.expected, each).to_json() for each in CHARTS]))
    return labkit, other


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000
