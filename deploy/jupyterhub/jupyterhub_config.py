"""A class on one server: JupyterHub gives each learner a JupyterLab, an engine and files.

`hub.py run` starts a hub with it, which keeps in the current folder what it has to remember,
and reads there who is in the class: one name a line, in `learners.txt` and `instructors.txt`.
It listens on this machine alone, at http://127.0.0.1:8880, and each learner has a simulated
engine. `docs/teach-a-class.md` says how to come from here to a class. To change a setting,
write a `jupyterhub_config.py` in that folder: `load_subconfig("…/jupyterhub_config.py")` for
this one, and then what is to be different.
"""

import asyncio
import hmac
import os
import secrets
import shutil
import socket
import sys
from contextlib import contextmanager
from pathlib import Path

from tornado.web import HTTPError

from labkit.base.errors import NoEngine
from labkit.engines.private.private import ADDRESS_LABEL
from labkit.swarm.client import Swarm

c = get_config()  # noqa: F821 - JupyterHub's
LABKIT = str(Path(sys.executable).with_name("labkit"))

# ---- who ---------------------------------------------------------------------------


def names(file):
    """Return the names in a file, one a line; none if the file is missing."""
    lines = Path(file).read_text(encoding="utf-8").splitlines() if Path(file).exists() else []
    return {line.strip() for line in lines if line.strip()}


def kept_secret(file="passwords.key"):
    """Return what the passwords are made of: drawn at the first start, for this user's eyes."""
    if not Path(file).exists():
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:  # noqa: PTH123
            new.write(secrets.token_hex(32))
    return Path(file).read_text(encoding="utf-8")


# Each password is made of a name and a key (`hub.py passwords` prints them all), so nobody
# chooses one and no list of them can be lost. Any other authenticator of JupyterHub works, too.
c.JupyterHub.authenticator_class = "hashauthenticator.HashAuthenticator"
c.HashAuthenticator.secret_key = kept_secret()
c.HashAuthenticator.password_length = 12
c.Authenticator.allowed_users = names("learners.txt") | names("instructors.txt")
# An instructor may start and stop servers, but not enter them: JupyterHub's `admin` may.
MAY = ["admin-ui", "list:users", "read:users:activity", "read:servers", "servers", "read:hub"]

# ---- where -------------------------------------------------------------------------

# not the usual 8000 and 8001, which dockercoins publishes; two more ports follow this one
PORT = int(os.environ.get("LABKIT_HUB_PORT", "8880"))
c.JupyterHub.bind_url = f"http://127.0.0.1:{PORT}"
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{PORT + 1}"
c.JupyterHub.hub_port = PORT + 2
# a restart of the hub in the middle of a class stops nobody's server, and their pages find it
c.JupyterHub.cleanup_servers = c.JupyterHub.cleanup_proxy = False
c.Spawner.environment = {
    "LABKIT_ENGINE": "simulated",
    "LABKIT_SLEEP_AFTER": "15",  # what nobody looks at takes no processor
    "MALLOC_ARENA_MAX": "1",  # one pool of memory for all threads saves 3 MB a learner
}
c.Spawner.start_timeout = c.Spawner.http_timeout = 180

# ---- each by themselves ------------------------------------------------------------

NETWORK, HOME = "labkit-class", "/home/learner"
SERVICES = "dockerspawner.SwarmSpawner"


def engine():
    """Return the Docker engine that `docker` would use here, or `None`."""
    try:
        found = Swarm.at()
    except NoEngine:
        return None
    # what runs on a simulated one is not in a container
    return found if found.provenance == "engine" else None


def in_containers(swarm):
    """Give each learner a container, and a volume that stays when the container goes."""
    gateway, own_network = class_network(swarm.client), swarm.labels().get(ADDRESS_LABEL)
    c.JupyterHub.spawner_class = "docker"
    if swarm.url.startswith("unix:"):
        c.DockerSpawner.client_kwargs = {"base_url": swarm.url}
    contained()
    c.DockerSpawner.network_name = NETWORK
    c.DockerSpawner.volumes = {f"{NETWORK}-{{username}}": HOME}
    c.DockerSpawner.use_internal_ip = False  # which leads nowhere where the engine is not Linux's
    # a learner's server needs no right of root's
    c.DockerSpawner.extra_host_config = {
        "cap_drop": ["ALL"],
        "init": True,  # which reaps what has lost its parent
        "pids_limit": 512,
        "security_opt": ["no-new-privileges"],
    }
    # The hub listens where containers, and nobody outside of this machine, find it.
    if swarm.info()["OperatingSystem"] == "Docker Desktop":
        c.JupyterHub.hub_connect_ip = "host.docker.internal"
    else:
        c.JupyterHub.hub_ip = our_address(own_network or gateway)
    if own_network:  # of an engine that labkit has started
        c.DockerSpawner.host_ip = own_network


def as_services():
    """Give each learner a service of the swarm that the hub is a service of (`stack.yml`)."""
    c.JupyterHub.spawner_class = SERVICES
    contained()
    c.SwarmSpawner.network_name = f"{NETWORK}-swarm"
    c.SwarmSpawner.extra_container_spec = {"cap_drop": ["ALL"], "init": True}
    c.SwarmSpawner.extra_endpoint_spec = {"mode": "dnsrr"}  # as of the hub
    c.Spawner.pre_spawn_hook = own_volume
    # its network has the hub's web server in it, and learners
    c.JupyterHub.bind_url = f"http://:{PORT}"
    c.JupyterHub.hub_ip = ""
    c.JupyterHub.hub_connect_ip = "hub"


def own_volume(spawner):
    """Mount the volume of a learner, which SwarmSpawner would take for a folder of a node."""
    volume = {"Type": "volume", "Source": f"{NETWORK}-{spawner.escaped_name}", "Target": HOME}
    spawner.extra_container_spec = {**spawner.extra_container_spec, "mounts": [volume]}


def contained():
    """Say of what image a learner's container is, and how much it may take."""
    c.DockerSpawner.image = os.environ.get("LABKIT_HUB_IMAGE", "labkit/learner")
    c.DockerSpawner.prefix = NETWORK
    c.DockerSpawner.remove = True
    c.Spawner.mem_limit = "1G"


def class_network(client):
    """Make a network in which no container reaches another's, and return its gateway."""
    found = client.networks.list(names=[NETWORK]) or [
        client.networks.create(
            NETWORK, driver="bridge", options={"com.docker.network.bridge.enable_icc": "false"}
        )
    ]
    return found[0].attrs["IPAM"]["Config"][0]["Gateway"]


def our_address(there):
    """Return the address of this machine that another one finds it by."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((there, 9))  # sends nothing
        return probe.getsockname()[0]


def as_processes(spawner_class):
    """Start processes of this machine; their engines outlive them, and are stopped after them."""
    c.JupyterHub.spawner_class = spawner_class
    c.LocalProcessSpawner.cmd = [LABKIT, "lab"]
    c.LocalProcessSpawner.popen_kwargs = {"umask": 0o077}  # many a home can be read by everybody
    c.Spawner.environment["LABKIT_HOME"] = home
    c.Spawner.post_stop_hook = stop_engine
    c.SimpleLocalProcessSpawner.home_dir_template = str(Path("homes").resolve() / "{username}")


def home(spawner):
    """Return the folder of a learner who is a user of this machine."""
    return spawner.user_env({})["HOME"]


async def stop_engine(spawner):
    """Stop the engine of a learner whose server has stopped or died, as that learner."""
    here = {"PATH": os.environ["PATH"], "LABKIT_HOME": home(spawner)}
    ending = await asyncio.create_subprocess_exec(
        *(LABKIT, "down"),
        env=spawner.user_env(here),
        preexec_fn=spawner.make_preexec_fn(spawner.user.name),
        stdin=asyncio.subprocess.DEVNULL,
    )
    await ending.wait()


def isolate(wanted):
    """Choose how learners are kept apart; `wanted` is `LABKIT_HUB_ISOLATION`."""
    swarm = engine() if wanted in ("", "containers") else None
    if swarm:
        in_containers(swarm)
    elif wanted == "services":
        as_services()
    elif wanted in ("", "users") and os.geteuid() == 0:
        as_processes("localprocess")
        # they are users of this machine, and log in as these
        c.JupyterHub.authenticator_class = "pam"
    elif wanted == "none":
        as_processes("simple")
    else:
        sys.exit(
            "Learners are kept apart by containers, or else by being users of this machine.\n"
            "Containers need a Docker engine, and none answers; to start a server as another user,"
            " the hub has to be root.\n"
            "To try it alone, with nobody kept from anybody's files: LABKIT_HUB_ISOLATION=none."
        )


isolate(os.environ.get("LABKIT_HUB_ISOLATION", ""))

# ---- the room ----------------------------------------------------------------------

ROOM, IN_CONTAINERS = Path("room").resolve(), "/room"


def where_noted(spawner):
    """Return the folder that what this learner does is noted in; none for an instructor."""
    contained = c.JupyterHub.spawner_class == "docker"
    return "" if teaches(spawner) else IN_CONTAINERS if contained else str(ROOM)


def teaches(spawner):
    """Whether a server is that of an instructor."""
    return spawner.user.name in names("instructors.txt")


def show_room(spawner):
    """Have a learner's container see their own folder in the room, and an instructor's all."""
    seen = ROOM
    if not teaches(spawner):
        # of a name that says as little as their alias
        key = kept_secret().encode()
        seen /= hmac.new(key, f"room of {spawner.user.name}".encode(), "sha256").hexdigest()[:16]
        seen.mkdir(exist_ok=True)
        seen.chmod(0o777)  # the user in the container is another one than the hub's
    mode = "ro" if teaches(spawner) else "rw"
    spawner.volumes = {**spawner.volumes, str(seen): {"bind": IN_CONTAINERS, "mode": mode}}


# off unless an instructor has made the folder (docs/teach-a-class.md); a service may run on a
# machine that does not have it
if ROOM.is_dir() and c.JupyterHub.spawner_class != SERVICES:
    c.Spawner.environment["LABKIT_CLASS"] = where_noted
    if c.JupyterHub.spawner_class == "docker":
        c.Spawner.pre_spawn_hook = show_room

# ---- all at nine o'clock -----------------------------------------------------------

#: How many servers start at a time. Thirty at once hold one another up until requests time
#: out; in turn, the first learners are in after seconds, and the last no later.
TURNS = asyncio.Semaphore(2 * (os.cpu_count() or 1))


def in_turn(prepare):
    """Return a hook that waits for a server's turn to start, and then calls `prepare`, if any.

    A server's time to start (`start_timeout`) begins after its hook.
    """

    async def hook(spawner):
        await TURNS.acquire()
        spawner.turn = asyncio.create_task(until_started(spawner))  # kept, or it is collected
        spawner.start = saying_why(spawner.start)
        if prepare:
            with in_words():
                prepare(spawner)

    return hook


def saying_why(start):
    """Return a start that says on the learner's page why it failed."""

    async def started():
        with in_words():
            return await start()

    return started


@contextmanager
def in_words():
    """Show the reason on the learner's page when a server cannot start; JupyterHub only logs it."""
    try:
        yield
    except HTTPError:  # has words, or has been given them in an earlier attempt
        raise
    except Exception as problem:
        failed = HTTPError(500)
        failed.jupyterhub_message = (
            f"Your server could not be started: {problem}\n"
            "Tell your instructor. Nothing of yours is lost, and you can try again."
        )
        raise failed from problem


async def until_started(spawner):
    """Give the turn to the next when a server runs, or has failed to start."""
    try:
        while spawner.pending == "spawn":
            await asyncio.sleep(0.2)
    finally:
        TURNS.release()


c.Spawner.pre_spawn_hook = in_turn(c.Spawner.get("pre_spawn_hook"))

# ---- what nobody uses --------------------------------------------------------------

CULLER = [sys.executable, "-m", "jupyterhub_idle_culler", "--timeout=3600"]
if shutil.which("setpriv"):
    # else it would outlive a hub that is killed, and the next hub starts another
    CULLER = ["setpriv", "--pdeathsig=TERM", *CULLER]
c.JupyterHub.services = [{"name": "culler", "command": CULLER}]
c.JupyterHub.load_roles = [
    {
        "name": "culler",
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
        "services": ["culler"],
    },
    {"name": "instructor", "scopes": MAY, "users": sorted(names("instructors.txt"))},
]
