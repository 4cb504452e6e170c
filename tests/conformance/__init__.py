"""One suite of scenarios for two engines: a real one, and the simulated one.

A scenario (`scenarios/`) does something to a service of its own and says what must be seen.
It is played on each engine, and the two transcripts of it are compared: the update's
statuses and their messages, what became of the tasks of each slot, whatever the scenario
tells besides, and the times that it took. Requests and their answers (`test_requests.py`,
`test_documents.py`) and the docker command line (`test_command_line.py`) are compared in
the same way.

To write a scenario, look at any of them; `play.py` says what it can do, `actor/actor.py`
what its containers can do. Ten lines are enough:

    @scenario
    def a_fifth_of_the_slots_may_fail(play: Play) -> None:
        '''One slot of five is not more than a ratio of 0.2.'''
        play.create(
            replicas=5,
            UpdateConfig={"Parallelism": 0, "Monitor": seconds(2), "MaxFailureRatio": 0.2},
        )
        play.update("slot 1: exit 1 after 0")
        play.ends("completed")
        play.tell("slots on the new image", play.slots_on("slot 1: exit 1 after 0"))

Real containers on a busy machine are late, never early. So each time that is compared says
how late it may be, in most cases one second and six for a stop; those bounds come from a
dozen runs on two cores, at load averages from 2 to 15. What fails beside other scenarios is
played once more by itself, and the end of the report names it.
"""

import pytest

# so that a scenario that fails says what was not so
pytest.register_assert_rewrite("tests.conformance.scenarios", "tests.conformance.play")
