"""The volumes of a machine, and what a container has mounted.

A volume is made by whoever mounts it first, and stays until somebody removes it; one without
a name goes with its container. From moby's `volume/local`, `volume/service` and
`volume/mounts`, as seen on Docker Engine 20.10.
"""

import json
import posixpath
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from swarmsim.go.errors import ApiError
from swarmsim.go.gojson import quoted
from swarmsim.model import Spec

Texts = dict[str, str]

#: The label of a volume that was made without a name, since API 1.42.
ANONYMOUS = "com.docker.volume.anonymous"

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*")
#: The options of the driver `local`, and which others each of them needs.
_OPTIONS = {"type": ["device"], "o": ["device", "type"], "device": ["type"], "size": []}


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """A volume of the driver `local`."""

    name: str
    created_at: int
    #: Where its files are.
    path: Path
    labels: Texts | None = None
    options: Texts | None = None
    anonymous: bool = False

    def size(self) -> int:
        """How many bytes its files have."""
        return sum(it.lstat().st_size for it in self.path.rglob("*") if it.is_file())


class Volumes(dict[str, Volume]):
    """Those of a machine, by name; those of an earlier engine are found again."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        for file in sorted(folder.glob("*/opts.json")):
            with suppress(ValueError):  # torn by a kill: it is written again at the next mount
                known = json.loads(file.read_text(encoding="utf-8"))
                name, path = file.parent.name, file.with_name("_data")
                self[name] = Volume(name=name, path=path, **known)

    def make(
        self,
        name: str,
        now: int,
        *,
        driver: str = "",
        options: Texts | None = None,
        labels: Texts | None = None,
        anonymous: bool = False,
    ) -> Volume:
        """Return the volume of a name, which is made if it is missing.

        Raises `ApiError` in Docker's words.
        """
        if name in self:
            return self[name]
        if refusal := _refusal(name, driver, options or {}):
            raise ApiError(404 if "plugin" in refusal else 400, f"create {name}: {refusal}")
        path = self._folder / name / "_data"
        known: Spec = {"created_at": now, "labels": labels, "options": options}
        known["anonymous"] = anonymous
        try:
            path.mkdir(parents=True, exist_ok=True)
            path.with_name("opts.json").write_text(json.dumps(known), encoding="utf-8")
        except OSError as problem:
            raise ApiError(500, f"create {name}: {problem.strerror}".lower()) from None
        self[name] = Volume(name=name, path=path, **known)
        return self[name]

    def remove(self, volume: Volume) -> None:
        """Forget a volume, and delete its files."""
        del self[volume.name]
        shutil.rmtree(volume.path.parent, ignore_errors=True)

    def mount(
        self, container: Spec, image: Mapping[str, Spec], now: int, new_id: Callable[[], str]
    ) -> Iterator[Spec]:
        """Yield what a container has mounted, as the API has it, and make the volumes for it.

        That is what its service asks for, and the volumes that its image wants besides. Raises
        `ApiError` for what Docker does not mount.
        """
        taken = set()
        for mount in container.get("Mounts") or ():
            _check(mount)
            mode: Spec = {"Mode": "", "RW": not mount.get("ReadOnly"), "Propagation": ""}
            point = {**mode, "Type": mount["Type"], "Source": mount.get("Source", "")}
            if mount["Type"] == "bind":
                asked = mount.get("BindOptions") or {}
                point["Propagation"] = asked.get("Propagation") or "rprivate"
            elif mount["Type"] == "volume":
                point |= {**_of(self._asked(mount, now, new_id)), "Mode": "z"}
            taken.add(mount["Target"])
            yield {**point, "Destination": mount["Target"]}
        for target in (image.get("Volumes") or {}).keys() - taken:
            volume = self.make(new_id(), now, anonymous=True)
            mode = {"Mode": "", "RW": True, "Propagation": ""}
            yield {"Type": "volume", **_of(volume), **mode, "Destination": target}

    def _asked(self, mount: Spec, now: int, new_id: Callable[[], str]) -> Volume:
        options = mount.get("VolumeOptions") or {}
        driver = options.get("DriverConfig")
        return self.make(
            mount.get("Source") or new_id(),
            now,
            driver=(driver or {}).get("Name", ""),
            options=None if driver is None else driver.get("Options") or {},
            labels=options.get("Labels") if driver is None else options.get("Labels") or {},
            anonymous=not mount.get("Source"),
        )


def _of(volume: Volume) -> Spec:
    return {"Name": volume.name, "Source": str(volume.path), "Driver": "local"}


def _refusal(name: str, driver: str, options: Texts) -> str:
    if driver not in {"", "local"}:
        return f'error looking up volume plugin {driver}: plugin "{driver}" not found'
    if len(name) == 1:
        return "volume name is too short, names should be at least two alphanumeric characters"
    if not _NAME.fullmatch(name):
        return (
            f"{quoted(name)} includes invalid characters for a local volume name, only "
            '"[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, '
            "use absolute path"
        )
    for option in options.keys() - _OPTIONS.keys():
        return f"invalid option: {quoted(option)}"
    missing = [it for option in options for it in _OPTIONS[option] if not options.get(it)]
    return f"missing required option: {quoted(missing[0])}" if missing else ""


def _check(mount: Spec) -> None:
    """Refuse a mount in the words of moby's `executor/container/validate.go`, `volume/mounts`."""
    kind, source, target = (mount.get(key, "") for key in ("Type", "Source", "Target"))
    config = f"invalid mount config for type {quoted(kind)}: "
    absolute = source.startswith("/")
    for is_wrong, why in (
        (not target.startswith("/"), f"invalid mount target, must be an absolute path: {target}"),
        (
            kind == "bind" and not absolute,
            f"invalid bind mount source, must be an absolute path: {source}",
        ),
        (
            kind == "volume" and absolute,
            f"invalid volume mount source, must not be an absolute path: {source}",
        ),
        (kind == "tmpfs" and source, "invalid tmpfs source, source must be empty"),
        (kind == "npipe", f"{config}mount type unknown"),
        (
            posixpath.normpath(target) in {"/", "//"},
            f"{config}invalid specification: destination can't be '/'",
        ),
    ):
        if is_wrong:
            raise ApiError(400, why)
