"""Building an image, step by step, as the engine's classic builder does and says it.

What a step is made from, and the step, are an image's key: the same steps on the same
files give the image that they gave before, `Using cache`. RUN is not executed.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from labkit.references import Reference
from labkit.simulated.images import copying, dockerfile, documents, names, steps, trees, words
from labkit.simulated.images.dockerfile import Dockerfile, Instruction, Stage
from labkit.simulated.images.documents import Image
from labkit.simulated.images.problems import ImageProblem, StepFailed
from labkit.simulated.images.store import Images
from labkit.simulated.wire import stamp

#: A message of the stream that a build is.
Message = dict[str, Any]
T = TypeVar("T")
#: Messages, and what comes of it in the end.
Saying = Generator[Message, None, T]

_NOT_RUN = (
    "labkit: the simulated engine does not execute RUN; what this line would have installed "
    "must be on this machine already\n"
)
_MAKES_NO_CONTAINER = {"COPY", "ADD"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a build was asked for."""

    tags: tuple[Reference, ...] = ()
    build_args: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    target: str = ""
    use_cache: bool = True


def build(
    images: Images,
    file: Dockerfile,
    context: Path,
    options: Options,
    clock: Callable[[], int],
) -> Iterator[Message]:
    """Build, and yield what the engine says while it does.

    Raises `ImageProblem` before the first message if there is no stage of the name of
    `target`. What fails later is the last message: `{"error": …}`.
    """
    wanted = _wanted_stages(file, options.target)
    return _Build(images, file, wanted, context, options, clock).messages()


def _wanted_stages(file: Dockerfile, target: str) -> tuple[Stage, ...]:
    if not target:
        return file.stages
    found = [each.name for each in file.stages]
    if target.lower() in found:
        return file.stages[: found.index(target.lower()) + 1]
    if target.isdigit() and int(target) < len(file.stages):
        return file.stages[: int(target) + 1]
    raise ImageProblem(400, f"failed to reach build target {target} in Dockerfile")


class _Build:
    """One build on its way."""

    def __init__(
        self,
        images: Images,
        file: Dockerfile,
        stages: tuple[Stage, ...],
        context: Path,
        options: Options,
        clock: Callable[[], int],
    ) -> None:
        self._images = images
        self._file = file
        self._stages = stages
        self._context = context
        self._options = options
        self._clock = clock
        self._made: list[Image] = []
        self._step = 0
        self._before: dict[str, str] = {}
        self._used: set[str] = set()

    def messages(self) -> Iterator[Message]:
        """Yield the stream of the build."""
        try:
            yield from _warned(self._file)
            for instruction in self._file.arguments:
                yield from self._announced(instruction)
                self._take_argument(instruction)
            for stage in self._stages:
                yield from self._build_stage(stage)
            yield from self._finished()
        except ImageProblem as problem:
            yield {"errorDetail": {"message": problem.message}, "error": problem.message}

    def _announced(self, instruction: Instruction) -> Iterator[Message]:
        self._step += 1
        yield {"stream": f"Step {self._step}/{self._count} : {instruction.text}"}
        yield {"stream": "\n"}

    @property
    def _count(self) -> int:
        stages = sum(1 + len(stage.steps) for stage in self._stages)
        return len(self._file.arguments) + stages + len(self._options.labels)

    def _take_argument(self, instruction: Instruction) -> None:
        """Note an ARG that stands before the first FROM."""
        given = self._options.build_args
        state = steps.State(documents.new_config(), self._file.escape, given)
        state.arguments.update(self._before)
        steps.take(state, instruction)
        self._used |= state.arguments.keys()
        for name, value in state.arguments.items():
            if value is not None:
                self._before[name] = value

    # ---- stages --------------------------------------------------------------------

    def _build_stage(self, stage: Stage) -> Iterator[Message]:
        yield from self._announced(stage.base)
        image = yield from self._base(stage)
        config = image.config if image else documents.new_config()
        config["Image"] = image.id if image else ""
        state = steps.State(config, self._file.escape, self._options.build_args, self._before)
        image = yield from self._triggers(state, image)
        yield {"stream": f" ---> {image.short_id if image else ''}\n"}
        for instruction in [*stage.steps, *self._label_steps(stage)]:
            yield from self._announced(instruction)
            image = yield from self._taken(state, instruction, image)
            yield {"stream": f" ---> {image.short_id}\n"}
        self._used |= state.arguments.keys()
        if image is None:
            raise StepFailed("No image was generated. Is your Dockerfile empty?")
        self._made.append(image)
        yield {"aux": {"ID": image.id}}

    def _label_steps(self, stage: Stage) -> list[Instruction]:
        """The labels that the build was asked for are steps of the last stage."""
        if stage is not self._stages[-1]:
            return []
        return [
            Instruction(
                0, "LABEL", f"LABEL {key}={value}", "", pairs=((key, value),), is_literal=True
            )
            for key, value in sorted(self._options.labels.items())
        ]

    def _base(self, stage: Stage) -> Saying[Image | None]:
        """Return the image that a stage begins with; `None` for scratch."""
        written = stage.base.arguments[0]
        name = words.expand(written, self._before, self._file.escape)
        if not name:
            raise StepFailed(f"base name ({written}) should not be blank")
        if name == "scratch":
            return None
        return (yield from self._stage_or_image(name))

    def _stage_or_image(self, name: str) -> Saying[Image]:
        earlier = {each.name: at for at, each in enumerate(self._stages[: len(self._made)])}
        if name.lower() in earlier:
            return self._made[earlier[name.lower()]]
        try:
            return self._images.find(name)
        except ImageProblem as problem:
            if problem.status != 404:
                raise
        reference = names.tagged(names.parse(name))
        yield from pulled(self._images, reference, self._clock())
        return self._images.find(name)

    def _triggers(self, state: steps.State, image: Image | None) -> Saying[Image | None]:
        """Take the steps that the base image's ONBUILD left for this one."""
        triggers = state.config["OnBuild"] or ()
        state.config["OnBuild"] = None
        if triggers:
            plural = "s" if len(triggers) > 1 else ""
            yield {"stream": f"# Executing {len(triggers)} build trigger{plural}\n"}
        for trigger in triggers:
            instruction = dockerfile.read_line(trigger, self._file.escape)
            image = yield from self._taken(state, instruction, image)
        return image

    # ---- steps ---------------------------------------------------------------------

    def _taken(
        self, state: steps.State, instruction: Instruction, parent: Image | None
    ) -> Saying[Image]:
        """Take a step; return the image that it makes."""
        layer = None
        if instruction.name in _MAKES_NO_CONTAINER:
            with TemporaryDirectory() as scratch:
                copied, noted = yield from self._copied(state, instruction, parent, Path(scratch))
                cached = self._cached(state, noted, parent)
                layer = None if cached else self._images.pack_layer(copied.entries)
        else:
            noted = steps.take(state, instruction)
            yield from ({"stream": note} for note in state.notes)
            cached = self._cached(state, noted, parent)
        if cached:
            yield {"stream": " ---> Using cache\n"}
            image = cached
        else:
            if instruction.name == "WORKDIR":
                layer = self._folder_layer(state, parent)
            yield from _container(instruction)
            image = self._commit(state, noted, parent, layer)
        state.config["Image"] = image.id
        return image

    def _copied(
        self,
        state: steps.State,
        instruction: Instruction,
        parent: Image | None,
        scratch: Path,
    ) -> Saying[tuple[copying.Copied, list[str]]]:
        """Return the files of a COPY or ADD, and what the history notes."""
        if "chmod" in instruction.flags:
            raise StepFailed(
                "the --chmod option requires BuildKit. Refer to "
                "https://docs.docker.com/go/buildkit/ to learn how to build images with "
                "BuildKit enabled"
            )
        *sources, destination = [state.expand(each) for each in instruction.arguments]
        source = instruction.flags.get("from", "")
        root = (yield from self._files_of(source)) if source else self._context
        copy = copying.Copy(
            instruction.name,
            tuple(sources),
            destination,
            state.config["WorkingDir"],
            root,
            from_context=not source,
        )
        layers = parent.layers if parent else ()
        copied = copying.collect(copy, lambda path: self._images.has_folder(layers, path), scratch)
        owner = f"--chown={instruction.flags['chown']}" if "chown" in instruction.flags else ""
        text = f"{instruction.name} {owner}{copied.content} in {destination} "
        return copied, state.nop(text, blanks=1)

    def _files_of(self, source: str) -> Saying[Path]:
        """Return the files of an earlier stage, or of an image."""
        if source.isdigit():
            if int(source) >= len(self._made):
                raise StepFailed(f"invalid from flag value {source}: index out of bounds")
            return self._images.files(self._made[int(source)])
        try:
            image = yield from self._stage_or_image(source)
        except ImageProblem as problem:
            raise StepFailed(f"invalid from flag value {source}: {problem.message}") from None
        return self._images.files(image)

    def _folder_layer(self, state: steps.State, parent: Image | None) -> str | None:
        """The folder that WORKDIR makes, if there is none yet."""
        layers = parent.layers if parent else ()
        path = state.config["WorkingDir"].strip("/")
        parts = path.split("/")
        missing = [
            "/".join(parts[:count])
            for count in range(1, len(parts) + 1)
            if not self._images.has_folder(layers, "/".join(parts[:count]))
        ]
        return self._images.pack_layer([trees.Entry(name) for name in missing]) if missing else None

    def _cached(self, state: steps.State, noted: list[str], parent: Image | None) -> Image | None:
        """Return what the same step on the same image has made before."""
        if not self._options.use_cache:
            return None
        found = (
            child
            for child in self._images.children_of(parent.id if parent else "")
            if child.container_config.get("Cmd") == noted and child.config == state.config
        )
        return next(found, None)

    def _commit(
        self, state: steps.State, noted: list[str], parent: Image | None, layer: str | None
    ) -> Image:
        now = self._clock()
        layers = parent.layers if parent else ()
        history = tuple(parent.history) if parent else ()
        created_by = " ".join(noted)
        document = documents.new(
            state.config,
            (*layers, layer) if layer else layers,
            (*history, documents.event(now, created_by, empty=layer is None)),
            stamp(now),
            container=secrets.token_hex(32),
            container_config={**state.config, "Cmd": noted},
            docker_version="20.10.24",
        )
        return self._images.add(document, parent.id if parent else "")

    # ---- the end -------------------------------------------------------------------

    def _finished(self) -> Iterator[Message]:
        unused = sorted(self._options.build_args.keys() - self._used - steps.PREDEFINED)
        if unused:
            yield {
                "stream": "[Warning] One or more build-args "
                f"[{' '.join(unused)}] were not consumed\n"
            }
        if not self._made:
            raise StepFailed("No image was generated. Is your Dockerfile empty?")
        image = self._made[-1]
        yield {"stream": f"Successfully built {image.short_id}\n"}
        for name in self._options.tags:
            self._images.tag(image, name, self._clock())
            yield {"stream": f"Successfully tagged {name}\n"}


def _warned(file: Dockerfile) -> Iterator[Message]:
    if file.warnings:
        text = "\n".join(file.warnings)
        text += "\n[WARNING]: Empty continuation lines will become errors in a future release.\n"
        yield {"stream": f"\x1b[91m{text}\x1b[0m"}


def _container(instruction: Instruction) -> Iterator[Message]:
    """What is said of the container that a step other than COPY is taken in."""
    if instruction.name in _MAKES_NO_CONTAINER:
        return
    container = secrets.token_hex(6)
    yield {"stream": f" ---> Running in {container}\n"}
    if instruction.name == "RUN":
        yield {"stream": _NOT_RUN}
    yield {"stream": f"Removing intermediate container {container}\n"}


def pulled(images: Images, name: Reference, now: int) -> Iterator[Message]:
    """Pull an image, and yield what the engine says. Raises `ImageProblem`."""
    before = images.named(name)
    image, manifest = images.pull(name, now)
    path = names.written_out(name).partition("/")[2]
    yield {"status": f"Pulling from {path}", "id": name.tag or name.digest}
    if before is not image:
        layers = [layer.removeprefix("sha256:")[:12] for layer in image.layers]
        for status in ("Pulling fs layer", "Download complete", "Pull complete"):
            for layer in layers:
                yield {"status": status, "progressDetail": {}, "id": layer}
    yield {"status": f"Digest: {manifest.digest}"}
    what = "Image is up to date for" if before is image else "Downloaded newer image for"
    yield {"status": f"Status: {what} {name}"}
