"""What can go wrong, as sentences a learner can act on.

    LabError
    ├── NoEngine            nothing answers where an engine should be
    ├── NotAManager         the engine answers, but is not a swarm manager
    ├── EngineRefused       the engine answered with an error
    │   ├── NotFound        … that the thing named does not exist
    │   └── OutOfSequence   … that the service changed in the meantime
    ├── NotOurs             labkit did not make it, so labkit does not touch it
    ├── BadValue            a value that Swarm, or Go, would refuse; also a ValueError
    ├── BadComposeFile      a compose file with mistakes; nothing was changed
    ├── BuildFailed         a step of a Dockerfile failed
    ├── RecordingProblem    a file is not a recording, or cannot be written
    └── NotSettled          the time is up and the service still moves

Every one of them says three things: what was expected, what was found, and what to
do about it. Docker's own words are kept whole in `docker_says`: a learner will meet
them again without labkit.
"""

from collections.abc import Iterator
from contextlib import contextmanager


class LabError(Exception):
    """Something labkit cannot do, with what was expected, what is, and what to do.

    `expected`, `found` and `try_next` are whole sentences. `docker_says` is the
    engine's message, never paraphrased, or `""` where no engine was involved.
    """

    def __init__(
        self, expected: str, found: str, try_next: str = "", *, docker_says: str = ""
    ) -> None:
        super().__init__(expected, found, try_next)
        self.expected = expected
        self.found = found
        self.try_next = try_next
        self.docker_says = docker_says

    def __str__(self) -> str:
        lines = [f"Expected: {self.expected}", f"Found:    {self.found}"]
        if self.docker_says:
            lines.append(f"Docker:   {self.docker_says}")
        if self.try_next:
            lines.append(f"Try:      {self.try_next}")
        return "\n".join(lines)

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback: the sentences, and nothing else."""
        return [f"{type(self).__name__}", *str(self).splitlines()]


def refused(problem: OSError | ValueError) -> str:
    """Return why the machine refused a file, without Python's number and quotes."""
    return (problem.strerror if isinstance(problem, OSError) else None) or str(problem)


class NoEngine(LabError):
    """Nothing answers where a Docker engine should be."""


class NotAManager(LabError):
    """The engine answers, but it is not a swarm manager."""


class EngineRefused(LabError):
    """The engine answered with an error. `status` is the HTTP status code."""

    def __init__(
        self, expected: str, found: str, try_next: str = "", *, docker_says: str, status: int
    ) -> None:
        super().__init__(expected, found, try_next, docker_says=docker_says)
        self.status = status


class NotFound(EngineRefused):
    """The engine knows nothing of that name."""


class OutOfSequence(EngineRefused):
    """The object changed between reading it and writing it back."""


class NotOurs(LabError):
    """Somebody else made it, so labkit leaves it alone."""


class BadValue(LabError, ValueError):
    """A value that Swarm would refuse. One sentence says what is wanted and what was given."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, "")

    def __str__(self) -> str:
        return self.expected


class BadComposeFile(LabError):
    """A compose file with mistakes in it. Nothing was changed.

    `problems` holds `(path, what)` pairs, such as
    `("services.worker.deploy.replicas", "…")`.
    """

    def __init__(self, file: str, problems: list[tuple[str, str]]) -> None:
        listed = "\n          ".join(f"{path}: {what}" if path else what for path, what in problems)
        super().__init__(
            f"{file} to be a compose file that `docker stack deploy` accepts.",
            listed,
            "Fix the file and deploy again. Nothing was changed.",
        )
        self.file = file
        self.problems = problems


class BuildFailed(LabError):
    """A step of a Dockerfile failed."""


class RecordingProblem(LabError):
    """A file that is not a recording, is of another schema, or cannot be written."""


class NotSettled(LabError):
    """The time is up and the service has not reached the state that was waited for."""


@contextmanager
def expecting(expected: str, try_next: str, kind: type[LabError] = LabError) -> Iterator[None]:
    """Raise a `LabError` where the machine refuses what is done inside of a `with`.

    A `ValueError` counts, too: it is for a path that cannot be, or a file that is not text.
    """
    try:
        yield
    except (OSError, ValueError) as problem:
        raise kind(expected, f"{refused(problem)}.", try_next) from None
