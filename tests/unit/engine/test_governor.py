"""The governor: never more calls in any sliding second than an account takes, as they are made."""

from hypothesis import given
from hypothesis import strategies as st

from app.engine.governor import Governor
from app.engine.lane import Urgency
from tests.unit.engine.test_lanes import HandClock, JobMaker, going, lane_of


@given(
    st.lists(
        st.tuples(st.floats(min_value=0.0, max_value=0.6), st.sampled_from(["take", "take", "call", "give back"])),
        max_size=120,
    ),
    st.integers(min_value=1, max_value=10),
)
def test_row_30_never_more_than_the_limit_in_any_sliding_second(steps: list[tuple[float, str]], most: int) -> None:
    """Of calls as they are made, however long each was prepared."""
    clock, taken, called = HandClock(), 0, []
    governor = Governor(clock)
    for step_s, what in steps:
        clock.second += step_s
        if what == "take" and governor.take("NFO", most) == 0:
            taken += 1
        elif what == "call" and taken:
            governor.call("NFO")
            taken -= 1
            called.append(clock.second)
        elif what == "give back" and taken:
            governor.give_back("NFO")
            taken -= 1
    for index, moment in enumerate(called):
        inside = [other for other in called[index:] if other - moment < 1.0]
        assert len(inside) <= most


def test_the_governor_says_how_long_to_wait() -> None:
    clock = HandClock()
    governor = Governor(clock)
    assert governor.take("NFO", 2) == 0
    governor.call("NFO")
    clock.second += 0.4
    assert governor.take("NFO", 2) == 0
    assert round(governor.take("NFO", 2), 6) == 0.6
    governor.give_back("NFO")
    assert governor.take("NFO", 2) == 0
    governor.call("NFO")
    clock.second += 0.6
    assert governor.take("NFO", 2) == 0
    assert governor.take("NFO", 1) == 1.0, "a lower limit counts what went under the higher one, and what is to go"


def test_what_a_database_held_up_does_not_go_with_the_next_second() -> None:
    clock = HandClock()
    lane, job = lane_of(clock, rate=2), JobMaker()
    for intent in range(5):
        lane.put(job(intent))
    first, _ = lane.due()
    clock.second += 1.5
    assert going(lane) == [], "their calls are yet to be made"
    for each in first:
        lane.calls(each)
    assert going(lane) == []
    clock.second += 1.0
    assert len(going(lane)) == 2


def test_what_is_fetched_for_takes_no_place_in_the_second() -> None:
    lane, job = lane_of(HandClock(), rate=1), JobMaker()
    lane.put(job(1))
    (first,), _ = lane.due()
    lane.fetches(first)
    lane.put(job(9, Urgency.EXIT))
    assert going(lane) == [9], "an exit waits for nobody's prices"
