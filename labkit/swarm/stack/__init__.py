"""Deploy, list and remove stacks as `docker stack` does, with no docker command line.

    deploying ─┬─ cluster_state   what the swarm has, of which stack
    removing  ─┴─ refusals        what must hold before anything changes, and what Docker refuses
    tables                        what `ls`, `services` and `ps` print

Before anything changes, all that can be checked has been: the files, that the engine is a
manager, that whatever is there already is the lab's (`labkit.swarm.ownership`), and that
whatever must be there is.
"""

from labkit.swarm.ownership import NAMESPACE
from labkit.swarm.stack.deploying import check, deploy
from labkit.swarm.stack.removing import rm
from labkit.swarm.stack.tables import ls, ps, running, services, since_deploy

__all__ = ["NAMESPACE", "check", "deploy", "ls", "ps", "rm", "running", "services", "since_deploy"]
