"""A recording keeps what Swarm forgets, and comes back from its file as it was."""

import cProfile
import json
import tracemalloc
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.base.errors import BadValue, RecordingProblem
from labkit.recordings import frames
from labkit.recordings.frames import Table
from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import (
    Back,
    Ended,
    Gap,
    HashesSeen,
    Marked,
    NodesSeen,
    ServiceRemoved,
    ServiceSeen,
    TaskForgotten,
    TaskSeen,
)
from labkit.recordings.story import fewest_running, ran
from labkit.recordings.values import Node, UpdateConfig
from tests.looks import recorded
from tests.values import at, recording, service, snapshot, status, task

HOSTILE = "<script>alert(1)</script>\u202e\u2028\x85\x1b[31m\n" + "long " * 1000


def stop_first() -> Recording:
    """One slot of two is replaced: stopped, then started."""
    return recorded(
        {
            0: ["service 1.0", "1.0-1..2"],
            1: [
                "service 1.1 updating: update in progress",
                "1.0-1 told shutdown",
                "1.1-1 ready told ready",
            ],
            3: ["1.0-1 shutdown", "1.1-1 running"],
        }
    )


def test_only_what_changed_is_recorded() -> None:
    made = stop_first()

    assert made.observe(snapshot(4, made.service, *made.current)) == []
    assert [(type(c).__name__, c.at) for c in made.changes] == [
        ("ServiceSeen", at(0)),
        ("TaskSeen", at(0)),
        ("TaskSeen", at(0)),
        ("ServiceSeen", at(1)),
        ("TaskSeen", at(1)),
        ("TaskSeen", at(1)),
        ("TaskSeen", at(3)),
        ("TaskSeen", at(3)),
    ]


def test_a_task_that_swarm_has_forgotten_stays() -> None:
    made = recording(snapshot(0, service(), task(1)), snapshot(1, service(), task(2)))
    assert [type(c) for c in made.changes[-2:]] == [TaskSeen, TaskForgotten]
    assert set(made.tasks) == {"1.0-1", "1.0-2"}
    assert [t.id for t in made.current] == ["1.0-2"]


def test_all_tasks_stay_after_the_service_was_removed() -> None:
    made = recording(snapshot(0, service(), task(1), task(2)), snapshot(1, None))
    assert made.service is None
    assert made.current == ()
    assert len(made.tasks) == 2
    assert made.running_by_tag()[-1] == (at(1), {"1.0": 0})


def test_replicas_by_tag_are_steps_and_a_tag_once_seen_stays() -> None:
    """With order `stop-first` there is a moment when the slot has no running task."""
    made = stop_first()
    made.observe(snapshot(4, made.service, task(1, "1.0", "shutdown"), task(1, "1.1", "running")))

    assert made.running_by_tag() == [
        (at(0), {"1.0": 2}),
        (at(3), {"1.0": 1, "1.1": 1}),
        (at(4), {"1.0": 0, "1.1": 1}),
    ]


def test_a_task_whose_node_is_down_does_not_count_until_it_is_back(tmp_path: Path) -> None:
    away = {"is": "1.0-1", "lost": True}
    made = recorded({0: ["service 1.0", "1.0-1..2"], 5: [away], 9: [away | {"lost": False}]})
    made.save(path := tmp_path / "lost.jsonl")

    for each in (made, Recording.load(path)):
        assert each.running_by_tag() == [
            (at(0), {"1.0": 2}),
            (at(5), {"1.0": 1}),
            (at(9), {"1.0": 2}),
        ]
        assert fewest_running(each) == 1
        assert [count for _, count in ran(each)] == [1, 2]
        assert [(s.start, s.lost) for s in each.spans() if s.slot == 1] == [
            (at(0), False),
            (at(5), True),
            (at(9), False),
        ]


def test_spans_tell_what_each_task_did_and_for_how_long() -> None:
    told = [(s.slot, s.tag, s.state, s.desired_state, s.start, s.end) for s in stop_first().spans()]

    assert told == [
        (1, "1.0", "running", "running", at(0), at(1)),
        (2, "1.0", "running", "running", at(0), None),
        (1, "1.0", "running", "shutdown", at(1), at(3)),
        (1, "1.1", "ready", "ready", at(1), at(3)),
        (1, "1.0", "shutdown", "shutdown", at(3), None),
        (1, "1.1", "running", "running", at(3), None),
    ]


def test_update_states_are_told_once_each() -> None:
    made = stop_first()
    done = status("completed", message="update completed", completed_at=at(9))
    made.observe(snapshot(9, service("1.1", update_status=done), *made.current))

    assert [(when, s and s.state) for when, s in made.update_states()] == [
        (at(0), None),
        (at(1), "updating"),
        (at(9), "completed"),
    ]


def test_a_state_that_was_over_between_two_polls_is_recorded() -> None:
    """A rollback whose slots are clean is started and completed at once; Swarm's words are lost."""
    made = stop_first()
    done = status("rollback_completed", message="rollback completed", completed_at=at(9))
    made.observe(snapshot(9, service("1.0", update_status=done), *made.current))
    again = status("completed", started_at=at(10), completed_at=at(11))
    made.observe(snapshot(11, service("1.0", update_status=again), *made.current))

    assert [(when, s and (s.state, s.message)) for when, s in made.update_states()] == [
        (at(0), None),
        (at(1), ("updating", "update in progress")),
        (at(9), ("rollback_started", "")),
        (at(9), ("rollback_completed", "rollback completed")),
        (at(11), ("updating", "")),
        (at(11), ("completed", "")),
    ]


def test_a_gap_has_a_start_an_end_and_docker_s_reason() -> None:
    made = stop_first()
    made.add(Gap(at(4), "connection refused"))
    assert made.gaps() == [(at(4), None, "connection refused")]
    made.add(Back(at(6)))
    assert made.gaps() == [(at(4), at(6), "connection refused")]


def everything() -> Recording:
    made = stop_first()
    config = UpdateConfig(parallelism=2, delay="5s")  # type: ignore[arg-type]
    made.observe(
        snapshot(
            5,
            service("1.1", update_config=config, previous_image="lab/w:1.0"),
            task(1, "1.1", "failed", error=HOSTILE, exit_code=137, ports="*:80->80/tcp"),
        )
    )
    made.add(Gap(at(6), "gone"))
    made.add(Back(at(7)))
    made.add(HashesSeen(at(7.5), 120, 1772355607.25))
    made.add(Marked(at(7.75), at(3), HOSTILE))
    made.observe(snapshot(8, None))
    made.add(Ended(at(9), "It was stopped."))
    made.add(Marked(at(99), at(1), "the first pair is done"))
    return made


def test_a_recording_comes_back_from_its_file_as_it_was(tmp_path: Path) -> None:
    made = everything()
    made.save(tmp_path / "r.jsonl")
    read = Recording.load(tmp_path / "r.jsonl")
    assert read == made
    assert read.ended == Ended(at(9), "It was stopped.")
    assert (tmp_path / "r.jsonl").read_text().count("\n") == len(made.changes) + 1


def test_a_torn_last_line_costs_that_line_only(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    made = everything()
    made.save(path)
    path.write_bytes(path.read_bytes()[:-25])

    read = Recording.load(path)

    assert read.changes == made.changes[:-1]
    assert read.torn_lines == 1


def test_a_recording_with_all_its_lines_torn_is_empty_and_says_how_many(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    header = next(stop_first().lines())
    path.write_text(
        header
        + '{"kind": "hashes", "at": "2026-03-01T09:00:09Z", "hashes": 1.5, "now": 1}\n'
        + f'{{"kind": "hashes", "at": "2026-03-01T09:00:09Z", "hashes": {10**400}, "now": 1}}\n'
        + '{"kind": "hashes", "at": "2026-03-01T09:00:09Z", "hashes": 1, "now": NaN}\n'
        + '{"kind": "mark", "at": "2026-03-01T09:00:09Z", "of": "2026-03-01T09:00:08Z", '
        + '"label": ""}\n'
        + '{"kind": "gap", "at": "0001-01-02T00:00:00+23:00", "reason": ""}\n'
        + '{"kind": "task", "at": "2026-03-01T09:00:09Z", "id": "t", "slot": "1"}\n'
        + "[" * 100_000
        + "\n[]\n\n"
        + '{"kind": "ga'
    )

    read = Recording.load(path)

    assert read == Recording(header=read.header, torn_lines=10)
    assert read.last_at == read.header.started


@pytest.mark.parametrize("ends", ["\n", ""])
def test_a_line_without_end_is_torn_and_never_held_in_memory(tmp_path: Path, ends: str) -> None:
    path = tmp_path / "r.jsonl"
    stop_first().save(path)
    with path.open("ab") as file:
        file.truncate(file.tell() + 60_000_000)
        file.seek(0, 2)
        file.write(ends.encode())
    tracemalloc.start()
    read = Recording.load(path)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert read == replace(stop_first(), torn_lines=1)
    assert most < 40_000_000


@pytest.mark.parametrize("kind", [TaskSeen, ServiceSeen])
def test_a_line_is_read_in_few_calls(tmp_path: Path, kind: type) -> None:
    """Calls are what reading costs beside JSON, and a recording may have 300,000 lines."""
    path, made = tmp_path / "r.jsonl", everything()
    made.changes = [change for change in made.changes if isinstance(change, kind)] * 200
    made.save(path)
    profile = cProfile.Profile()

    profile.runcall(Recording.load, path)

    calls = sum(each.callcount for each in profile.getstats())
    assert calls / len(made.changes) < 40


KNOWN = [
    *everything().changes,
    *(TaskSeen(at(n), task(n, f"1.{n % 2}")) for n in range(4)),
    *(TaskForgotten(at(n), f"1.{n % 2}-{n}") for n in range(4)),
    NodesSeen(at(5), (Node(id="n", name="node-1"),)),
    ServiceRemoved(at(6)),
]


@given(st.lists(st.sampled_from(KNOWN), max_size=30), st.integers(1, 12), st.integers(1, 6))
def test_the_latest_of_a_file_is_what_is_latest_of_all_that_is_in_it(changes, most, most_events):
    """Also of lines that no recorder wrote so: with other spaces, and in another order."""
    made = recording()
    for change in changes:
        made.add(change)
    lines = [*made.lines()][1:]
    lines[::3] = [
        json.dumps(json.loads(line), sort_keys=True, separators=(",", " : ")) for line in lines[::3]
    ]
    others = [b'{"at": "2026-03-01T09:00:09Z", "kind": "new"}', b'{"kind": "gap", "at']

    read = recording().with_latest([*(line.encode() for line in lines), *others], most, most_events)

    assert read == replace(made.latest(most, most_events), torn_lines=1)


@pytest.mark.parametrize("sort_keys", [True, False])
def test_what_is_left_out_of_a_long_file_costs_a_tenth(tmp_path, sort_keys):
    """Also where another program has written the same lines anew."""
    path, made = tmp_path / "r.jsonl", stop_first()
    rows = [json.dumps(json.loads(line), sort_keys=sort_keys) for line in made.lines()]
    made.changes = made.changes * 500
    path.write_text("\n".join([rows[0], *rows[1:] * 500]))
    profile = cProfile.Profile()

    profile.runcall(Recording.load, path, (10, 10))

    calls = sum(each.callcount for each in profile.getstats())
    assert calls / len(made.changes) < 22


def test_of_very_long_lines_fewer_are_held(tmp_path):
    """In each of a file of 1 GB may be 3 kB that nobody reads."""
    path = tmp_path / "r.jsonl"
    recording(*(snapshot(n, service(), task(n, error="e" * 100_000)) for n in range(1000))).save(
        path
    )
    tracemalloc.start()
    read = Recording.load(path, (10_000, 500))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert read.tasks.keys() >= {task(n).id for n in range(950, 1000)}
    assert read.left_out > 500
    assert most < 60_000_000


def test_tags_that_are_too_many_are_counted_together() -> None:
    """Each step has all tags before it: a file with 100,000 would fill the memory."""
    made = recording(*(snapshot(n, service(), task(1, f"1.{n}")) for n in range(200)))
    (_, counts) = made.running_by_tag()[-1]
    assert counts["others"] == 1
    assert len(counts) == 51


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text("".join(stop_first().lines()), "utf-8-sig")
    assert Recording.load(path) == stop_first()


@pytest.mark.parametrize("time", ["9999-12-31T23:59:59Z", "1969-12-31T00:00:00Z"])
def test_a_time_that_no_swarm_has_costs_its_line_only(tmp_path: Path, time: str) -> None:
    path = tmp_path / "r.jsonl"
    made = everything()
    made.save(path)
    with path.open("a") as file:
        file.write(f'{{"kind": "gap", "at": "{time}", "reason": ""}}\n')

    assert Recording.load(path).torn_lines == 1

    path.write_text(path.read_text().replace("2026-03-01", time[:10], 1))
    with pytest.raises(RecordingProblem, match="not a recording's header"):
        Recording.load(path)


def test_a_recording_is_saved_to_a_new_file_only(tmp_path: Path) -> None:
    path = tmp_path / "of" / "mine" / "r.jsonl"
    stop_first().save(path)
    with pytest.raises(RecordingProblem, match="does not exist yet"):
        everything().save(path)
    assert Recording.load(path) == stop_first()


def test_an_update_state_that_there_is_not_costs_its_line_only(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    stop_first().save(path)
    path.write_text(path.read_text().replace('"state": "updating"', '"state": "up"'))
    read = Recording.load(path)
    assert read.torn_lines == 1
    assert read.update_states() == [(at(0), None)]


def test_marks_are_told_in_the_order_of_their_moments_and_change_no_end() -> None:
    made = everything()
    assert made.marks() == [(at(1), "the first pair is done"), (at(3), HOSTILE)]
    assert made.ended == Ended(at(9), "It was stopped.")
    assert made.last_at == at(9)
    assert recording().marks() == []


def test_hashes_and_marks_move_no_replica() -> None:
    made, plain = stop_first(), stop_first()
    for change in (HashesSeen(at(3.5), 7, 1.0), Marked(at(3.6), at(2), "x")):
        made.add(change)
    assert made.running_by_tag() == plain.running_by_tag()
    assert made.spans() == plain.spans()
    assert made.update_states() == plain.update_states()


@pytest.mark.parametrize("label", ["", " \n\t", None, 5])
def test_a_mark_with_nothing_on_it_is_refused(label: str) -> None:
    with pytest.raises(BadValue, match="the label of a mark is some words of text, not"):
        Marked(at(1), at(1), label)


def test_a_mark_of_a_moment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(BadValue, match="a time with a time zone"):
        Marked(at(1), datetime(2026, 3, 1), "here")  # noqa: DTZ001 - that is what is refused


def test_half_a_surrogate_pair_comes_back_from_the_file(tmp_path: Path) -> None:
    """JSON from an engine can hold one, and UTF-8 cannot."""
    made = recording(snapshot(0, service(), task(1, error="half: \ud83d, whole: \U0001f433")))
    made.save(tmp_path / "r.jsonl")
    assert Recording.load(tmp_path / "r.jsonl") == made


def test_kinds_and_fields_of_a_later_labkit_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    stop_first().save(path)
    text = path.read_text().replace('"slot": 1', '"slot": 1, "mood": "calm"')
    path.write_text(text + '{"kind": "mood", "at": "2026-03-01T09:00:09Z", "text": "calm"}\n')
    assert Recording.load(path) == stop_first()


GOOD = '{"kind": "recording", "schema": 1, "service": "s", "started": "2026-03-01T09:00:00Z"}'


def test_a_header_needs_no_more_than_a_service_and_a_start(tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_text(GOOD)
    assert Recording.load(tmp_path / "r.jsonl").header.service == "s"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "\n\n",
        "hello\n",
        "[1, 2]",
        "[" * 100_000,
        "null",
        '{"kind": "task"}\n',
        '{"kind": "recording", "schema": 1}\n',
        GOOD.replace('"2026-03-01T09:00:00Z"', "5"),
        GOOD.replace('"2026-03-01T09:00:00Z"', '"9999-12-31T23:59:59-12:00"'),
        *(GOOD.replace('"s"', name) for name in ("[]", '["dc_worker"]', '""')),
        *(GOOD.replace("1", each, 1) for each in ["-1", "0", "1.5", '"1"', "true", "Infinity"]),
        GOOD.replace("1", "9" * 5000, 1),
        "\x7fELF\x02\x01\x00\x00",
        "\udcff\udcfe\x00",
    ],
)
def test_what_is_no_recording_is_refused_with_a_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / "r.jsonl").write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(RecordingProblem) as problem:
        Recording.load(tmp_path / "r.jsonl")
    nothing = not content.strip("\n")
    other = "a file whose first line is not a recording's header."
    assert problem.value.found == ("an empty file." if nothing else other)


@pytest.mark.parametrize("schema", [2, 10**30])
def test_a_recording_of_a_newer_schema_is_refused_with_a_sentence(tmp_path: Path, schema: int):
    (tmp_path / "r.jsonl").write_text(f'{{"kind": "recording", "schema": {schema}}}\n')
    with pytest.raises(RecordingProblem, match=f"of schema {schema}, written by a newer labkit"):
        Recording.load(tmp_path / "r.jsonl")


def test_a_missing_file_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(RecordingProblem, match="No such file"):
        Recording.load(tmp_path / "none.jsonl")


def test_a_folder_or_a_path_that_cannot_be_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(RecordingProblem, match="Is a directory"):
        Recording.load(tmp_path)
    with pytest.raises(RecordingProblem, match="null byte"):
        Recording.load("a\0b")


def test_frames_hold_spans_and_replicas() -> None:
    made = stop_first()
    assert frames.spans(made)["seconds"].dropna().tolist() == [1.0, 2.0, 2.0]
    assert frames.replicas(made).to_dict("list") == {"1.0": [2, 1], "1.1": [0, 1]}


def test_without_pandas_the_same_rows_are_a_plain_table(monkeypatch: pytest.MonkeyPatch) -> None:
    made = stop_first()
    pandas = frames.spans(made), frames.replicas(made)
    monkeypatch.setattr(frames, "find_spec", lambda _: None)
    spans, replicas = frames.spans(made), frames.replicas(made)

    assert spans.columns == list(pandas[0].columns)
    assert [row["1.0"] for row in replicas.rows] == list(pandas[1]["1.0"])
    chosen = spans[spans["slot"] == 1][["tag", "state", "seconds"]].round(1)
    assert str(chosen).split("\n")[1].split() == ["1.0", "running", "1.0"]
    assert len(chosen) == len(pandas[0][pandas[0]["slot"] == 1])


def test_a_plain_table_shows_text_as_text() -> None:
    shown = Table(["said"], [{"said": HOSTILE}, {"said": None}])._repr_html_()
    assert "<script>" not in shown
    assert "NaN" in shown


def test_frames_of_an_empty_recording_are_empty() -> None:
    made = recording()
    assert frames.spans(made).empty
    assert frames.replicas(made).empty
