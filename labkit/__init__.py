"""A lab for understanding how Docker Swarm updates a service.

>>> import labkit                                                   # doctest: +SKIP
>>> view = labkit.watch("dc_worker")
>>> labkit.update("dc_worker", image="lab/dockercoins_worker:1.1")

The names in `__init__.pyi` are what a learner meets. Each is loaded when it is first used, so
that a pure module (`labkit.recordings.story`) can be imported without Docker and widgets.
"""

import sys

from labkit.base.lazy import attach_stub

if sys.platform == "emscripten":  # a browser: the learner's files come from the page
    from labkit.base.browser import kept

    kept.begin()

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
