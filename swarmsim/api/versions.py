"""What each version of the Engine API adds, changes and hides: the tables of this module.

Routes show everything of every version. What a client of version V gets is what `ANSWERS`
leaves of it, and what it asks for is what `QUERIES` and `BODIES` leave of that. Where an
engine changed for all its versions at once, the change is listed at the version that came
with it: at 1.41 this is Docker Engine 20.10, and so on.

From moby's `api/docs/CHANGELOG.md` and the version checks in its `daemon/server/router`, and
as seen on Docker Engine 20.10, 26.1 and 28.5. The last speaks 1.51: what is listed at 1.52 was
read, and never seen on an engine.
"""

import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, NamedTuple

from swarmsim.engine.volumes import ANONYMOUS
from swarmsim.go.errors import ApiError, NotAFilter

API_VERSION = "1.52"
MIN_API_VERSION = "1.24"


class Row(NamedTuple):
    """Fields that some versions have: from `since` on, and before `until`.

    A path is `Config.Hostname`; it leads into every item of a list, and `*` is any key.
    """

    #: `GET /images/json`, as routes are declared, or several with commas; or the struct of a body.
    where: str
    #: Paths, separated by spaces.
    fields: str
    since: str = MIN_API_VERSION
    until: str = ""
    #: Versions without the field omit it only where it is empty, as Go's `omitempty` does.
    only_empty: bool = False
    #: What the others show in its place; leaves it out if it is None.
    instead: Callable[[Any], Any] | None = None

    def shows(self, version: str) -> bool:
        """Whether a version has these fields."""
        number = numbers(version)
        return numbers(self.since) <= number and (not self.until or number < numbers(self.until))


_SERVICE = "swarm.ServiceSpec"
_CONTAINER = "TaskTemplate.ContainerSpec."
_IMAGE = "GET /images/{name:path}/json"
_INSPECTED, _LISTED = "GET /containers/{id}/json", "GET /containers/json"
_CONTAINERS = f"{_INSPECTED}, {_LISTED}"

#: Of a container, and so in the config of an image as well.
_OF_A_CONTAINER = " ".join(
    f"Config.{it}"
    for it in (
        *("Hostname", "Domainname", "AttachStdin", "AttachStdout", "AttachStderr"),
        *("Tty", "OpenStdin", "StdinOnce", "Image"),
    )
)
_OF_AN_IMAGE = " ".join(
    f"Config.{it}"
    for it in ("Cmd", "Entrypoint", "Env", "Labels", "OnBuild", "User", "Volumes", "WorkingDir")
)
#: What is said of the default bridge outside of the list of networks.
_OF_THE_BRIDGE = " ".join(
    f"NetworkSettings.{it}"
    for it in (
        *("Bridge", "HairpinMode", "LinkLocalIPv6Address", "LinkLocalIPv6PrefixLen"),
        *("SecondaryIPAddresses", "SecondaryIPv6Addresses", "EndpointID", "Gateway"),
        *("GlobalIPv6Address", "GlobalIPv6PrefixLen", "IPAddress", "IPPrefixLen"),
        *("IPv6Gateway", "MacAddress"),
    )
)


def _named(names: list[str] | None) -> list[str]:
    """Image names without those that stand for none."""
    return [name for name in names or [] if not name.startswith("<none>")]


def _nothing(_: Any) -> None:
    """No value at all."""


def _unmarked(labels: dict[str, str] | None) -> dict[str, str] | None:
    """A volume's labels without the one that says that it was made without a name."""
    kept = {key: it for key, it in (labels or {}).items() if key != ANONYMOUS}
    return kept or (None if labels else labels)


#: Parameters of a query that other versions ignore.
QUERIES = (
    Row("GET /images/json", "filter", until="1.41"),
    Row("GET /services", "status", "1.41"),
    Row("GET /images/json", "shared-size", "1.42"),
    Row("GET /system/df", "type", "1.42"),
    Row("POST /containers/{id}/stop", "signal", "1.42"),
    Row("GET /images/json", "manifests", "1.47"),
    Row("GET /system/df", "verbose", "1.52"),
)

#: Fields of a body that other versions ignore.
BODIES = (
    Row("swarm.InitRequest", "DefaultAddrPool SubnetSize", "1.39"),
    Row("swarm.InitRequest", "DataPathPort", "1.40"),
    Row(_SERVICE, f"{_CONTAINER}Sysctls TaskTemplate.Placement.MaxReplicas", "1.40"),
    Row(_SERVICE, f"{_CONTAINER}CapabilityAdd {_CONTAINER}CapabilityDrop", "1.41"),
    Row(_SERVICE, f"{_CONTAINER}Ulimits TaskTemplate.Resources.Limits.Pids", "1.41"),
    Row(_SERVICE, "Mode.ReplicatedJob Mode.GlobalJob", "1.41"),
    Row(_SERVICE, f"{_CONTAINER}Healthcheck.StartInterval", "1.44"),
    Row(_SERVICE, f"{_CONTAINER}Mounts.VolumeOptions.Subpath", "1.45"),
    Row(_SERVICE, f"{_CONTAINER}OomScoreAdj {_CONTAINER}Mounts.TmpfsOptions.Options", "1.46"),
    Row(_SERVICE, "TaskTemplate.Resources.SwapBytes", "1.52"),
    Row(_SERVICE, "TaskTemplate.Resources.MemorySwappiness", "1.52"),
    Row(_SERVICE, "Networks", until="1.52"),
)

#: Fields of an answer that other versions leave out.
ANSWERS = (
    Row("GET /info", "KernelMemory", until="1.42"),
    Row("GET /tasks, GET /tasks/{id}", "Volumes", "1.42"),
    Row("GET /volumes/{name}, POST /volumes/create", "Labels", "1.42", instead=_unmarked),
    Row("GET /volumes, GET /system/df", "Volumes.Labels", "1.42", instead=_unmarked),
    Row("GET /system/df", "BuilderSize", until="1.42"),
    Row("GET /images/json", "RepoTags RepoDigests", until="1.43", instead=_named),
    Row("GET /system/df", "Images.RepoTags Images.RepoDigests", until="1.43", instead=_named),
    Row(f"GET /images/json, {_IMAGE}", "VirtualSize", until="1.44"),
    Row("GET /system/df", "Images.VirtualSize", until="1.44"),
    Row("POST /services/create", "Warnings", "1.44"),
    Row("GET /info", "CDISpecDirs", "1.44"),
    Row(_CONTAINERS, "NetworkSettings.Networks.*.DNSNames", "1.44"),
    Row(_INSPECTED, "NetworkSettings.Networks.*.Aliases", until="1.45", instead=_nothing),
    Row(_INSPECTED, "HostConfig.KernelMemory HostConfig.KernelMemoryTCP", until="1.42"),
    Row(_IMAGE, "Container ContainerConfig", until="1.45"),
    Row("GET /info", "RegistryConfig.AllowNondistributableArtifactsCIDRs", until="1.47"),
    Row("GET /info", "RegistryConfig.AllowNondistributableArtifactsHostnames", until="1.47"),
    Row(_CONTAINERS, "NetworkSettings.Networks.*.GwPriority", "1.48"),
    Row("GET /networks, GET /networks/{id}", "EnableIPv4", "1.48"),
    Row("GET /info", "ContainerdCommit.Expected", until="1.49"),
    Row("GET /info", "RuncCommit.Expected InitCommit.Expected", until="1.49"),
    Row("GET /info", "BridgeNfIptables BridgeNfIp6tables", until="1.50"),
    Row(_IMAGE, _OF_A_CONTAINER, until="1.50"),
    Row("GET /images/json", "Containers", "1.51", instead=lambda _: -1),
    Row("GET /info", "KernelMemoryTCP", until="1.52"),
    Row(_INSPECTED, _OF_THE_BRIDGE, until="1.52"),
    Row(_INSPECTED, "Config.OnBuild", until="1.52", only_empty=True),
    Row(_LISTED, "Health", "1.52"),
    Row("GET /system/df", "ImageUsage ContainerUsage VolumeUsage BuildCacheUsage", "1.52"),
    Row("GET /events", "status id from", until="1.52"),
    Row(_IMAGE, "Parent Comment DockerVersion Author", until="1.52", only_empty=True),
    Row(_IMAGE, _OF_AN_IMAGE, until="1.52", only_empty=True),
)


class Words(NamedTuple):
    """A refusal that is worded otherwise from a version on."""

    since: str
    pattern: str
    instead: str


_JSON = r"^(json: |illegal base64 data)"
REFUSALS = (
    Words("1.42", _JSON, r"invalid JSON: \1"),
    Words("1.42", "^Invalid filter ", "invalid filter "),
    Words("1.42", "^no such image: .*: (No such image: )", r"\1"),
)


def refusal(version: str, problem: ApiError) -> ApiError:
    """A refusal as a version has it; what is worded here is as of Docker Engine 20.10."""
    if isinstance(problem, NotAFilter) and numbers(version) >= numbers("1.42"):
        return ApiError(400, "invalid filter")
    for words in REFUSALS:
        if numbers(version) >= numbers(words.since) and re.search(words.pattern, problem.message):
            message = re.sub(words.pattern, words.instead, problem.message)
            return ApiError(problem.status, message)
    return problem


PRUNES_ONLY_ANONYMOUS = Row("POST /volumes/prune", "all", "1.42")
_TYPE_OF_LOGS = Row("logs", "Content-Type", "1.42")


def type_of_logs(version: str, *, tty: bool) -> str:
    """The media type of a stream of output, which older versions do not say."""
    kind = "raw" if tty else "multiplexed"
    return f"application/vnd.docker.{kind}-stream" if _TYPE_OF_LOGS.shows(version) else ""


def require(version: str) -> None:
    """Raise what the engine answers to a client of a version that it does not speak."""
    if numbers(API_VERSION) < numbers(version):
        message = (
            f"client version {version} is too new. Maximum supported API version is {API_VERSION}"
        )
        raise ApiError(400, message)
    if numbers(version) < numbers(MIN_API_VERSION):
        message = (
            f"client version {version} is too old. Minimum supported API version is "
            f"{MIN_API_VERSION}, please upgrade your client to a newer version"
        )
        raise ApiError(400, message)


@cache
def numbers(version: str) -> tuple[int, ...]:
    """A version by which versions can be put in order."""
    found = [int(part or 0) for part in version.split(".")]
    while len(found) > 1 and not found[-1]:
        found.pop()  # 1.41.0 is 1.41
    return tuple(found)


def fitting(rows: Iterable[Row], where: str, version: str, value: Any) -> Any:
    """Return a value without what a version does not have. What was given is not changed."""
    for row in _hiding(tuple(rows), where, version):
        for path in row.fields.split():
            value = _changed(value, path.split("."), row)
    return value


@cache
def _hiding(rows: tuple[Row, ...], where: str, version: str) -> list[Row]:
    return [row for row in rows if where in row.where.split(", ") and not row.shows(version)]


def _changed(value: Any, path: list[str], row: Row) -> Any:
    if isinstance(value, list):
        return [_changed(item, path, row) for item in value]
    if not isinstance(value, dict):
        return value
    key, *rest = path
    keys = list(value) if key == "*" else [key] if key in value else []
    if rest:
        return value | {it: _changed(value[it], rest, row) for it in keys}
    if row.instead is not None:
        return value | {it: row.instead(value[it]) for it in keys}
    return {it: value[it] for it in value if it not in keys or (row.only_empty and value[it])}
