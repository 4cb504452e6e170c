"""Tasks as real processes of this machine: what stands for containers.

    plan         what a task runs: its image's config and the service's spec
    folders      where it runs: a copy of the image's files, volumes, configs, secrets
    programs     which program of this machine a command means
    machine      has processes in groups of their own, that end with the engine (`keeper`), and
                 a Python that is forked for tasks (`forking`)
    output       what they write, as it would read in a container
    probing      healthchecks
    kinds        what is known of each kind of process, the rule of the clock, and what stands
                 for a process beyond so many
    names        which task is where, for the Python of the others (`shim`)
    publishing   ports of this machine that lead to tasks
    running      all of that for one task (with `starting` and `checking`), and what all share
    sleeping     tasks that nobody looks at are halted, where that is asked for
    driver       `Processes`: what the cluster drives

There is no sandbox: a task runs as this user, on this machine's file system and network, as
a notebook's kernel does. `USER`, limits of resources, capabilities and sysctls do nothing. A
process that leaves its process group (a daemon) outlives its task, and one that kills itself
dies, which the first process of a container does not. What is lost where there is no /proc
(macOS): a program that is no Python and handles no SIGTERM ends at once, and not after its
whole grace. Windows has none of this.
"""

from swarmsim.runtime.processes.driver import Processes

__all__ = ["Processes"]
