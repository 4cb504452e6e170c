"""Building an image, step by step, as the engine's classic builder does and says it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from swarmsim.go.errors import ApiError
from swarmsim.go.references import Reference
from swarmsim.images import documents
from swarmsim.images.build import steps, words
from swarmsim.images.build.dockerfile import Dockerfile, Instruction
from swarmsim.images.build.taking import Steps
from swarmsim.images.build.words import StepFailed
from swarmsim.images.documents import Image
from swarmsim.images.pulling import Message, Saying, failure
from swarmsim.images.store import Images


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a build was asked for."""

    tags: tuple[Reference, ...] = ()
    build_args: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    use_cache: bool = True


@dataclass(slots=True)
class Build:
    """One build, while it runs."""

    images: Images
    file: Dockerfile
    context: Path
    options: Options
    clock: Callable[[], int]
    _steps: Steps = field(init=False)
    _number: int = 0
    #: What ARGs before the FROM say, and which arguments any ARG has named.
    _before: dict[str, str] = field(default_factory=dict)
    _used: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Get ready for the first step."""
        use_cache = self.options.use_cache
        self._steps = Steps(self.images, self.context, self.clock, use_cache)

    def messages(self) -> Iterator[Message]:
        """Build, and yield what the engine says; a failure is the last message: `{"error": …}`."""
        try:
            for instruction in self.file.arguments:
                yield from self._announced(instruction)
                self._take_argument(instruction)
            image = yield from self._built()
            yield from self._finished(image)
        except ApiError as problem:
            yield failure(problem.message)

    def _announced(self, instruction: Instruction) -> Iterator[Message]:
        self._number += 1
        yield {"stream": f"Step {self._number}/{self._count} : {instruction.text}"}
        yield {"stream": "\n"}

    @property
    def _count(self) -> int:
        file = self.file
        return len(file.arguments) + 1 + len(file.steps) + len(self.options.labels)

    def _take_argument(self, instruction: Instruction) -> None:
        """Note an ARG that stands before the FROM."""
        given = self.options.build_args
        state = steps.State(documents.new_config(), given)
        state.arguments.update(self._before)
        steps.take(state, instruction)
        self._used |= state.arguments.keys()
        for name, value in state.arguments.items():
            if value is not None:
                self._before[name] = value

    # ---- from the base on ------------------------------------------------------------

    def _built(self) -> Saying[Image]:
        yield from self._announced(self.file.base)
        image = yield from self._base()
        config = image.config if image else documents.new_config()
        config["Image"] = image.id if image else ""
        state = steps.State(config, self.options.build_args, self._before)
        yield {"stream": f" ---> {image.short_id if image else ''}\n"}
        for instruction in [*self.file.steps, *self._label_steps()]:
            yield from self._announced(instruction)
            image = yield from self._steps.take(state, instruction, image)
            yield {"stream": f" ---> {image.short_id}\n"}
        self._used |= state.arguments.keys()
        if image is None:
            raise StepFailed("No image was generated. Is your Dockerfile empty?")
        yield {"aux": {"ID": image.id}}
        return image

    def _label_steps(self) -> list[Instruction]:
        """The labels that the build was asked for are the last steps."""
        return [
            Instruction(
                0, "LABEL", f"LABEL {key}={value}", "", pairs=((key, value),), is_literal=True
            )
            for key, value in sorted(self.options.labels.items())
        ]

    def _base(self) -> Saying[Image | None]:
        """Return the image that the build begins with; `None` for scratch."""
        written = self.file.base.arguments[0]
        name = words.expand(written, self._before)
        if not name:
            raise StepFailed(f"base name ({written}) should not be blank")
        if name == "scratch":
            return None
        return (yield from self._steps.base(name))

    # ---- the end -------------------------------------------------------------------

    def _finished(self, image: Image) -> Iterator[Message]:
        unused = sorted(self.options.build_args.keys() - self._used - steps.PREDEFINED)
        if unused:
            yield {
                "stream": "[Warning] One or more build-args "
                f"[{' '.join(unused)}] were not consumed\n"
            }
        yield {"stream": f"Successfully built {image.short_id}\n"}
        for name in self.options.tags:
            self.images.tag(image, name)
            yield {"stream": f"Successfully tagged {name}\n"}
