"""What the tests of a learner's calls share: each recorder that a test starts ends with it."""

from collections.abc import Iterator

import pytest

from labkit.recordings.recorder import Recorder


@pytest.fixture(autouse=True)
def recorders(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Recorder]]:
    """Those that a test has started."""
    started: list[Recorder] = []
    start = Recorder.start

    def noted(recorder: Recorder) -> Recorder:
        started.append(recorder)
        return start(recorder)

    monkeypatch.setattr(Recorder, "start", noted)
    yield started
    for recorder in started:
        recorder.stop()
