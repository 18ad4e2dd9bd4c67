"""A gateway whose books cannot be read: asked by one reader at growing pauses, and known to be in trouble."""

from pathlib import Path

import pytest

from app.domain.contracts import Side
from app.domain.orders import IntentState
from app.domain.plan import Mode
from app.ports.gateway import GatewayRefused, LoggedOut, Resting, TimedOut
from app.services.account_health import HealthState
from app.services.read_breaker import LONGEST_PAUSE_S, ReadBreaker
from tests.unit.services.market_fakes import FakeClock
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import CALL

TROUBLE = TimedOut("No answer within 8 s.")


def test_row_31_pauses_grow_to_a_quarter_of_a_minute_and_differ() -> None:
    whole = [1.0, 2.0, 4.0, 8.0, 15.0, 15.0]
    longest = ReadBreaker(FakeClock(), dice=lambda: 0.0)
    assert [longest.failed(1, TROUBLE) for _ in whole] == whole
    shortest = ReadBreaker(FakeClock(), dice=lambda: 1.0)
    assert [shortest.failed(1, TROUBLE) for _ in whole] == pytest.approx([0.8 * each for each in whole])
    patient = ReadBreaker(FakeClock())
    assert all(0.8 <= patient.failed(account, TROUBLE) <= 1.0 for account in range(50))
    assert max(patient.failed(1, TROUBLE) for _ in range(2000)) <= LONGEST_PAUSE_S


def test_row_31_after_two_failures_only_its_one_reader_asks_and_the_others_are_left_in_peace() -> None:
    clock = FakeClock()
    breaker = ReadBreaker(clock, dice=lambda: 0.0)
    breaker.failed(1, TROUBLE)
    breaker.ask(1)  # a hiccup
    pause_s = breaker.failed(1, TROUBLE)
    with pytest.raises(Resting, match="No answer within 8 s"):
        breaker.ask(1)
    breaker.ask(2)
    clock.advance(pause_s)
    breaker.ask(1)
    breaker.failed(1, TROUBLE)
    breaker.worked(1)
    breaker.ask(1)
    assert breaker.failed(1, TROUBLE) == 1.0, "a new trouble begins anew"


def test_row_31_blind_an_account_enters_nothing_and_still_gets_out(tmp_path: Path) -> None:
    world = OrderWorld(tmp_path, accounts=2)
    blind, well = world.brokers[1], world.brokers[2]
    blind.fills_at_once = well.fills_at_once = True
    run_id = world.start((CALL, Side.BUY, 1))
    world.turns(3)
    assert (blind.placed, well.placed) == (1, 1)

    blind.broken = GatewayRefused("HTTP 503")
    for _ in range(2):
        world.reconciler.step(1)
    world.clock.advance(2)
    world.reconciler.step(1)
    entry = world.request((CALL, Side.BUY, 1))
    world.executor.start(entry)
    world.reconciler.step(2)
    for intent in world.intents():
        if intent.run_id == entry:
            world.desk.send(intent.id)
    assert (blind.placed, well.placed) == (1, 2), "the other account is not held up"
    held = next(i for i in world.intents() if i.run_id == entry and i.account_id == 1)
    assert held.state == IntentState.READY

    reads = blind.reads
    world.exit(run_id)
    world.executor.advance(run_id)
    for each in world.intents("EXIT"):
        if each.run_id == run_id:
            world.desk.send(each.id)
    assert blind.placed == 2, "it goes with the order ids that were read last"
    assert blind.reads == reads, "and waits for no read that would fail"


def test_row_29_books_that_a_dead_session_refuses_are_told_from_other_trouble(tmp_path: Path) -> None:
    world = OrderWorld(tmp_path)
    world.broker.broken = GatewayRefused("Failed to fetch the order book")
    world.reconciler.step(1)
    assert world.health.of(1).state is HealthState.UNKNOWN
    world.broker.broken_funds = LoggedOut("The gateway gives no funds at all.")
    world.reconciler.step(1)
    assert world.health.of(1).state is HealthState.LOGIN_EXPIRED
    world.broker.broken = world.broker.broken_funds = None
    world.reconciler.step(1)
    world.clock.advance(20)
    world.reconciler.step(1)
    assert world.health.of(1).state is HealthState.OK
    assert world.health.of(1).mode is Mode.LIVE
