"""The lab as a whole: what is here, up and down, JupyterLab, and back to a step."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from labkit.base import echo, settings
from labkit.cli.base import main

FIRST = "00-start-here.ipynb"
#: Loopback and a token are Jupyter's defaults; the first is said all the same, because a
#: configuration of the learner's may say otherwise. The others ask nobody outside. That
#: JupyterLab does not even offer its news, nor starts node to see whether its own page has to
#: be built anew, is in `page_config.json`, which is installed.
_OPTIONS = (
    "--ServerApp.ip=localhost",
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--LabApp.extension_manager=readonly",
)

_engine = click.option(
    "--engine",
    metavar="auto|private|simulated|URL",
    help="Which engine to use; the default is LABKIT_ENGINE, else auto.",
)


@main.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="For a machine to read.")
@click.pass_context
def _doctor(ctx: click.Context, *, as_json: bool) -> None:
    """Say what is here and what is missing, and how to fix it."""
    from labkit.cli import doctor

    lines = doctor.examine()
    if as_json:
        echo.say(doctor.as_json(lines))
    else:
        for line in lines:
            echo.say(str(line))
    ctx.exit(1 if any(line.verdict == "missing" for line in lines) else 0)


@main.command("up")
@_engine
@click.option(
    "--nodes",
    type=click.IntRange(1, 100),
    default=1,
    show_default=True,
    help="The least number of nodes; missing ones are added as containers "
    "(in a simulated engine: as part of it).",
)
@click.option("--no-stack", is_flag=True, help="Bring up the engine and the images only.")
def _up(engine: str | None, *, nodes: int, no_stack: bool) -> None:
    """Find or start an engine, make it a swarm, build the images, deploy the stack."""
    from labkit.cli import up

    up.up(engine, nodes=nodes, with_stack=not no_stack)


@main.command("down")
@click.option("--all", "everything", is_flag=True, help="Delete the images as well.")
def _down(*, everything: bool) -> None:
    """Remove what `up` made, and nothing else."""
    from labkit.cli import up

    up.down(everything=everything)


@main.command("env")
@_engine
def _env(engine: str | None) -> None:
    """Print what makes `docker` in this terminal use the lab's engine.

    Use it as: eval "$(labkit env)"
    """
    from labkit import engines

    echo.say(f"export DOCKER_HOST={shlex.quote(engines.find(engine).url)}")


@main.command("lab", context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[JUPYTER ARGS]...")
@click.pass_context
def _lab(ctx: click.Context, arguments: tuple[str, ...]) -> None:
    """Do as `up`, then start JupyterLab on the first notebook."""
    if {"-h", "--help"} & set(arguments):
        echo.say("Usage: labkit lab [JUPYTER ARGS]...\n\n  Do as `up`, then start JupyterLab.")
        return
    ctx.exit(start_jupyter(arguments))


@main.command("reset")
@click.argument("step", required=False)
@click.option("--forget", is_flag=True, help="Start over: open STEP and later ones in progress.")
def _reset(step: str | None, *, forget: bool) -> None:
    """Bring stack and files to where STEP of the lesson begins (a number or a notebook)."""
    from labkit import engines, lessons

    wanted = lessons.find(step)
    for sentence in lessons.restart(engines.connect(), wanted, forget=forget):
        echo.say(f"- {sentence}.")
    echo.say(f"Step {wanted.number}, {wanted.notebook}, begins.")


# ---- JupyterLab on the learner's copy of the notebooks ---------------------------------


def start_jupyter(arguments: Sequence[str]) -> int:
    """Bring the lab up and be JupyterLab until that ends; return `labkit up`'s failure.

    It runs in this process, and most of its start is imports. They go on while a process of
    its own brings the lab up.
    """
    # -P: the current folder's files must not shadow labkit's modules, as they do not here
    coming_up = subprocess.Popen([sys.executable, "-P", "-m", "labkit", "up"])
    # Half of JupyterLab's start is jsonschema's making of a parser for a format of texts, `iri`,
    # that no schema of Jupyter's has; without the parser it leaves the format unchecked.
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
    from jupyterlab import labapp

    from labkit.engines import state

    if failure := coming_up.wait():
        return failure
    os.environ.update(jupyter_environment(state.read().engine, os.environ))
    labapp.LabApp.launch_instance(jupyter_options(arguments))
    return 0


def jupyter_options(arguments: Sequence[str]) -> list[str]:
    """Return JupyterLab's options; the learner's `arguments` come last and win."""
    # Jupyter runs as root only with this flag, and a bare machine has no other user
    root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    return [
        *_OPTIONS,
        *root,
        f"--ServerApp.root_dir={settings.workspace()}",
        f"--LabApp.default_url=/lab/tree/{FIRST}",
        *arguments,
    ]


def jupyter_environment(url: str, env: Mapping[str, str]) -> dict[str, str]:
    """Return what kernels and terminals see: `docker` and `labkit` there use the lab's engine."""
    programs = str(Path(sys.executable).parent)
    path = os.pathsep.join([programs, env.get("PATH", os.defpath)])
    home = {"LABKIT_HOME": str(settings.home())}
    return {**env, **home, "DOCKER_HOST": url, "PATH": path}
