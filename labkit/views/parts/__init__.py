"""The parts of a view: what each shows, in the page, in a saved notebook, and as text. Pure.

A part is a module here, with a class of the same name in `assets/js/parts`:

| name     | what                                                                        |
|----------|-----------------------------------------------------------------------------|
| `TITLE`  | what stands over it, in the page and in a drawing                           |
| `SHARED` | what the page has to know as well: looks, bounds, words (`shared.js`)       |
| `svg`    | a chart's own: the chart on a time axis, as SVG                             |
| `figure` | a chart's own: its traces and layout, as Plotly takes them                  |
| `html`   | what stands below the drawing in a saved notebook; none without it          |
| `text`   | its heading and lines in the text form; none without it                     |

All of them draw a view state (`labkit.views.state.view_state`), which has what happened,
as the page has it. A chart's rows and spans depend on now as long as it is live, so the
page works those out itself, by the same rules.
"""

from collections.abc import Iterable
from importlib import import_module
from types import ModuleType

from labkit.base.errors import BadValue

#: In the order in which they stand.
PARTS = ("head", "phases", "replicas", "slots", "speed", "budget", "table")
#: Those that share the time axis.
CHARTS = ("phases", "replicas", "slots", "speed")


def module(part: str) -> ModuleType:
    """Return the module of a part."""
    return import_module(f"{__name__}.{part}")


def known_parts(parts: Iterable[str] | None) -> list[str]:
    """Return the parts in the order in which they stand; all of them for `None`.

    Raises `BadValue` for one that no view has, and for none at all.
    """
    if parts is None:
        return list(PARTS)
    asked = [parts] if isinstance(parts, str) or not isinstance(parts, Iterable) else list(parts)
    if not asked:
        raise BadValue(f"a view has some of the parts {', '.join(PARTS)}, not none")
    for part in asked:
        if part not in PARTS:
            raise BadValue(f"a view has no part {part!r}; it has {', '.join(PARTS)}")
    return [part for part in PARTS if part in asked]
