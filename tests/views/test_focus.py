"""Claims about what the time axis shows at first: the latest events, and not the reading before."""

from labkit.recordings.recording import Recording
from labkit.recordings.recording.changes import Back, Ended, Gap, Marked
from labkit.views import Snapshot, figure
from labkit.views.parts.axis import Axis, moment
from tests.looks import recorded
from tests.values import at, recording, service, snapshot, status, task
from tests.views.acted import drawn, every, texts


def focus(made: Recording) -> list[int | None] | None:
    shown: list[int | None] | None = Snapshot.of(made).state["focus"]
    return shown


def read_before(seconds: int) -> Recording:
    """Somebody reads, then updates a service of two slots; slot 1 fails."""
    made = recorded(
        {
            0: ["service 1.0", "1.0-1..2"],
            seconds: ["service 1.1 updating", "1.0-1 told shutdown", "1.1-1 new"],
            seconds + 4: ["service 1.1 paused", {"is": "1.1-1 failed", "error": "no"}],
        }
    )
    made.add(Ended(at(seconds + 5), "done"))
    return made


def test_reading_before_an_update_is_left_out() -> None:
    """The axis begins three seconds before the update; in drawing and figure as in the page."""
    made = read_before(130)
    axis = Axis.of(Snapshot.of(made).state)
    assert focus(made) == [127_000, 164_000]
    assert (axis.begin, axis.end) == (127_000, 135_000)
    assert {"2:07 min", "2:15"} <= set(texts(drawn(made)))
    assert figure(made, "slots").layout.xaxis.range == (moment(127_000), moment(135_000))


def test_an_update_is_shown_from_the_beginning_while_it_sleeps() -> None:
    """A delay of a minute is no rest: something goes on."""
    made = recording(
        snapshot(0, service(), task(1)),
        snapshot(50, service(update_status=status("updating")), task(1)),
        snapshot(120, service(update_status=status("updating")), task(1, "1.1", id="new")),
    )
    assert focus(made) == [47_000, None]


def test_an_update_that_goes_on_already_is_shown_from_the_beginning() -> None:
    going = service(update_status=status("updating"))
    made = recording(snapshot(0, going, task(1)), snapshot(90, going, task(1, "1.1", id="new")))
    assert focus(made) == [0, None]


def test_a_second_change_after_a_rest_is_shown_for_itself() -> None:
    """What failed before it is not drawn at the edge."""
    made = recorded(
        {
            0: ["service 1.0", "1.0-1..2"],
            10: [{"is": "1.0-1 failed", "error": "no"}, "next=1.0-1 made 10"],
            100: ["service 1.1 updating", "next=1.0-1 told shutdown", "1.1-1 new"],
        }
    )
    made.add(Ended(at(104), "done"))

    assert focus(made) == [97_000, None]
    assert not [each for each in every(drawn(made, "slots"), "g") if each.get("data-failed")]


def test_a_change_soon_after_another_is_shown_with_it() -> None:
    made = recorded({0: ["service 1.0", "1.0-1"], 10: ["2=1.0-2 new"], 35: ["3=1.0-3 new"]})
    assert focus(made) == [7_000, 65_000]


def test_a_silence_of_the_engine_and_a_mark_are_events() -> None:
    silent = recording(snapshot(0, service(), task(1)))
    silent.add(Gap(at(50), "gone"))
    assert focus(silent) == [47_000, None]

    silent.add(Back(at(100)))
    assert focus(silent) == [47_000, 130_000]

    silent.add(Marked(at(101), at(60), "here"))
    assert focus(silent) == [47_000, 130_000]


def test_where_nothing_happens_all_of_the_time_is_shown() -> None:
    made = recording(snapshot(0, service(), task(1)))
    made.add(Ended(at(200), "done"))
    axis = Axis.of(Snapshot.of(made).state)
    assert focus(made) is None
    assert (axis.begin, axis.end) == (0, 200_000)
