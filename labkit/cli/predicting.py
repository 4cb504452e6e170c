"""What an update will do, before it is run."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from labkit.base import echo
from labkit.cli.base import main
from labkit.recordings.values import RollbackConfig, UpdateConfig


def _config_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the flags of `docker service update` for both configs."""
    for prefix, kind in (("rollback", RollbackConfig), ("update", UpdateConfig)):
        for name in reversed([field.name for field in fields(kind)]):
            words = f"{prefix}-{name.replace('_', '-')}"
            form = {"parallelism": int, "max_failure_ratio": float}.get(name, str)
            command = click.option(f"--{words}", type=form, help=_CONFIG_HELP[name])(command)
    return command


_CONFIG_HELP = {
    "parallelism": "How many slots at the same time; 0 for all.",
    "delay": "What a worker pauses after each slot, such as 5s.",
    "failure_action": "pause, continue or rollback (a rollback has the first two).",
    "monitor": "How long a new task's death counts as a failure.",
    "max_failure_ratio": "The share of slots that may fail.",
    "order": "stop-first or start-first.",
}


@main.command("predict")
@click.argument("service")
@click.option("--image", help="The image to update to.")
@click.option("--replicas", type=click.IntRange(min=0), help="The number of replicas.")
@click.option("--force", is_flag=True, help="Replace every task although nothing differs.")
@_config_options
@click.option("--exits-after", help="When the new tasks end by themselves, such as 2s.")
@click.option("--exit-code", type=int, help="With what they end; 0 without it.")
@click.option("--stops-after", help="How long tasks take to stop, old and new.")
@click.option("--ignores-stop", is_flag=True, help="Tasks, old and new, have to be killed.")
@click.option("--healthy-after", help="With a healthcheck: when they are first found healthy.")
@click.option("--unhealthy-after", help="With a healthcheck: when they are found unhealthy.")
@click.option("--seed", type=int, default=0, help="Draws which slot comes first.")
@click.option(
    *("-o", "--output"),
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep the prediction as a recording, which `labkit show` draws.",
)
@click.option("--json", "as_json", is_flag=True, help="For a machine to read.")
def _predict(
    service: str,
    *,
    image: str | None,
    replicas: int | None,
    force: bool,
    seed: int,
    output: Path | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Work out what an update of SERVICE would do. Nothing is changed."""
    from labkit.api import doing
    from labkit.recordings import story
    from labkit.recordings.prediction import in_words
    from swarmsim.model import Behaviour

    configs = {
        f"{prefix}_config": _given(given, prefix, UpdateConfig) for prefix in ("update", "rollback")
    }
    behaviour = _given(given, "", Behaviour)
    if given["ignores_stop"]:
        behaviour["stops_after"] = None
    stops = {name: behaviour[name] for name in behaviour if name == "stops_after"}
    with echo.muted():  # what it says follows, in one form or the other
        expected = doing.predict(
            service,
            image=image,
            replicas=replicas,
            force=force,
            behaviour=behaviour,
            old_behaviour=stops,  # it is the old tasks that an update stops
            seed=seed,
            **configs,
        )
    if output:
        expected.save(output)
    if as_json:
        echo.say(json.dumps(story.facts(expected), indent=1))
    else:
        echo.say(in_words(expected))


def _given(options: Mapping[str, Any], prefix: str, kind: type) -> dict[str, Any]:
    """Return those fields of a kind for which an option was given."""
    names = {field.name: f"{prefix}_{field.name}".lstrip("_") for field in fields(kind)}
    return {
        name: options[option] for name, option in names.items() if options.get(option) is not None
    }
