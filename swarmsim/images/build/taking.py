"""One step of a build: from an image and an instruction to the next image.

What a step is made from, and the step, are an image's key: the same steps on the same
files give the image that they gave before, `Using cache`. RUN is not executed.
"""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from swarmsim.go import references
from swarmsim.go.errors import ApiError
from swarmsim.go.times import stamp
from swarmsim.images import documents, trees
from swarmsim.images.build import copying, steps
from swarmsim.images.build.dockerfile import Instruction
from swarmsim.images.build.words import StepFailed
from swarmsim.images.documents import Image
from swarmsim.images.pulling import Message, Saying, pulled
from swarmsim.images.store import Images

_NOT_RUN = (
    "swarmsim: the simulated engine does not execute RUN; what this line would have installed "
    "must be on this machine already\n"
)
_MAKES_NO_CONTAINER = {"COPY", "ADD"}


@dataclass(slots=True)
class Steps:
    """Takes the steps of one build."""

    images: Images
    context: Path
    clock: Callable[[], int]
    use_cache: bool

    def base(self, name: str) -> Saying[Image]:
        """Return the image of a name, which may be pulled."""
        try:
            return self.images.find(name)
        except ApiError as problem:
            if problem.status != 404:
                raise
        reference = references.read(name)
        yield from pulled(self.images, reference)
        return self.images.find(name)

    def take(
        self, state: steps.State, instruction: Instruction, parent: Image | None
    ) -> Saying[Image]:
        """Take a step; return the image that it makes."""
        layer = None
        if instruction.name in _MAKES_NO_CONTAINER:
            copied, noted = self._copied(state, instruction, parent)
            cached = self._cached(state, noted, parent)
            layer = None if cached else self.images.pack_layer(copied)
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
        self, state: steps.State, instruction: Instruction, parent: Image | None
    ) -> tuple[list[trees.Entry], list[str]]:
        """Return the files of a COPY or ADD, and what the history notes."""
        if "chmod" in instruction.flags:
            raise StepFailed(
                "the --chmod option requires BuildKit. Refer to "
                "https://docs.docker.com/go/buildkit/ to learn how to build images with "
                "BuildKit enabled"
            )
        *sources, destination = [state.expand(each) for each in instruction.arguments]
        working_dir = state.config["WorkingDir"]
        copy = copying.Copy(
            instruction.name, tuple(sources), destination, working_dir, self.context
        )
        layers = parent.layers if parent else ()
        found, content = copying.collect(copy, lambda path: self.images.has_folder(layers, path))
        owner = f"--chown={instruction.flags['chown']}" if "chown" in instruction.flags else ""
        return found, [f"{instruction.name} {owner}{content} in {destination}"]

    def _folder_layer(self, state: steps.State, parent: Image | None) -> str | None:
        """The folder that WORKDIR makes, if there is none yet."""
        layers = parent.layers if parent else ()
        path = PurePosixPath(state.config["WorkingDir"].strip("/"))
        folders = [str(each) for each in (*reversed(path.parents), path)]
        missing = [each for each in folders if not self.images.has_folder(layers, each)]
        return self.images.pack_layer([trees.Entry(name) for name in missing]) if missing else None

    def _cached(self, state: steps.State, noted: list[str], parent: Image | None) -> Image | None:
        """Return what the same step on the same image has made before."""
        if not self.use_cache:
            return None
        found = (
            child
            for child in self.images.children_of(parent.id if parent else "")
            if child.container_config.get("Cmd") == noted and child.config == state.config
        )
        return next(found, None)

    def _commit(
        self, state: steps.State, noted: list[str], parent: Image | None, layer: str | None
    ) -> Image:
        now = self.clock()
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
        return self.images.add(documents.encoded(document), parent.id if parent else "")


def _container(instruction: Instruction) -> Iterator[Message]:
    """What is said of the container that a step other than COPY is taken in."""
    if instruction.name in _MAKES_NO_CONTAINER:
        return
    container = secrets.token_hex(6)
    yield {"stream": f" ---> Running in {container}\n"}
    if instruction.name == "RUN":
        yield {"stream": _NOT_RUN}
    yield {"stream": f"Removing intermediate container {container}\n"}
