"""Building an image, stage by stage, as the engine's classic builder does and says it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from swarmsim.go.errors import ApiError
from swarmsim.go.references import Reference
from swarmsim.images import documents
from swarmsim.images.build import steps, words
from swarmsim.images.build.dockerfile import Dockerfile, Instruction, Stage
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
    target: str = ""
    use_cache: bool = True


@dataclass(slots=True)
class Build:
    """One build on its way.

    Raises `ApiError` if no stage is called `target`.
    """

    images: Images
    file: Dockerfile
    context: Path
    options: Options
    clock: Callable[[], int]
    _stages: tuple[Stage, ...] = field(init=False)
    _steps: Steps = field(init=False)
    _number: int = 0
    #: What ARGs before the first FROM say, and which arguments any ARG has named.
    _before: dict[str, str] = field(default_factory=dict)
    _used: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Find the stages that are wanted."""
        self._stages = _wanted_stages(self.file, self.options.target)
        use_cache = self.options.use_cache
        self._steps = Steps(self.images, self.context, self.clock, use_cache)

    def messages(self) -> Iterator[Message]:
        """Build, and yield what the engine says; a failure is the last message: `{"error": …}`."""
        try:
            for instruction in self.file.arguments:
                yield from self._announced(instruction)
                self._take_argument(instruction)
            for stage in self._stages:
                yield from self._build_stage(stage)
            yield from self._finished()
        except ApiError as problem:
            yield failure(problem.message)

    def _announced(self, instruction: Instruction) -> Iterator[Message]:
        self._number += 1
        yield {"stream": f"Step {self._number}/{self._count} : {instruction.text}"}
        yield {"stream": "\n"}

    @property
    def _count(self) -> int:
        stages = sum(1 + len(stage.steps) for stage in self._stages)
        return len(self.file.arguments) + stages + len(self.options.labels)

    def _take_argument(self, instruction: Instruction) -> None:
        """Note an ARG that stands before the first FROM."""
        given = self.options.build_args
        state = steps.State(documents.new_config(), given)
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
        state = steps.State(config, self.options.build_args, self._before)
        yield {"stream": f" ---> {image.short_id if image else ''}\n"}
        for instruction in [*stage.steps, *self._label_steps(stage)]:
            yield from self._announced(instruction)
            image = yield from self._steps.take(state, instruction, image)
            yield {"stream": f" ---> {image.short_id}\n"}
        self._used |= state.arguments.keys()
        if image is None:
            raise StepFailed("No image was generated. Is your Dockerfile empty?")
        self._steps.made.append((stage.name, image))
        yield {"aux": {"ID": image.id}}

    def _label_steps(self, stage: Stage) -> list[Instruction]:
        """The labels that the build was asked for are steps of the last stage."""
        if stage is not self._stages[-1]:
            return []
        return [
            Instruction(
                0, "LABEL", f"LABEL {key}={value}", "", pairs=((key, value),), is_literal=True
            )
            for key, value in sorted(self.options.labels.items())
        ]

    def _base(self, stage: Stage) -> Saying[Image | None]:
        """Return the image that a stage begins with; `None` for scratch."""
        written = stage.base.arguments[0]
        name = words.expand(written, self._before)
        if not name:
            raise StepFailed(f"base name ({written}) should not be blank")
        if name == "scratch":
            return None
        return (yield from self._steps.image_named(name))

    # ---- the end -------------------------------------------------------------------

    def _finished(self) -> Iterator[Message]:
        unused = sorted(self.options.build_args.keys() - self._used - steps.PREDEFINED)
        if unused:
            yield {
                "stream": "[Warning] One or more build-args "
                f"[{' '.join(unused)}] were not consumed\n"
            }
        if not self._steps.made:
            raise StepFailed("No image was generated. Is your Dockerfile empty?")
        _, image = self._steps.made[-1]
        yield {"stream": f"Successfully built {image.short_id}\n"}
        for name in self.options.tags:
            self.images.tag(image, name, self.clock())
            yield {"stream": f"Successfully tagged {name}\n"}


def _wanted_stages(file: Dockerfile, target: str) -> tuple[Stage, ...]:
    if not target:
        return file.stages
    found = [each.name for each in file.stages]
    if target.lower() in found:
        return file.stages[: found.index(target.lower()) + 1]
    if target.isdigit() and int(target) < len(file.stages):
        return file.stages[: int(target) + 1]
    raise ApiError(400, f"failed to reach build target {target} in Dockerfile")
