"""Deploy, list and remove stacks as `docker stack` does, with no docker command line.

    deploying ─┬─ cluster_state   what the swarm has, of which stack
    removing  ─┴─ refusals        what must hold before anything changes, and what Docker refuses
    tables                        what `ls`, `services` and `ps` print

Before anything changes, all that can be checked has been: the files, that the engine is a
manager, that whatever is there already is the lab's (`labkit.swarm.ownership`), and that
whatever must be there is.

The names in `__init__.pyi` are loaded when they are first used: a deploy prints no table.
"""

from labkit.base.lazy import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
