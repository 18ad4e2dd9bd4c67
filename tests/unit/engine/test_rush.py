"""What can wait lets orders go first, and never for long."""

from app.engine.rush import HOLD_S, LONGEST_S, Rush
from tests.unit.services.market_fakes import FakeClock


class Loop:
    def __init__(self) -> None:
        self.turns = 0

    def step(self) -> float:
        self.turns += 1
        return 5.0


def test_a_patient_loop_works_while_no_order_goes_out() -> None:
    loop = Loop()
    assert Rush(FakeClock()).after(loop.step)() == 5.0
    assert loop.turns == 1


def test_it_waits_until_the_wave_is_over() -> None:
    clock, loop = FakeClock(), Loop()
    rush = Rush(clock)
    step = rush.after(loop.step)
    rush.hold()
    assert 0 < step() <= HOLD_S
    assert loop.turns == 0
    clock.advance(HOLD_S + 0.01)
    step()
    assert loop.turns == 1


def test_orders_without_end_keep_it_for_a_second_at_most() -> None:
    clock, loop = FakeClock(), Loop()
    rush = Rush(clock)
    step, waited = rush.after(loop.step), 0.0
    while not loop.turns:
        rush.hold()
        waited += (wait_s := step()) * (loop.turns == 0)
        clock.advance(wait_s)
    assert waited <= LONGEST_S + 0.001


def test_a_command_is_told_and_those_who_can_wait_do() -> None:
    clock, loop, told = FakeClock(), Loop(), list[int]()
    rush = Rush(clock)
    step = rush.after(loop.step)
    rush.before(lambda: told.append(1))()
    step()
    assert (len(told), loop.turns) == (1, 0)


def test_whoever_asks_is_told_while_orders_go_out() -> None:
    clock = FakeClock()
    rush = Rush(clock)
    assert not rush.is_on()
    rush.hold()
    assert rush.is_on()
    clock.advance(HOLD_S + 0.01)
    assert not rush.is_on()


def test_only_those_named_wait() -> None:
    clock, one, other = FakeClock(), Loop(), Loop()
    rush = Rush(clock)
    rush.hold()
    for _, step in rush.after_all([("pages", one.step), ("risk", other.step)], frozenset({"pages"})):
        step()
    assert (one.turns, other.turns) == (0, 1)
