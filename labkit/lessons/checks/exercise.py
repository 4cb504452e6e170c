"""An exercise: what is asked for, where it begins, and what tells whether it is done. Pure.

A judge reads evidence, never a learner's source: whichever way led there counts, the
docker command line in a terminal too.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, cast

from labkit.base import rules
from labkit.base.rules import Facts, words
from labkit.lessons.checks import content
from labkit.lessons.checks.attempts import Attempt, attempts
from labkit.lessons.checks.finding import Finding, Outcome
from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import ServiceSeen
from labkit.recordings.values import Service

#: So long after a write an update may be about to begin.
_FRESH = timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is known when an exercise is checked."""

    #: Everything that was seen of the worker since the exercise began.
    recording: Recording
    #: The service now; `None` if it is gone.
    service: Service | None
    #: The tags of the worker's image that the engine has.
    tags: frozenset[str] = frozenset()
    #: What the learner has handed to `labkit.check`, for an exercise that asks for it.
    answer: object = None
    #: The time by the clock that the recording goes by.
    now: datetime

    @cached_property
    def attempts(self) -> list[Attempt]:
        """The updates since the exercise began, the newest first."""
        return attempts(self.recording)[::-1]

    @property
    def last(self) -> Attempt | None:
        """The newest of them."""
        return self.attempts[0] if self.attempts else None

    @property
    def replaced_nothing(self) -> bool:
        """Whether a spec was written after the newest update that differs in no task.

        Swarm then has nothing to update, and no update status.
        """
        service, last = self.recording.service, self.last
        return bool(
            service
            and last
            and service.update_status is None
            and service.replicas == last.requested.replicas
        )

    @property
    def pending(self) -> bool:
        """Whether something is still on its way that the judge should wait for."""
        if self.recording.ended:  # a shipped one: nothing of it is on its way any more
            return False
        if self._has_to_begin or (self.last and self.last.under_way(self.now)):
            return True
        seen = [c.at for c in self.recording.changes[1:] if isinstance(c, ServiceSeen)]
        return bool(seen) and self.now - seen[-1] < _FRESH

    @property
    def _has_to_begin(self) -> bool:
        """Whether tasks have another image than their service, and no update says so yet.

        A write empties the update status (swarmkit, manager/controlapi/service.go).
        """
        service = self.recording.service
        if service is None or service.update_status is not None:
            return False
        return any(
            task.image != service.image
            for task in self.recording.current
            if task.desired_state == "running" and not task.ended
        )


@dataclass(frozen=True, slots=True)
class Image:
    """An image of worker as it is shipped, with edits (`labkit.lessons.steps.edits`) made to it."""

    edits: tuple[str, ...]
    #: The image's tag: that of the last edit, with `-` for blanks, unless it is given.
    tag: str = ""

    def __post_init__(self) -> None:
        """Take the tag from the last edit."""
        object.__setattr__(self, "tag", self.tag or self.edits[-1].replace(" ", "-"))


@dataclass(frozen=True, slots=True)
class Begins:
    """The state in which an exercise begins: ten replicas of one tag, and the learner's files."""

    #: The tag that every replica of worker runs.
    tag: str = "1.0"
    #: The edits (`labkit.lessons.steps.edits`) that the learner's files hold.
    edits: tuple[str, ...] = ()
    #: Further images of worker that are there.
    images: tuple[Image, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Exercise:
    """One exercise."""

    #: What `labkit.exercise`, `check`, `hint` and `solution` call it.
    name: str
    #: The number of the notebook that it stands in.
    step: int
    title: str
    #: What is asked for, in a paragraph; plain text.
    task: str
    begins: Begins
    #: Tells how things stand: the first condition that is not met, in the order in which
    #: a person would notice it.
    judge: Callable[[Evidence], Finding]
    #: From a question to nearly the answer.
    hints: tuple[str, ...]
    #: What can be said about the state that things are in, such as "your image is built,
    #: but the service still runs 1.0"; `""` if nothing.
    notice: Callable[[Evidence], str]
    #: Whether it is a step of the lesson, to be typed in a terminal; it has nothing but a check.
    typed: bool = False
    #: Whether `labkit.check` wants an answer handed to it.
    asks: bool = False
    #: The shipped recording that it is about, beside the notebooks; then there is nothing to
    #: bring anywhere, nor to record, and the evidence is that recording.
    shipped: str = ""
    #: The parts of the view in which that is shown; the others would say too much.
    parts: tuple[str, ...] = ()


#: What the rules of an exercise may name beside what they always may (`_known`), of all that is
#: known and of one update; `None` if there is none.
FactsOf = Callable[[Evidence, Attempt | None], Facts]


def exercise(
    name: str,
    facts: FactsOf = lambda *_: {},
    *,
    any_update: bool = False,
    **more: Any,
) -> Exercise:
    """Return the exercise whose words stand under a name in the YAML files in `exercises`.

    Its finding is what the rules in `findings.yaml` come to for the newest update. With
    `any_update` each update is judged, and the exercise is passed if one of them passes.
    `more` are the other fields of an `Exercise`.
    """
    said = words(content.EXERCISES)[name]

    def judge(evidence: Evidence) -> Finding:
        judged = evidence.attempts if any_update and evidence.attempts else [evidence.last]
        known = [_known(name, evidence, each, facts) for each in judged]
        found = [_finding(rules.first(content.FINDINGS, name, each)) for each in known]
        idle = evidence.replaced_nothing and rules.first(content.FINDINGS, name, known[0], "idle")
        return next((each for each in found if each.passed), _finding(idle) if idle else found[0])

    def notice(evidence: Evidence) -> str:
        if evidence.service is None:
            return ""
        known = _known(name, evidence, evidence.last, facts)
        return rules.first(content.FINDINGS, name, known, "notice").get("text", "")

    begins = said.get("begins", {})
    images = tuple(
        Image(tuple(each["edits"]), each.get("tag", "")) for each in begins.get("images", ())
    )
    return Exercise(
        name=name,
        judge=judge,
        notice=notice,
        begins=Begins(begins.get("tag", "1.0"), tuple(begins.get("edits", ())), tuple(images)),
        hints=tuple(said.get("hints", ())),
        **{key: said[key] for key in ("title", "step", "task")},
        **more,
    )


def _known(name: str, evidence: Evidence, attempt: Attempt | None, facts: FactsOf) -> Facts:
    seen = evidence.recording.of(ServiceSeen)
    return {
        "name": name,
        "attempt": attempt,
        "attempts": evidence.attempts,
        "last": evidence.last,
        "service": evidence.service,
        "begun": seen[0].service if seen else None,
        "answer": evidence.answer,
        **facts(evidence, attempt),
    }


def _finding(said: Mapping[str, str]) -> Finding:
    outcome = cast("Outcome", said.get("outcome", "not yet"))
    return Finding(outcome, said["saw"], said["because"], said.get("try", ""))
