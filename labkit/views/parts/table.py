"""The rows of `docker service ps`, older tasks folded away. Pure.

In the page the rows' ages go on, so it words them itself, as docker does.
"""

from labkit.recordings import ps
from labkit.recordings.values import Task
from labkit.views.pages import render
from labkit.views.state.sentences import counted
from labkit.views.state.stages import stage
from labkit.views.state.view_state import Json

TITLE = ""
#: Rows that a saved notebook has. A larger table would weigh on every save, and block the page:
#: JupyterLab looks for headings in all HTML of a cell, which takes 0.2 ms a row.
MOST_ROWS = 50
#: How loudly a row speaks, by its task's stage; on its way otherwise.
_MOODS = {"failed": "bad", "ended": "off", "lost": "off", "running": "on"}
SHARED = {"moods": _MOODS}
#: What a view as text has of the columns.
_NARROW = ("NAME", "TAG", "DESIRED", "CURRENT STATE", "ERROR")

Rows = list[tuple[Task, ps.Row]]


def html(view_state: Json) -> str:
    """Return the rows as tables: the newest task of each slot, then older ones."""
    rows: Rows = view_state["rows"]
    rows = [(task, row) for task, row in rows if ps.without_clean_history([row])]
    shown = rows[:MOST_ROWS]
    # docker draws a branch before the name of an older task of the same slot
    older = [each for each in shown if each[1].name.startswith(" ")]
    looks = [view_state["tags"][tag] for _, tag in view_state["images"]]
    return render(
        "parts/table.html",
        header=ps.TASK_HEADER,
        newest=[each for each in shown if each not in older],
        older=older,
        # failures are what one looks for, so they are not folded away
        open=any(stage(task) == "failed" for task, _ in older),
        what=f"{counted(len(older), 'older task')} of these slots",
        left_out=len(rows) - len(shown),
        mood=lambda task: _MOODS.get(stage(task), "way"),
        look={entry[1]: looks[entry[4]] for entry in view_state["tasks"]},
        service=view_state["service"],
    )


def text(view_state: Json) -> tuple[str, list[str]]:
    """Return the rows, without the columns that would make them wider than a cell; no heading."""
    rows = [
        (row.name, task.tag, row.desired_state, row.current_state, row.error)
        for task, row in view_state["rows"]
    ]
    return "", ps.write(_NARROW, rows).split("\n")
