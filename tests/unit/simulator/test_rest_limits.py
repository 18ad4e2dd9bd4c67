"""Request limits move with real time, for each client and endpoint apart."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from simulator.rest_limits import GREEKS, ORDERS, READS, Limit, MovingWindow


class Seconds:
    """A real-time counter that the test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_text_is_the_whole_message() -> None:
    assert [limit.text for limit in (READS, ORDERS, GREEKS)] == [
        "50 per 1 second",
        "10 per 1 second",
        "30 per 1 minute",
    ]


def test_the_eleventh_waits_until_the_first_has_left_the_window() -> None:
    seconds = Seconds()
    window = MovingWindow(seconds)

    first_ten = [window.admits("1.2.3.4", "placeorder", ORDERS) for _ in range(10)]
    eleventh = window.admits("1.2.3.4", "placeorder", ORDERS)
    seconds.now += 0.999
    still = window.admits("1.2.3.4", "placeorder", ORDERS)
    seconds.now += 0.001
    later = window.admits("1.2.3.4", "placeorder", ORDERS)

    assert (all(first_ten), eleventh, still, later) == (True, False, False, True)


def test_clients_and_endpoints_do_not_share() -> None:
    window = MovingWindow(Seconds())
    one = Limit(1, 1.0)

    assert window.admits("a", "quotes", one)
    assert window.admits("b", "quotes", one)
    assert window.admits("a", "depth", one)
    assert not window.admits("a", "quotes", one)


def test_switched_off_admits_all() -> None:
    window = MovingWindow(Seconds(), enabled=False)

    assert all(window.admits("a", "quotes", Limit(1, 1.0)) for _ in range(100))


@given(st.lists(st.floats(0, 0.5), max_size=200))
def test_no_second_ever_holds_more_than_the_limit(waits: list[float]) -> None:
    seconds = Seconds()
    window = MovingWindow(seconds)
    admitted = []
    for wait in waits:
        seconds.now += wait
        if window.admits("a", "quotes", Limit(3, 1.0)):
            admitted.append(seconds.now)

    assert all(later - earlier >= 1.0 for earlier, later in zip(admitted, admitted[3:], strict=False))
