"""The lab as a whole: `labkit up` and `labkit down`.

`up` goes through its steps in order (engine, swarm, files, images, stack), does what is
missing, and says so; where nothing is missing it says that. `down` removes what `up`
made, and nothing else.
"""

from contextlib import ExitStack

from labkit import engines
from labkit.base import echo, settings
from labkit.base.errors import BadValue, LabError, NotSettled
from labkit.base.jobs import poll
from labkit.engines import nodes as node_containers
from labkit.engines import ports, state
from labkit.lessons import coins, workspace
from labkit.recordings.update import phases
from labkit.recordings.values import Node
from labkit.swarm import ownership, stack
from labkit.swarm.client import Swarm
from labkit.swarm.images import images

_RUNNING_SECONDS = 60
_POLL_SECONDS = 0.2
#: A task waits so long for the port of the one that it replaces.
_PORT_SECONDS = 5
_TRIES = 3
#: How many names of copied files are worth reading.
_NAMES = 4


def up(choice: str | None = None, *, nodes: int = 1, with_stack: bool = True) -> Swarm:
    """Bring up the whole lab, and return its swarm. `choice` is as in `labkit up --engine`.

    The swarm has so many `nodes` at least: those that it lacks become containers, or, of a
    simulated engine, come with it. Without the stack it is what tests need: an engine, its
    swarm, and the images.
    """
    if nodes < 1:
        raise BadValue(f"a swarm has at least one node, not {nodes}")
    with state.locked():
        engine = engines.up(choice, nodes=nodes)
        node_containers.start(engine.swarm, nodes)
        _build_images(engine)
        node_containers.join(engine.swarm)
        if with_stack:
            _refresh_files(engine.swarm)
            _deploy(engine)
    return engine.swarm


def down(*, everything: bool = False) -> None:
    """Remove what `up` made: stacks, swarm, and the processes of the lab's own engines.

    With `everything` also the images, and all that those engines keep. The learner's
    files in `lab/` and the recordings always stay.
    """
    with state.locked():
        engines.wake()
        known, problem = state.read(), None
        try:
            _remove(known, everything=everything)
        except LabError as found:  # what is the lab's own engine's ends with that all the same
            problem = found
        stays = problem is not None and known.kind == "yours"
        engines.down(everything=everything, stays=stays)
    if problem and stays:
        again = f"{problem.try_next} Then run `labkit down` again: it knows what `up` made there."
        raise LabError(problem.expected, problem.found, again, docker_says=problem.docker_says)
    if problem and not everything:
        echo.say(f"Its stacks were not removed, and come back with it: {problem.found}")
    echo.say("The lab is down.")


def _remove(known: state.State, *, everything: bool) -> None:
    """Remove what `up` made on its engine. Raises `LabError` where something has to stay."""
    if known.kind == "simulated":  # all that it runs ends with it
        return
    swarm = Swarm.at(known.engine) if known.kind == "yours" else engines.private().connect()
    if not swarm:  # the lab's own, which does not run
        return
    if swarm.info()["Swarm"]["LocalNodeState"] == "inactive":
        echo.say("The swarm was left before, and its stacks ended with it.")
    else:
        swarm.require_manager()
        for name in known.stacks:
            stack.rm(swarm, name)
    node_containers.down(swarm)
    if everything and known.kind == "yours":  # those of the lab's own go with it
        for image in images.remove_images(swarm):
            echo.say(f"Removed the image {image}.")


def _refresh_files(swarm: Swarm) -> None:
    copied = workspace.refresh(images.base_image(swarm))
    if copied:
        more = f" and {len(copied) - _NAMES} more" if len(copied) > _NAMES else ""
        echo.say(f"Files: copied {', '.join(copied[:_NAMES])}{more} to {settings.workspace()}.")
    else:
        echo.say(f"Files: your copy in {settings.workspace()} has everything.")


def _build_images(engine: engines.Engine) -> None:
    swarm, sources = engine.swarm, settings.lesson_files() / "dockercoins"
    built = images.build_all(swarm, settings.docker_id(), sources)
    given = node_containers.share(swarm)
    for sentence in built + given or ["nothing to do"]:
        echo.say(f"Images: {sentence}.")


def _deploy(engine: engines.Engine) -> None:
    """Deploy the stack unless it is there, and wait until it runs.

    Where it lost a port to another one, it is deployed again with another port.
    """
    name = settings.stack_name()
    there = ports.services(engine.swarm, name)
    complete = {f"{name}_{each}" for each in images.SERVICES} <= there.keys()
    complete = complete and all(map(ownership.is_ours, there.values()))
    with ExitStack() as reserved:  # until the ports can be seen to be taken
        if not complete:
            ports.choose_for(engine.swarm, name, reserved)
            _send(engine, name)
        running, wanted = _wait_until_it_runs(engine.swarm, name)
        for _ in range(_TRIES):
            lacks = running < wanted and ports.lost(engine.swarm, name)
            if not (lacks and ports.choose_for(engine.swarm, name, reserved)):
                break
            complete = False
            _send(engine, name)
            running, wanted = _wait_until_it_runs(engine.swarm, name)
    lacking = ports.lost(engine.swarm, name) if running < wanted else set()
    if running < wanted and (lacking or not complete):
        why = f" Something else has a port of {', '.join(sorted(lacking))}." if lacking else ""
        raise NotSettled(
            f"the stack {name} to run within {_RUNNING_SECONDS} s.",
            f"{running} of its {wanted} replicas run.{why}",
            f"see what is wrong with the others: `labkit stack ps {name}`.",
        )
    what = "deployed" if not complete else "nothing to do" if running >= wanted else "it is there"
    echo.say(f"Stack {name}: {what}; {running} of {wanted} replicas run.")
    if running < wanted:
        _say_which_take_no_task(engine.swarm.nodes())
    _say_where(engine, name)


def _say_which_take_no_task(nodes: tuple[Node, ...]) -> None:
    for node in nodes:
        if node.state == "down":
            echo.warn(f"The node {node.name} is down: nothing is known of its tasks.")
    for sentence in phases.taking_no_task(nodes):
        echo.warn(sentence)


def _say_where(engine: engines.Engine, name: str) -> None:
    """Say where the web page is, after making it so that `localhost` leads there."""
    page = coins.webui(engine.swarm, name)
    addresses = [page]
    if engine.kind == "private":
        engines.lead_ports(engine.swarm)
        addresses.append(ports.address(coins.port(engine.swarm, name)))
    on = "on the server of your JupyterLab, " if page.startswith("/") else ""
    addresses = list(dict.fromkeys(addresses))  # of a proxy, one
    echo.say(f"The page of dockercoins (webui): {on}{', also '.join(addresses)}")


def _send(engine: engines.Engine, name: str) -> None:
    file = workspace.mine("docker-compose.yml")
    stack.deploy(engine.swarm, [file], name, env=state.compose_environment())
    known = state.read()
    known.stacks = sorted({*known.stacks, name})
    state.write(known)
    echo.say("Waiting until all of its tasks run …")


def _wait_until_it_runs(swarm: Swarm, name: str) -> tuple[int, int]:
    """Wait a while, and return how many replicas run and how many should.

    One that lacks a port for long does not get it by waiting.
    """
    running = wanted = 0
    lacking_since = None
    for waited in poll(_RUNNING_SECONDS, _POLL_SECONDS):
        counts = stack.running(swarm, name).values()
        running, wanted = sum(run for run, _ in counts), sum(each for _, each in counts)
        if running >= wanted:
            break
        if not ports.lost(swarm, name):
            lacking_since = None
        elif lacking_since is None:
            lacking_since = waited
        elif waited - lacking_since > _PORT_SECONDS:
            break
    return running, wanted
