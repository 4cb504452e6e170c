"""The lesson *Updating a Service*: its steps, its exercises, and what a learner has done.

| room, module | what is in it                                                        |
|--------------|----------------------------------------------------------------------|
| `checks`     | questions and exercises, and what a recording answers; pure          |
| `steps`      | where each notebook begins, and the edits that the lesson asks for   |
| `practice`   | a learner at work: exercise session, hints, activity log            |
| `journal`    | what a learner has done, kept in a file                              |
| `room`       | what a class predicts and where it is stuck                          |
| `notebooks`  | the versions of the notebooks, built from their sources              |
| `workspace`  | the learner's copy of the files                                      |
| `coins`      | how fast dockercoins works                                           |

The names in `__init__.pyi` are loaded when they are first used, so that `checks` can be
imported without Docker.
"""

from labkit.base.lazy import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
