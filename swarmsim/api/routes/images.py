"""Images over the Engine API: build, list, inspect, tag, remove, pull, push, save and load."""

import tarfile
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from swarmsim.api.asking import filters_of
from swarmsim.api.http import Answer, Call, Routes
from swarmsim.api.routes.always import answered
from swarmsim.engine.engine import Engine
from swarmsim.go import gojson, references
from swarmsim.go.errors import ApiError
from swarmsim.go.filters import Filters
from swarmsim.go.gojson.shapes import read
from swarmsim.go.references import Reference
from swarmsim.images import Image, listing, pulling, registry, removing, trees
from swarmsim.images.build import building, dockerfile
from swarmsim.images.store import Images

routes = Routes()

#: Bytes of a Dockerfile that are read.
_LARGEST_DOCKERFILE = 1024 * 1024


# ---- looking -----------------------------------------------------------------------


@routes.get("/images/json")
async def list_images(call: Call) -> Answer:
    """`docker images`."""
    filters = Filters.parse(call.query.get("filters", ""))
    return Answer(rows(call.engine, filters, everything=call.flag("all")))


def rows(engine: Engine, filters: Filters, *, everything: bool = False) -> list[dict[str, Any]]:
    """Images, and how many containers use each of them."""
    used = Counter(engine.image_id(it.task.image) for it in engine.containers)
    found = listing.listed(engine.images, filters, everything=everything)
    return [row | {"Containers": used[row["Id"]]} for row in found]


@routes.get("/images/{name:path}/json")
async def inspect(call: Call) -> Answer:
    """`docker image inspect`."""
    images = call.engine.images
    try:
        return Answer(listing.inspected(images, images.find(call.path["name"])))
    except ApiError as problem:
        message = f"no such image: {call.path['name']}: {problem.message}"
        raise ApiError(problem.status, message) from None


@routes.get("/images/{name:path}/history")
async def history(call: Call) -> Answer:
    """`docker history`."""
    image = call.engine.images.find(call.path["name"])
    return Answer(listing.history(call.engine.images, image))


@routes.get("/distribution/{name:path}/json")
async def distribution(call: Call) -> Answer:
    """What the registry says of a name: its digest, if it was pushed from here."""
    return Answer(listing.distribution(call.engine.images, call.path["name"]))


# ---- names -------------------------------------------------------------------------


@routes.post("/images/{name:path}/tag")
async def tag(call: Call) -> Answer:
    """`docker tag`."""
    images = call.engine.images
    image = images.find(call.path["name"])
    name = references.read(call.query.get("repo", ""), call.query.get("tag", ""), status=500)
    images.tag(image, name)
    _tell(call, "tag", image.id, {"name": str(name)}, image)
    return Answer(status=201)


@routes.delete("/images/{name:path}")
async def remove(call: Call) -> Answer:
    """`docker rmi`."""
    named = _by_name(call.engine.images)
    records = removing.remove(
        call.engine.images,
        call.path["name"],
        call.engine.runtime.users_of,
        force=call.flag("force"),
        prune=not call.flag("noprune"),
    )
    _tell_removed(call, records, named)
    return Answer(records)


@routes.post("/images/prune")
async def prune(call: Call) -> Answer:
    """`docker image prune`."""
    images = call.engine.images
    filters = filters_of(call, "dangling", "label")
    before, named = images.bytes_on_disk(), _by_name(images)
    records = removing.remove_unused(images, call.engine.runtime.users_of, filters)
    _tell_removed(call, records, named)
    freed = before - images.bytes_on_disk()
    return Answer({"ImagesDeleted": records or None, "SpaceReclaimed": freed})


# ---- registry ----------------------------------------------------------------------


@routes.post("/images/create")
async def create(call: Call) -> None:
    """`docker pull`; `docker import` is refused."""
    if "fromSrc" in call.query:
        await answered(call, "POST /images/load")
    images = call.engine.images
    name = references.read(call.query.get("fromImage", ""), call.query.get("tag", ""))
    messages = list(pulling.pulled(images, name))
    _tell(call, "pull", str(name), {"name": name.name}, images.named(name))
    await _stream(call, messages)


_WHERETO = "it goes to the registry inside of the engine; nothing leaves this machine"


@routes.post("/images/{name:path}/push")
async def push(call: Call) -> None:
    """`docker push`: to what stands in for the registry, which asks for no login.

    (Docker 20.10 refuses a push without X-Registry-Auth, which docker-py sends only for
    somebody who is logged in; newer engines do not.)
    """
    images = call.engine.images
    name = references.read(call.path["name"], call.query.get("tag", ""))
    messages: list[pulling.Message] = [
        {"status": f"The push refers to repository [{name.domain}/{name.path}]"},
        {"status": f"{pulling.ENGINE}: {_WHERETO}"},
    ]
    try:
        manifest = images.push(name)
    except ApiError as problem:
        messages.append(pulling.failure(problem.message))
    else:
        image = images.images[manifest.image]
        messages += _pushed(image, name, manifest)
        _tell(call, "push", str(name), {"name": name.name}, image)
    await _stream(call, messages)


def _pushed(image: Image, name: Reference, manifest: registry.Manifest) -> list[pulling.Message]:
    layers = [link.removeprefix("sha256:")[:12] for link in reversed(image.chain)]
    said: list[pulling.Message] = [
        {"status": status, "progressDetail": {}, "id": layer}
        for status in ("Preparing", "Pushed")
        for layer in layers
    ]
    said.append({"status": f"{name.tag}: digest: {manifest.digest} size: {manifest.size}"})
    aux = {"Tag": name.tag, "Digest": manifest.digest, "Size": manifest.size}
    return [*said, {"progressDetail": {}, "aux": aux}]


# ---- build -------------------------------------------------------------------------


@routes.post("/build")
async def build(call: Call) -> None:
    """`docker build`, with the classic builder."""
    if call.query.get("version", "1") != "1":
        raise ApiError(400, "the simulated engine has the classic builder only (version=1)")
    if call.query.get("remote"):
        raise ApiError(400, "the simulated engine builds only what is sent to it")
    if call.query.get("target"):
        raise ApiError(
            400, "the simulated engine builds single-stage Dockerfiles only: it takes no target"
        )
    options = _options(call)
    async with _received(call) as archive:
        context = archive.parent / "context"
        _unpacked(archive, context)
        file = dockerfile.read(*_dockerfile(context, call.query.get("dockerfile", "")))
        build = building.Build(call.engine.images, file, context, options, lambda: call.engine.now)
        await _build_stream(call, build.messages(), quiet=call.flag("q"))
    for name in options.tags:
        if image := call.engine.images.named(name):
            _tell(call, "tag", image.id, {"name": str(name)}, image)


def _options(call: Call) -> building.Options:
    tags = [references.read(text, status=500) for text in call.queries.get("t", ()) if text]
    return building.Options(
        tags=tuple(dict.fromkeys(tags)),
        build_args=_texts(call, "buildargs", "error reading build args"),
        labels=_texts(call, "labels", "error reading labels"),
        use_cache=not call.flag("nocache"),
    )


def _texts(call: Call, name: str, what: str) -> dict[str, str]:
    """Read a query parameter that is a JSON object of strings; those that are null are left out."""
    text = call.query.get(name, "")
    if not text:
        return {}
    try:
        found = read(gojson.loads(text), "map[string]*string")
    except ApiError as problem:
        raise ApiError(400, f"{what}: {problem.message}") from None
    return {key: value for key, value in found.items() if value is not None}


def _dockerfile(context: Path, wanted: str) -> tuple[str, str]:
    """Return a Dockerfile's text and its name."""
    name = wanted or "Dockerfile"
    path = trees.within(context, name)
    if not wanted and not path.is_file() and (context / "dockerfile").is_file():
        path = context / "dockerfile"
    if not path.is_file():
        raise ApiError(500, f"Cannot locate specified Dockerfile: {name}")
    with path.open("rb") as file:
        return file.read(_LARGEST_DOCKERFILE).decode("utf-8", "replace"), name


def _unpacked(archive: Path, folder: Path) -> None:
    """Unpack what was sent."""
    folder.mkdir()
    if archive.stat().st_size:
        try:
            with tarfile.open(archive) as opened:
                trees.unpack(opened, folder)
        except (tarfile.TarError, EOFError, OSError) as problem:
            message = "unexpected EOF" if isinstance(problem, tarfile.ReadError) else str(problem)
            raise ApiError(500, message) from None


async def _build_stream(call: Call, messages: Iterator[pulling.Message], *, quiet: bool) -> None:
    """Send what a build says; of a quiet one that succeeds only the id."""
    said = []
    if not quiet:
        await call.stream("application/json")
    for message in messages:
        said.append(message)
        if not quiet:
            await _write(call, message)
            await call.wait(
                call.engine.now
            )  # so that one long build does not hold up everybody else
    if quiet:
        ids = [message["aux"]["ID"] for message in said if "aux" in message]
        failed = "error" in said[-1]
        await _stream(call, said if failed else [{"stream": f"{ids[-1]}\n"}])


# ---- small words -------------------------------------------------------------------


@asynccontextmanager
async def _received(call: Call) -> AsyncIterator[Path]:
    """The body in a file of a folder of its own, which is gone afterwards."""
    with TemporaryDirectory(dir=call.engine.images.folder) as folder:
        path = Path(folder) / "body"
        with path.open("wb") as file:
            async for chunk in call.chunks():
                file.write(chunk)
        call.engine.catch_up()
        yield path


async def _stream(call: Call, messages: Iterable[pulling.Message]) -> None:
    await call.stream("application/json")
    for message in messages:
        await _write(call, message)


async def _write(call: Call, message: pulling.Message) -> None:
    await call.write(gojson.dumps(message) + b"\r\n")


def _by_name(images: Images) -> dict[str, Image]:
    return {name: it for it in images.images.values() for name in images.names_of(it)}


def _tell(
    call: Call, action: str, about: str, attributes: dict[str, Any], image: Image | None
) -> None:
    labels = dict(image.labels) if image else {}
    call.engine.publish("image", action, about, {**labels, **attributes}, "local")


def _tell_removed(call: Call, records: list[removing.Record], named: Mapping[str, Image]) -> None:
    """Say what is gone; of a name that an image had, the events give the image's id."""
    for record in records:
        if "Untagged" in record:
            image = named[record["Untagged"]]
            _tell(call, "untag", image.id, {"name": image.id}, image)
        else:
            _tell(call, "delete", record["Deleted"], {"name": record["Deleted"]}, None)
