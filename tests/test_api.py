"""What a learner calls answers a wrong value with a sentence, before any engine is asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import labkit
from labkit import api
from labkit.errors import BadValue


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever gets as far as an engine fails."""
    monkeypatch.setattr(api, "swarm", lambda: pytest.fail("an engine was asked for"))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: labkit.watch(5), "service is text, not 5"),
        (lambda: labkit.watch(""), "service is text, not ''"),
        (lambda: labkit.record(None), "service is text, not None"),
        (lambda: labkit.record("dc_worker", path=5), "path is a path, not 5"),
        (lambda: labkit.update(5), "service is text, not 5"),
        (lambda: labkit.rollback(b"dc_worker"), "service is text, not b'dc_worker'"),
        (lambda: labkit.logs(5), "service is text, not 5"),
        (lambda: labkit.deploy(5), "file is a path, not 5"),
        (lambda: labkit.deploy(["a.yml", 5]), "file is a path, not 5"),
        (lambda: labkit.deploy("a.yml", 5), "name is text, not 5"),
        (lambda: labkit.remove(5), "name is text, not 5"),
        (lambda: labkit.build(5, "lab/worker:1.1"), "folder is a path, not 5"),
        (lambda: labkit.build(Path("worker"), 1.1), "tag is text, not 1.1"),
        (lambda: labkit.build("worker", "w", args={"A": 1}), "args are texts, and 'A' is 1"),
        (lambda: labkit.build("worker", "w", args="A=1"), "args is a mapping of texts, not 'A=1'"),
        (lambda: labkit.push(5), "image is text, not 5"),
        (lambda: labkit.connect(5), "engine is text, not 5"),
    ],
)
def test_a_wrong_value_gets_a_sentence(call: Callable[[], object], says: str) -> None:
    with pytest.raises(BadValue) as problem:
        call()
    assert says in str(problem.value)
