"""Images: build and push them, and the base image that all of dockercoins stands on.

Everything goes through the SDK's streams, so that what the engine says is shown as it
says it, and a mistake is shown in the engine's words.

An engine asks a registry for the image of every new task, even for one that it has
(moby's daemon/cluster/executor/container/controller.go), and takes what it is given. So
an image name is only as safe as its `<Docker ID>`. The default, `lab`, cannot be on
Docker Hub: an account's name has at least four letters. An engine that is started with
`DOCKER_SERVICE_PREFER_OFFLINE_IMAGE=1` does not ask for what it has (moby#23909).
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from labkit.base import echo, errors, jobs, settings
from labkit.swarm import ownership
from labkit.swarm.client import Swarm
from labkit.swarm.client.refusals import no_engine
from labkit.swarm.images import baseimage

#: What shows a line to the learner; `None` shows nothing.
Say = Callable[[str], None] | None

SERVICES = ("rng", "hasher", "redis", "webui", "worker")
#: The Docker ID's tag of dockercoins as it is shipped.
FIRST_TAG = "1.0"

#: On an image of dockercoins: the hash of what it was made from.
_SOURCE_LABEL = "labkit.source"
_BASE_ARGUMENT = "PYTHON_IMAGE"
_BASE_LINE = re.compile(rf"(?m)^ARG {_BASE_ARGUMENT}=.*".encode())
#: The engine colours what a build step writes to its standard error.
_COLOUR = re.compile(r"\x1b\[\d*m")


# ---- build, push -------------------------------------------------------------------


def build(
    swarm: Swarm,
    folder: Path,
    tag: str,
    *,
    buildargs: Mapping[str, str] | None = None,
    say: Say = echo.say,
) -> str:
    """Build an image from a folder with a Dockerfile, and return the image's id.

    As `docker image build -t TAG FOLDER`, and that command is shown. A Dockerfile with
    `ARG PYTHON_IMAGE` gets the base image that this engine can have (`base_image`), and the
    image a label that says what it was made from (`ensure`), unless there are `buildargs`.
    With `say=None` nothing is shown unless a step fails. Raises `BuildFailed`.
    """
    dockerfile = _read_dockerfile(folder)
    arguments = dict(buildargs or {})
    marks = {} if f"LABEL {settings.LAB_LABEL}" in dockerfile else {settings.LAB_LABEL: "true"}
    if f"ARG {_BASE_ARGUMENT}" in dockerfile and not arguments:
        base = base_image(swarm, say=say)
        marks[_SOURCE_LABEL] = source_hash(folder, inspect(swarm, base)["Id"])
        if f"ARG {_BASE_ARGUMENT}={base}" not in dockerfile.splitlines():
            arguments[_BASE_ARGUMENT] = base
    if say:
        given = [word for pair in arguments.items() for word in ("--build-arg", "=".join(pair))]
        echo.command(["docker", "image", "build", "-t", tag, *given, str(folder)])
    answer = _follow(
        swarm,
        lambda: swarm.client.api.build(
            path=str(folder),
            tag=tag,
            buildargs=arguments,
            labels=marks,
            rm=True,
            forcerm=True,
            decode=True,
        ),
        say,
    )
    if answer.error or not answer.image_id:
        raise _build_failed(folder, answer, shown=say is not None)
    ownership.note(answer.image_id)
    if say and (twins := _made_from(swarm, marks.get(_SOURCE_LABEL)) - {":".join(_split(tag))}):
        say(
            f"It is made from the same files as {', '.join(sorted(twins))}, so it does the same. "
            "If you have edited one, save it and build again."
        )
    return answer.image_id


def _made_from(swarm: Swarm, source: str | None) -> set[str]:
    if not source:
        return set()
    filters = {"label": [f"{_SOURCE_LABEL}={source}"], "dangling": ["false"]}
    found = swarm.get("/images/json", filters=filters)
    return {name for image in found for name in image["RepoTags"] or ()}


def push(swarm: Swarm, image: str) -> None:
    """Push an image to its registry, as `docker image push IMAGE` does.

    Only ever done when asked for. Raises `LabError` with the registry's or Docker's
    words: the engine answers 200 and reports a refusal inside the stream that follows.
    """
    echo.command(["docker", "image", "push", image])
    repository, its_tag = _split(image)
    answer = _follow(
        swarm,
        lambda: swarm.client.api.push(repository, tag=its_tag, stream=True, decode=True),
        echo.say,
    )
    if answer.error:
        raise errors.LabError(
            f"the registry to take {image}.",
            "it was not pushed.",
            "log in (`docker login`) and use your own Docker ID (LABKIT_DOCKER_ID), or go on: "
            "a swarm of one node needs no registry.",
            docker_says=answer.error,
        )


# ---- dockercoins -------------------------------------------------------------------


def build_all(swarm: Swarm, docker_id: str, root: Path) -> list[str]:
    """Build the five images of dockercoins at `:1.0`, as `ensure` does."""
    return ensure(swarm, {name: root / each for each, name in names_of(docker_id).items()})


def ensure(swarm: Swarm, wanted: Mapping[str, Path]) -> list[str]:
    """Build images, by their names, from their folders; return what was done, in sentences.

    An image that was made from the same sources on the same base is left as it is, so a
    second call does nothing. Raises `BuildFailed`, `NotOurs` if a name is taken, or
    `LabError` without a base image.
    """
    base_id = inspect(swarm, base_image(swarm))["Id"]
    missing = [each for each in wanted if not is_current(swarm, wanted[each], each, base_id)]
    for each in missing:
        _require_free(swarm, each)
    if missing:
        echo.say(f"Building {', '.join(missing)} …")
    # two take two thirds of the time that they take one by one; more gain nothing on two cores
    jobs.each(lambda each: build(swarm, wanted[each], each, say=None), missing, 2)
    return [f"{each} built" for each in missing]


def names_of(docker_id: str) -> dict[str, str]:
    """Return the name of the image of each service of dockercoins, as it is shipped."""
    return {service: f"{docker_id}/dockercoins_{service}:{FIRST_TAG}" for service in SERVICES}


def is_current(swarm: Swarm, folder: Path, image: str, base_id: str) -> bool:
    """Whether an image was made from the files of a folder as they are, on that base image."""
    return source_of(swarm, image) == source_hash(folder, base_id)


def source_hash(folder: Path, base_id: str = "") -> str:
    """Return a hash of a folder's files and of the base image they are put on.

    Hidden files, Python's caches and kept versions do not count: they are not part of the image.
    Nor does the name of the base image in a Dockerfile: a learner's copy has another than what is
    shipped.
    """
    digest = sha256(base_id.encode())
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        hidden = any(part.startswith((".", "__pycache__")) for part in name.parts)
        if path.is_file() and not hidden and ".yours-" not in name.name:
            content = _BASE_LINE.sub(b"", path.read_bytes())
            digest.update(f"\n{name.as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]


def remove_images(swarm: Swarm, docker_id: str | None = None) -> list[str]:
    """Remove the images of a Docker ID; with the last, what all stand on.

    Without one, the learner's own, as far as this lab has built them: another lab on the same
    engine keeps its images, and so does somebody who built on one of ours and has inherited
    its label. What a container uses stays. Returns the names of what was removed.
    """
    prefix = f"{docker_id or settings.docker_id()}/dockercoins_"
    made = made_by_labkit(swarm)
    mine = sorted(name for name in made if docker_id or ownership.is_noted(made[name]))
    removed = [
        name for name in mine if name.startswith((prefix, "sha256:")) and _removed(swarm, name)
    ]
    left = sorted(made_by_labkit(swarm))
    if all(baseimage.is_one(name) for name in left):
        removed += [name for name in left if name in mine and _removed(swarm, name)]
    return removed


def made_by_labkit(swarm: Swarm) -> dict[str, str]:
    """Return the ids of the images that carry labkit's label, by their names (or else ids)."""
    made = swarm.get("/images/json", filters={"label": [settings.LAB_LABEL]})
    return {name: image["Id"] for image in made for name in _names(image)}


def _require_free(swarm: Swarm, image: str) -> None:
    labels = _labels(swarm, image)
    if labels is not None and settings.LAB_LABEL not in labels:
        raise errors.NotOurs(
            f"no image called {image}, or one that the lab has built.",
            f"there is one without the label {settings.LAB_LABEL}, and it would lose its name.",
            "give it another name with `docker image tag`, then `docker image rm` this one; "
            "or use another Docker ID (LABKIT_DOCKER_ID).",
        )


# ---- the base image ----------------------------------------------------------------


def base_image(swarm: Swarm, *, say: Say = echo.say) -> str:
    """Return the name of the Python image that dockercoins stands on, which the engine has.

    In this order: the official one or labkit's equivalent if the engine has it; the official one
    pulled; an equivalent made from the distribution's packages, in ten to twenty seconds. Raises
    `LabError` if none can be had.
    """
    if there := base_there(swarm):
        return there
    equivalent = baseimage.name()
    refusal = pull(swarm, baseimage.OFFICIAL, say=say)
    if not refusal:
        return baseimage.OFFICIAL
    reason = baseimage.why_not(swarm.info().get("Architecture", ""))
    if reason or not equivalent:
        raise errors.LabError(
            f"a Python image to build dockercoins on: {baseimage.OFFICIAL}, from a registry.",
            "it cannot be pulled" + (f", and none can be made here: {reason}." if reason else "."),
            "connect to a network with a registry, or load an image with Python 3.11 or newer into "
            f"the engine (`docker image load`), and tag it {baseimage.OFFICIAL}.",
            docker_says=refusal,
        )
    if say:
        say(f"No registry has {baseimage.OFFICIAL}: {refusal}")
        say(f"Making {equivalent} from this machine's package source (a few seconds).")
    baseimage.make(swarm.client.api, equivalent)
    ownership.note(str(inspect(swarm, equivalent)["Id"]))
    return equivalent


def base_there(swarm: Swarm) -> str:
    """Return the base image that the engine has already, and `""` if it has none of them."""
    wanted = (baseimage.OFFICIAL, baseimage.name())
    return next((image for image in wanted if image and has(swarm, image)), "")


def has(swarm: Swarm, image: str) -> bool:
    """Return whether the engine has an image of that name."""
    return _labels(swarm, image) is not None


def tags(swarm: Swarm, name: str) -> list[str]:
    """Return the tags under which the engine has an image of that name."""
    listed = swarm.get("/images/json", filters={"reference": [name]})
    named = (each for image in listed for each in _names(image) if each.startswith(f"{name}:"))
    return sorted(_split(each)[1] for each in named)


def inspect(swarm: Swarm, image: str) -> dict[str, Any]:
    """Return an image as the API has it. Raises `NotFound`."""
    return dict(swarm.get(f"/images/{image}/json"))


def _labels(swarm: Swarm, image: str) -> dict[str, str] | None:
    """Return the labels of an image, or `None` if there is none of that name."""
    try:
        return inspect(swarm, image)["Config"].get("Labels") or {}
    except errors.NotFound:
        return None


def pull(swarm: Swarm, image: str, *, say: Say = echo.say) -> str:
    """Pull an image, showing what the engine says; return its refusal, or `""`.

    The engine itself gives up on a registry that does not answer, after 15 s.
    """
    if say:
        echo.command(["docker", "image", "pull", image])
    repository, its_tag = _split(image)
    answer = _follow(
        swarm,
        lambda: swarm.client.api.pull(repository, tag=its_tag, stream=True, decode=True),
        say,
    )
    return answer.error


# ---- what the engine says ----------------------------------------------------------


@dataclass
class _Answer:
    lines: list[str] = field(default_factory=list)
    #: Docker's message, or `""` if all went well.
    error: str = ""
    #: The id of the image that was built.
    image_id: str = ""


def _follow(swarm: Swarm, start: Callable[[], Any], say: Say) -> _Answer:
    """Read an engine's stream to its end, showing each line as it comes.

    Raises `NoEngine` when the engine goes away in the middle.
    """
    # here, as all that only asks for images does without: 6 MB and 70 ms of a kernel
    import requests
    import urllib3
    from docker.errors import DockerException

    answer = _Answer()
    try:
        for line in _lines(start() or (), answer):
            answer.lines.append(line)
            if say:
                say(line)
    except DockerException as problem:
        answer.error = str(getattr(problem, "explanation", None) or problem)
    except (requests.RequestException, urllib3.exceptions.HTTPError) as problem:
        raise no_engine(swarm.url, problem) from None
    except OSError as problem:  # a file that is to be sent cannot be read
        answer.error = str(problem)
    return answer


def _lines(messages: Iterable[Mapping[str, Any]], answer: _Answer) -> Iterator[str]:
    """Yield whole lines; put an error and the image's id into `answer`."""
    begun = ""
    for message in messages:
        if "error" in message:
            answer.error = str(message["error"])
        answer.image_id = (message.get("aux") or {}).get("ID", answer.image_id)
        begun += _COLOUR.sub("", message.get("stream", ""))
        *whole, begun = begun.split("\n")
        yield from (line.rstrip() for line in whole if line.strip())
        # a message with `progressDetail` in it moves a bar, many times a second
        if message.get("status") and not message.get("progressDetail"):
            layer = f"{message['id']}: " if message.get("id") else ""
            yield layer + message["status"]
    if begun.strip():
        yield begun.rstrip()


def _build_failed(folder: Path, answer: _Answer, *, shown: bool) -> errors.BuildFailed:
    if not shown:
        for line in answer.lines:
            echo.say(line)
    steps = [line for line in answer.lines if line.startswith("Step ")]
    return errors.BuildFailed(
        f"every step of {folder / 'Dockerfile'} to succeed.",
        f"this step failed: {steps[-1]}" if steps else "the engine did not start the build.",
        "fix that line, or the file that it names, and build again.",
        docker_says=answer.error or "(the engine ended its answer without an image)",
    )


def _read_dockerfile(folder: Path) -> str:
    advice = "give the folder of a service, such as dockercoins/worker."
    with errors.expecting(f"a folder with a Dockerfile in it: {folder}.", advice):
        return (folder / "Dockerfile").read_text(encoding="utf-8")


def source_of(swarm: Swarm, image: str) -> str:
    """Return what `ensure` wrote on an image; `""` if it wrote nothing, or there is no image."""
    return (_labels(swarm, image) or {}).get(_SOURCE_LABEL, "")


def _names(image: Mapping[str, Any]) -> list[str]:
    names = [name for name in image["RepoTags"] or () if name != "<none>:<none>"]
    return names or [image["Id"]]


def _removed(swarm: Swarm, image: str) -> bool:
    try:
        swarm.delete(f"/images/{image}")
    except errors.EngineRefused as problem:
        if problem.status not in (404, 409):  # gone with another one, or in use
            raise
        return False
    return True


def _split(image: str) -> tuple[str, str]:
    """Return a name in the two parts in which the engine takes it: the second is a tag or digest.

    Without one the engine would pull and push every tag there is.
    """
    from docker.utils import parse_repository_tag

    repository, its_tag = parse_repository_tag(image)
    return repository, its_tag or "latest"
