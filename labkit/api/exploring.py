"""What if? An update that one sets up with sliders: predicted as they move, and then run."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import asdict
from datetime import UTC, datetime
from io import StringIO
from typing import TYPE_CHECKING, Any

from labkit.api import doing
from labkit.base import settings
from labkit.base.errors import BadValue, LabError, NoEngine
from labkit.engines import state
from labkit.recordings.recorder import Recorder
from labkit.recordings.recording import Recording
from labkit.recordings.update import prediction
from labkit.recordings.values import Service, UpdateConfig
from labkit.swarm import compose, spec_change
from labkit.swarm.client import Swarm
from labkit.swarm.images import images
from labkit.swarm.spec_change import Asked, SpecChange

if TYPE_CHECKING:
    from labkit.views.cards.explorer import Explorer

Spec = dict[str, Any]
_CONFIG, _LENGTHS = tuple(asdict(UpdateConfig())), ("delay", "monitor")
#: The tag that the lesson has for an image that does this.
_TAGS = {"dies": "bugged", "ignores": "deaf", "unhealthy": "stuck"}


def explore(service: str) -> Explorer:
    """Show what an update of a service would do, as you move its settings; changes nothing.

    The settings begin with those of the service; where no engine answers, it is the lesson's
    worker, made up. `Run it` asks first, and then lays the recording over the prediction.
    """
    from labkit.views.cards.explorer import Explorer

    doing.require_text(service=service)
    try:
        swarm = doing.current_swarm()
    except NoEngine:
        return Explorer(Situation(made_up(service)))
    return Explorer(Situation(swarm.service(service)["Spec"], swarm))


class Situation:
    """A service as it is, and what becomes of it with the values that are chosen."""

    def __init__(self, spec: Spec, swarm: Swarm | None = None) -> None:
        self._spec, self._swarm = spec, swarm
        self._nodes = {"nodes": swarm.get("/nodes")} if swarm else {}
        self.service = str(spec["Name"])
        self._now = Service.from_api({"ID": "", "Version": {"Index": 0}, "Spec": spec})
        if self._now.replicas is None:
            raise BadValue(f"only a replicated service can be explored; {self.service} is global")
        config = asdict(self._now.update_config)
        for name in _LENGTHS:
            seconds = config[name].total_seconds()
            config[name] = int(seconds) if seconds.is_integer() else seconds
        #: What is chosen at first; lengths are in seconds.
        self.start = config | {"replicas": self._now.replicas, "image": self.image("runs")}
        #: Why it cannot be run, or `""`.
        self.note = "" if swarm else "No engine answers: this is a made-up service."

    def image(self, does: str) -> str:
        """Return the lesson's image that does this, or else runs another tag than now."""
        name = self._now.image.partition("@")[0].removesuffix(f":{self._now.tag}")
        return f"{name}:{_TAGS.get(does) or ('1.0' if self._now.tag == '1.1' else '1.1')}"

    def predict(self, values: Mapping[str, Any]) -> Iterator[Recording]:
        """Return what these values would do, for one seed after another, in pieces."""
        after, broken = self._after(values), _broken(values["does"], values["after"])
        return prediction.over_seeds(
            self._spec,
            after,
            behaviour=lambda slot: broken if slot <= values["slots"] else {},
            old_behaviour=broken if values["does"] == "ignores" else {},
            began=self._swarm.now() if self._swarm else datetime.now(UTC),
            **self._nodes,
        )

    def ways(self, values: Mapping[str, Any]) -> tuple[str, str]:
        """Return the docker command that does it, and the lines of a compose file."""
        command = shlex.join(self._change(values).command(self.service))
        # a flag a line: browsers break a line after any of its dashes
        return command.replace(" --", " \\\n  --"), spec_change.compose_lines(self._after(values))

    def doubt(self, values: Mapping[str, Any]) -> str:
        """Return what speaks against running it now, or `""`."""
        if images.has(doing.current_swarm(), values["image"]):
            return ""
        missing = f"This engine does not have {values['image']}: its tasks would be rejected."
        return f"{missing} labkit.build makes it."

    def run(self, values: Mapping[str, Any]) -> tuple[Recorder, str]:
        """Update the service. Returns its recorder, and what was printed."""
        recorder = doing.record(self.service)
        try:
            with redirect_stdout(StringIO()) as printed:
                doing.update(self.service, **self._asked(values))
        except LabError:
            recorder.stop()
            raise
        return recorder, printed.getvalue()

    def _asked(self, values: Mapping[str, Any]) -> Asked:
        """Return what differs from the service as it is: nothing else is touched."""
        moved = {name for name in values.keys() & self.start if values[name] != self.start[name]}
        config = {
            name: f"{values[name]}s" if name in _LENGTHS else values[name]
            for name in _CONFIG
            if name in moved
        }
        replicas = values["replicas"] if "replicas" in moved else None
        return Asked(image=values["image"], replicas=replicas, update_config=config)

    def _change(self, values: Mapping[str, Any]) -> SpecChange:
        return SpecChange.of(**self._asked(values))

    def _after(self, values: Mapping[str, Any]) -> Spec:
        return self._change(values).applied(self._spec)


def _broken(does: str, seconds: float) -> dict[str, Any]:
    known: dict[str, dict[str, Any]] = {
        "dies": {"exits_after": f"{seconds}s", "exit_code": 1},
        "ignores": {"ignores_stop": True},
        "unhealthy": {"unhealthy_after": f"{seconds}s"},
    }
    return known.get(does, {})


def made_up(service: str) -> Spec:
    """Return the worker of the lesson's compose file, under another name."""
    file = settings.lesson_files() / "dockercoins" / "docker-compose.yml"
    stack = settings.stack_name()
    specs = compose.load([file], state.compose_environment()).specs(stack).services
    worker = next(spec for spec in specs if spec["Name"] == f"{stack}_worker")
    return worker | {"Name": service}
