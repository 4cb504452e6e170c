"""The language that `docker stack deploy` takes, as models: compose format 3.0 to 3.13.

Each model names the keys of one mapping of the file; what a value may be is its type.
Values are kept in docker's long form, with durations in nanoseconds and sizes in bytes,
which is what is sent. The keys and types are those of docker/cli's published schema
(compose/schema/data); a few values are held to what the engine accepts, so that a
mistake is found before anything has changed.
"""

import difflib
import pathlib
import re
from collections.abc import Callable, Iterable
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    AliasGenerator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WrapValidator,
    model_validator,
)
from pydantic.alias_generators import to_pascal
from pydantic_core import ErrorDetails

from labkit.base.rules import words
from labkit.swarm.compose import shorthand
from labkit.swarm.compose.interpolation import FromVariable
from labkit.swarm.compose.problems import Path, Problems
from labkit.swarm.compose.shorthand import shown

#: What is special about some keys, and words for what is wrong.
FORMAT = words(pathlib.Path(__file__).with_name("format3.yaml"))

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


def _not_null(value: object) -> object:
    if value is None:
        raise ValueError("has no value; give it one or leave it out")
    return value


def _one_of(*choices: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if value not in choices:
            near = difflib.get_close_matches(value, choices, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"must be one of {', '.join(choices)}, not {value!r}{hint}")
        return value

    return check


def _constraint(value: str) -> str:
    if not re.fullmatch(r"\s*[\w.\-]+\s*(==|!=)\s*.+", value):
        raise ValueError(f"must be like 'node.role == worker', with == or !=, not {value!r}")
    return value


def _cast(to: Callable[[str], object], what: str) -> BeforeValidator:
    """Return what reads text from a variable as a value (docker/cli's loader/interpolate.go)."""

    def cast(value: object) -> object:
        if not isinstance(value, FromVariable):
            return value
        try:
            return to(value)
        except (ValueError, KeyError, TypeError):
            message = f"must be {what}, and the variable gives {str(value)!r}"
            raise ValueError(message) from None

    return BeforeValidator(cast)


def _whole(text: str) -> int:
    return int(re.fullmatch(r"[-+]?[0-9]+", text)[0])  # type: ignore[index]


def _unpointed(value: object) -> object:
    """Read `2.0` as 2: JSON, by whose rules docker checks a file, has one kind of number."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


_TRUTH = dict.fromkeys(("y", "yes", "true", "on"), True) | dict.fromkeys(
    ("n", "no", "false", "off"), False
)
#: Where text that came from a variable is cast.
CastInt = Annotated[int, BeforeValidator(_unpointed), _cast(_whole, "a whole number")]
CastCount = Annotated[CastInt, Field(ge=0)]
CastBool = Annotated[bool, _cast(lambda text: _TRUTH[text.lower()], "true or false")]
CastRatio = Annotated[float, Field(ge=0, le=1), _cast(float, "a number")]
#: A key that may be left out, but not be there without a value.
Maybe = Annotated[T | None, BeforeValidator(_not_null)]
#: Text, a number or nothing; kept as text.
Scalar = Annotated[str | None, BeforeValidator(shorthand.scalar)]
#: The same, where nothing means the empty text.
Filled = Annotated[str, BeforeValidator(lambda value: shorthand.scalar(value) or "")]
Pairs = Annotated[dict[str, Scalar], BeforeValidator(shorthand.pairs)]
Labels = Annotated[dict[str, Filled], BeforeValidator(shorthand.pairs)]
Options = dict[str, Filled]
Texts = Annotated[list[str], AfterValidator(shorthand.distinct)]
TextOrTexts = Annotated[Texts, BeforeValidator(shorthand.listed)]
Words = Annotated[list[str], BeforeValidator(shorthand.words)]
Nanoseconds = Annotated[int, BeforeValidator(shorthand.nanoseconds)]
Bytes = Annotated[int, BeforeValidator(shorthand.number_of_bytes)]
NanoCpus = Annotated[int, BeforeValidator(shorthand.nano_cpus)]
PortNumber = Annotated[CastInt, Field(ge=0, le=65_535)]
Constraint = Annotated[str, AfterValidator(_constraint)]
UpdateOrder = Annotated[str, AfterValidator(_one_of("start-first", "stop-first"))]
Action = Annotated[str, AfterValidator(_one_of("pause", "continue", "rollback"))]
Condition = Annotated[str, AfterValidator(_one_of("none", "on-failure", "any"))]
Mode = Annotated[
    str, AfterValidator(_one_of("replicated", "global", "replicated-job", "global-job"))
]
EndpointMode = Annotated[str, AfterValidator(str.lower), AfterValidator(_one_of("vip", "dnsrr"))]
Protocol = Annotated[str, AfterValidator(str.lower), AfterValidator(_one_of("tcp", "udp", "sctp"))]
PublishMode = Annotated[str, AfterValidator(str.lower), AfterValidator(_one_of("ingress", "host"))]
VolumeType = Annotated[str, AfterValidator(_one_of("volume", "bind", "tmpfs", "npipe", "image"))]


class Model(BaseModel):
    """A mapping of the file: no key that is not named here, no type that only looks alike."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        frozen=True,
        defer_build=True,  # with the model that it is part of, and not by itself as well
        alias_generator=AliasGenerator(serialization_alias=to_pascal),
    )

    def present(self) -> dict[str, Any]:
        """Return the keys that have a value, as the Engine API spells them."""
        return self.model_dump(by_alias=True, exclude_none=True)

    def filled(self) -> dict[str, Any]:
        """Return those that are not empty, as Go's `omitempty` does."""
        return {name: value for name, value in self.present().items() if value}


class Open(Model):
    """A mapping whose unknown keys docker ignores without a word."""

    model_config = ConfigDict(extra="ignore")


class Extensible(Model):
    """A mapping in which keys that begin with `x-` are the author's own."""

    @model_validator(mode="before")
    @classmethod
    def _drop_extensions(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {key: each for key, each in value.items() if not key.startswith("x-")}


def _named(value: object) -> object:
    """Read `external: {name: x}`, the old way to write `external: true` and `name: x`."""
    if isinstance(value, dict):
        unknown = [key for key in value if key != "name"]
        if unknown or not isinstance(value.get("name"), str):
            raise ValueError("must be true, false or a mapping with a name")
        return value["name"]
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {shown(value)}")
    return value


#: `True`, `False`, or the name that the old form gives.
External = Annotated[bool | str, BeforeValidator(_named), CastBool.__metadata__[0]]


class UpdateConfig(Model):
    """How the tasks are replaced in an update or a rollback."""

    parallelism: Maybe[CastCount] = None
    delay: Maybe[Nanoseconds] = None
    failure_action: Maybe[Action] = None
    monitor: Maybe[Nanoseconds] = None
    max_failure_ratio: Maybe[CastRatio] = None
    order: Maybe[UpdateOrder] = None


class RestartPolicy(Model):
    """Whether and when a task that ended is replaced."""

    condition: Maybe[Condition] = None
    delay: Maybe[Nanoseconds] = None
    max_attempts: Maybe[CastCount] = None
    window: Maybe[Nanoseconds] = None


class Limits(Model):
    """The most that a task may use."""

    cpus: Maybe[NanoCpus] = Field(None, serialization_alias="NanoCPUs")
    memory: Maybe[Bytes] = Field(None, serialization_alias="MemoryBytes")
    pids: Maybe[CastInt] = None


class DiscreteResource(Model):
    """A number of things of one kind that a node has."""

    kind: str
    value: CastInt


class GenericResource(Model):
    """A resource that the administrator of a node has named."""

    discrete_resource_spec: Maybe[DiscreteResource] = None


class Reservations(Model):
    """What a node must have free for a task."""

    cpus: Maybe[NanoCpus] = Field(None, serialization_alias="NanoCPUs")
    memory: Maybe[Bytes] = Field(None, serialization_alias="MemoryBytes")
    generic_resources: Maybe[list[GenericResource]] = None


class Resources(Model):
    """What a task may use, and what it needs."""

    limits: Maybe[Limits] = None
    reservations: Maybe[Reservations] = None


class Preference(Model):
    """Over which values of a node's label tasks are spread."""

    spread: str


class Placement(Model):
    """On which nodes tasks may run."""

    constraints: Maybe[list[Constraint]] = None
    preferences: Maybe[list[Preference]] = None
    max_replicas_per_node: Maybe[CastCount] = None


class Deploy(Model):
    """What Swarm does with a service."""

    mode: Maybe[Mode] = None
    endpoint_mode: Maybe[EndpointMode] = None
    replicas: Maybe[CastCount] = None
    labels: Maybe[Labels] = None
    rollback_config: Maybe[UpdateConfig] = None
    update_config: Maybe[UpdateConfig] = None
    resources: Maybe[Resources] = None
    restart_policy: Maybe[RestartPolicy] = None
    placement: Maybe[Placement] = None


class HealthCheck(Model):
    """How a container says that it is well."""

    disable: Maybe[CastBool] = Field(None, exclude=True)
    interval: Maybe[Nanoseconds] = None
    retries: Maybe[CastCount] = None
    test: Maybe[Annotated[list[str], BeforeValidator(shorthand.health_test)]] = None
    timeout: Maybe[Nanoseconds] = None
    start_period: Maybe[Nanoseconds] = None
    start_interval: Maybe[Nanoseconds] = None


class Logging(Model):
    """Where the output of a container goes."""

    driver: Maybe[str] = Field(None, serialization_alias="Name")
    options: Maybe[Options] = None


class Port(Model):
    """A port that a service publishes; 0 means that the engine chooses one."""

    mode: Maybe[PublishMode] = Field(None, serialization_alias="PublishMode")
    target: PortNumber = Field(serialization_alias="TargetPort")
    published: Maybe[PortNumber] = Field(None, serialization_alias="PublishedPort")
    protocol: Maybe[Protocol] = None


class AddressedPort(Port):
    """A port from a short form; the address in it is not kept, and that is said."""

    host_ip: str = Field(exclude=True)


class Bind(Open):
    """Options of a directory of the node."""

    propagation: Maybe[str] = None


class VolumeOptions(Open):
    """Options of a volume."""

    nocopy: Maybe[CastBool] = Field(None, serialization_alias="NoCopy")
    subpath: Maybe[str] = None


class Tmpfs(Open):
    """Options of a file system in memory."""

    size: Maybe[CastCount] = Field(None, serialization_alias="SizeBytes")


class Mount(Model):
    """Something that is mounted in a container."""

    type: VolumeType
    source: Maybe[str] = None
    target: Maybe[str] = None
    read_only: Maybe[CastBool] = None
    consistency: Maybe[str] = None
    bind: Maybe[Bind] = Field(None, exclude=True)
    volume: Maybe[VolumeOptions] = Field(None, exclude=True)
    tmpfs: Maybe[Tmpfs] = Field(None, exclude=True)


class FileReference(Open):
    """A config or a secret as a file in a container."""

    source: str
    target: Maybe[str] = None
    uid: Maybe[str] = None
    gid: Maybe[str] = None
    mode: Maybe[CastCount] = None


class Attachment(Model):
    """How a service is on a network. Docker reads the addresses and ignores them."""

    aliases: Maybe[Texts] = None
    driver_opts: Maybe[Options] = None
    ipv4_address: Maybe[str] = None
    ipv6_address: Maybe[str] = None


class Ulimit(Model):
    """A limit of the kernel."""

    soft: CastInt
    hard: CastInt


class CredentialSpec(Model):
    """Where a Windows container finds its account."""

    config: Maybe[str] = None
    file: Maybe[str] = None
    registry: Maybe[str] = None


def _source(value: object) -> object:
    return {"source": value} if isinstance(value, str) else value


def _ulimit(value: object) -> object:
    is_one = isinstance(value, int | FromVariable) and not isinstance(value, bool)
    return {"soft": value, "hard": value} if is_one else value


def _attachments(value: object) -> object:
    if isinstance(value, list):
        return dict.fromkeys(shorthand.distinct(shorthand.texts(value)))
    return value


def _ports(value: object, long_form: Callable[[object], Port]) -> list[Port]:
    if isinstance(value, dict):
        return [long_form(value)]
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return [AddressedPort.model_validate(port) for port in shorthand.ports(value)]
    raise ValueError(f"must be a port such as 80 or '8000:80', or a mapping, not {shown(value)}")


def _flat(lists: Iterable[Any]) -> list[Port]:
    return [port for ports in lists for port in ports]


def _build(value: object) -> object:
    if value is not None and not isinstance(value, str | dict):
        raise ValueError(f"must be text or a mapping, not {shown(value)}")
    return value


def _mount(value: object) -> object:
    return shorthand.volume(value) if isinstance(value, str) else value


FileReferences = list[Annotated[FileReference, BeforeValidator(_source)]]
Ports = Annotated[
    list[Annotated[Port, WrapValidator(_ports)]],
    BeforeValidator(shorthand.distinct),
    AfterValidator(_flat),
]


class Service(Extensible):
    """A service. The keys at the end are read, checked and ignored, as docker does."""

    cap_add: Maybe[Texts] = None
    cap_drop: Maybe[Texts] = None
    command: Maybe[Words] = None
    configs: Maybe[FileReferences] = None
    credential_spec: Maybe[CredentialSpec] = None
    deploy: Deploy | None = None
    dns: Maybe[TextOrTexts] = None
    dns_search: Maybe[TextOrTexts] = None
    entrypoint: Maybe[Words] = None
    env_file: Maybe[TextOrTexts] = None
    environment: Maybe[Pairs] = None
    extra_hosts: Maybe[Annotated[list[str], BeforeValidator(shorthand.hosts)]] = None
    healthcheck: Maybe[HealthCheck] = None
    hostname: Maybe[str] = None
    image: Maybe[str] = None
    init: Maybe[bool] = None
    isolation: Maybe[str] = None
    labels: Maybe[Labels] = None
    logging: Maybe[Logging] = None
    networks: Maybe[Annotated[dict[str, Attachment | None], BeforeValidator(_attachments)]] = None
    oom_score_adj: Maybe[CastInt] = None
    ports: Maybe[Ports] = None
    read_only: Maybe[CastBool] = None
    restart: Maybe[str] = None
    secrets: Maybe[FileReferences] = None
    stdin_open: Maybe[CastBool] = None
    stop_grace_period: Maybe[Nanoseconds] = None
    stop_signal: Maybe[str] = None
    sysctls: Maybe[Labels] = None
    tty: Maybe[CastBool] = None
    ulimits: Maybe[dict[str, Annotated[Ulimit, BeforeValidator(_ulimit)]]] = None
    user: Maybe[str] = None
    volumes: Maybe[list[Annotated[Mount, BeforeValidator(_mount)]]] = None
    working_dir: Maybe[str] = None

    build: Annotated[Any, AfterValidator(_build)] = None
    cgroup_parent: Maybe[str] = None
    cgroupns_mode: Maybe[str] = None
    container_name: Maybe[str] = None
    depends_on: Maybe[Texts] = None
    devices: Maybe[Texts] = None
    domainname: Maybe[str] = None
    expose: Maybe[Annotated[list[Filled], BeforeValidator(shorthand.distinct)]] = None
    external_links: Maybe[Texts] = None
    ipc: Maybe[str] = None
    links: Maybe[Texts] = None
    mac_address: Maybe[str] = None
    network_mode: Maybe[str] = None
    pid: str | None = None
    privileged: Maybe[CastBool] = None
    security_opt: Maybe[Texts] = None
    shm_size: Maybe[Filled] = None
    tmpfs: Maybe[TextOrTexts] = None
    userns_mode: Maybe[str] = None


class Subnet(Model):
    """A range of addresses."""

    subnet: Maybe[str] = None


class Ipam(Model):
    """Where a network's addresses come from."""

    driver: Maybe[str] = None
    config: Maybe[list[Subnet]] = None


class Declared(Extensible):
    """Something of the stack's own, or something that is there already."""

    name: Maybe[str] = None
    external: Maybe[External] = None
    labels: Maybe[Labels] = None


class Driven(Declared):
    """Such a thing as a driver makes."""

    driver: Maybe[str] = None
    driver_opts: Maybe[Options] = None


class Network(Driven):
    """A network."""

    ipam: Maybe[Ipam] = None
    internal: Maybe[CastBool] = None
    attachable: Maybe[CastBool] = None


class Volume(Driven):
    """A volume."""


class Config(Declared):
    """A config."""

    file: Maybe[str] = None
    template_driver: Maybe[str] = None


class Secret(Config, Driven):
    """A secret."""


#: The sections of a file, and what each holds.
SECTIONS: dict[str, type[Extensible]] = {
    "services": Service,
    "networks": Network,
    "volumes": Volume,
    "configs": Config,
    "secrets": Secret,
}


def check(model: type[M], value: object, path: Path, problems: Problems) -> M | None:
    """Return the model of a mapping of the file, or `None` after noting what is wrong."""
    try:
        return model.model_validate(value)
    except ValidationError as problem:
        for error in problem.errors():
            problems.add((*path, *error["loc"]), _sentence(error, model))
        return None


def nearest(key: str, known: Iterable[str]) -> str:
    """Return what to say of a key that nothing knows."""
    near = difflib.get_close_matches(key, list(known), 1)
    return "no such key" + (f"; did you mean {near[0]!r}?" if near else "")


def _sentence(error: ErrorDetails, model: type[BaseModel]) -> str:
    """Return pydantic's finding in this project's words."""
    kind, found = error["type"], error["input"]
    if kind == "value_error":
        return str(error["ctx"]["error"])
    if kind == "extra_forbidden":
        return nearest(str(error["loc"][-1]), _keys_beside(model, error["loc"]))
    if kind == "missing":
        return "is missing"
    if kind in ("greater_than_equal", "less_than_equal"):
        return f"must be {_bound(error)}, not {found!r}"
    return f"must be {FORMAT['wanted'].get(kind, error['msg'])}, not {shown(found)}"


def _bound(error: ErrorDetails) -> str:
    limits = error["ctx"]
    return f"{limits['ge']} or more" if "ge" in limits else f"at most {limits['le']}"


def _keys_beside(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """Return the keys of the mapping in which a key was not known."""
    return list(_model_at(model, loc[:-1]).model_fields)


def _model_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> type[BaseModel]:
    for step in loc:
        if step in model.model_fields:
            model = _model_in(model.model_fields[str(step)].annotation) or model
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the model that a type is made of, whatever it is wrapped in."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    parts = getattr(annotation, "__args__", ())
    return next(filter(None, map(_model_in, parts)), None)
