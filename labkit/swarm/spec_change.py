"""What an update asks of a service: checked, in a spec, as a docker command, in a file. Pure.

Nothing but what is asked for changes in the spec.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Self, TypedDict, Unpack

import yaml

from labkit.base.errors import BadValue, LabError
from labkit.base.fields import build
from labkit.recordings.values import RollbackConfig, UpdateConfig, require_count
from labkit.swarm.ownership import NAMESPACE
from swarmsim.go import durations, references

#: A whole config, or some of its fields by name: then the others keep their values.
ConfigChange = UpdateConfig | Mapping[str, Any]


class Asked(TypedDict, total=False):
    """What may be asked of a service; without a key, or with `None`, nothing is."""

    image: str | None
    replicas: int | None
    update_config: ConfigChange | None
    rollback_config: ConfigChange | None
    #: Whether to replace every task although nothing differs.
    force: bool


@dataclass(frozen=True, slots=True)
class SpecChange:
    """What is asked; `None` and empty where nothing is."""

    image: str | None
    replicas: int | None
    update_config: Mapping[str, Any]
    rollback_config: Mapping[str, Any]
    force: bool

    @classmethod
    def of(cls, **asked: Unpack[Asked]) -> Self:
        """Check what is asked. Raises `BadValue` for what docker or Swarm would refuse."""
        if unknown := asked.keys() - Asked.__annotations__.keys():
            raise TypeError(f"an update cannot change a service's {', '.join(unknown)}")
        image, replicas = asked.get("image"), asked.get("replicas")
        if image is not None and not (isinstance(image, str) and references.is_valid(image)):
            raise BadValue(
                f"image must be the name of an image such as 'lab/worker:1.1', not {image!r}"
            )
        if replicas is not None:
            require_count("replicas", replicas)
        return cls(
            image,
            replicas,
            _checked("update_config", asked.get("update_config"), UpdateConfig),
            _checked("rollback_config", asked.get("rollback_config"), RollbackConfig),
            asked.get("force", False),
        )

    def applied(
        self,
        to: Mapping[str, Any],
        pinned: str | None = None,
        platforms: Sequence[Mapping[str, str]] | None = None,
    ) -> dict[str, Any]:
        """Return a spec of the Engine API with the change made to it.

        `pinned` is the image with its digest, and `platforms` what it is there for, where a
        registry knows. Raises `LabError` for replicas of a global service.
        """
        spec = copy.deepcopy(dict(to))
        template = spec["TaskTemplate"]
        image = pinned or self.image
        if image:
            template["ContainerSpec"]["Image"] = image
            if platforms is not None:
                template.setdefault("Placement", {})["Platforms"] = platforms
        if self.replicas is not None:
            if "Replicated" not in spec.get("Mode", {}):
                raise LabError(
                    f"{spec['Name']} to be a replicated service, which has a number of replicas.",
                    "its mode is global: it runs one task on every node.",
                    "leave out replicas.",
                )
            spec["Mode"]["Replicated"]["Replicas"] = self.replicas
        for key, given in (
            ("UpdateConfig", self.update_config),
            ("RollbackConfig", self.rollback_config),
        ):
            if given:
                spec[key] = (spec.get(key) or UpdateConfig().to_api()) | _to_api(given)
        if self.force:
            template["ForceUpdate"] = template.get("ForceUpdate", 0) + 1
        return spec

    def command(self, name: str) -> list[str]:
        """Return the docker command that makes the same change."""
        words = ["docker", "service", "update"]
        words += ["--image", self.image] if self.image else []
        words += [f"--replicas={self.replicas}"] if self.replicas is not None else []
        words += flags("update", self.update_config) + flags("rollback", self.rollback_config)
        words += ["--force"] if self.force else []
        return [*words, name]


def flags(kind: str, config: Mapping[str, Any]) -> list[str]:
    """Return the flags of `docker service update` that set fields of one of its configs."""
    return [f"--{kind}-{key.replace('_', '-')}={_flag(value)}" for key, value in config.items()]


def compose_lines(spec: Mapping[str, Any]) -> str:
    """Return the lines of a compose file that say what an update may change of a spec.

    Fields that have Swarm's default are left out: a file's configs replace those of the service.
    """
    deploy: dict[str, Any] = {"replicas": spec["Mode"]["Replicated"].get("Replicas", 1)}
    for key, kind in (("UpdateConfig", UpdateConfig), ("RollbackConfig", RollbackConfig)):
        usual, config = asdict(kind()), asdict(kind.from_api(spec.get(key)))
        if changed := {name: it for name, it in config.items() if it != usual[name]}:
            lengths = {n: _flag(it) for n, it in changed.items() if isinstance(it, timedelta)}
            deploy[key.replace("Config", "_config").lower()] = changed | lengths
    image = spec["TaskTemplate"]["ContainerSpec"]["Image"].partition("@")[0]
    name = spec["Name"].removeprefix(f"{spec.get('Labels', {}).get(NAMESPACE, '')}_")
    return yaml.safe_dump({name: {"image": image, "deploy": deploy}}, sort_keys=False)


def _checked(name: str, change: ConfigChange | None, kind: type[UpdateConfig]) -> dict[str, Any]:
    """Return the fields that a change sets, after Swarm's rules have been applied to them."""
    if change is None:
        return {}
    given = asdict(change) if isinstance(change, UpdateConfig) else change
    whole = asdict(build(kind, given, name))
    return {key: whole[key] for key in given}


def _to_api(given: Mapping[str, Any]) -> dict[str, Any]:
    change = UpdateConfig(**given)
    names = change.api_names()
    spelled = change.to_api()
    return {names[field]: spelled[names[field]] for field in given}


def _flag(value: object) -> str:
    if isinstance(value, timedelta):
        return durations.to_text(value)
    return f"{value:g}" if isinstance(value, float) else str(value)
