"""What is known of each account: parts that come at different times, and a halt that stays."""

from decimal import Decimal

import pytest

from app.domain.books import Funds
from app.domain.plan import Mode
from app.ports.gateway import (
    GatewayError,
    GatewayRefused,
    LoggedOut,
    NotOpenAlgo,
    RateLimited,
    TimedOut,
    Unreachable,
    WrongKey,
)
from app.services.account_health import HealthBoard, HealthState
from tests.unit.services.market_fakes import MONDAY_1030, FakeClock

FUNDS = Funds(Decimal(100_000), None, None, None, None)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def health(clock: FakeClock) -> HealthBoard:
    return HealthBoard(clock)


def test_an_account_nobody_heard_of_is_unknown_and_has_no_funds(health: HealthBoard) -> None:
    unknown = health.of(7)
    assert unknown.state is HealthState.UNKNOWN
    assert (unknown.funds, unknown.mode, unknown.seen_at) == (None, None, None)


def test_each_report_replaces_only_its_parts(health: HealthBoard, clock: FakeClock) -> None:
    health.report(1, state=HealthState.OK, latency_ms=12, mode=Mode.PAPER)
    health.report(1, funds=FUNDS)
    clock.advance(5)
    health.report(1, latency_ms=15)
    known = health.of(1)
    assert (known.state, known.latency_ms, known.mode, known.funds) == (HealthState.OK, 15, Mode.PAPER, FUNDS)
    assert known.funds_at == MONDAY_1030
    assert known.seen_at == clock.now()


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (WrongKey("k"), HealthState.WRONG_KEY),
        (LoggedOut("l"), HealthState.LOGIN_EXPIRED),
        (Unreachable("u"), HealthState.UNREACHABLE),
        (TimedOut("t"), HealthState.UNREACHABLE),
        (NotOpenAlgo("n"), HealthState.UNREACHABLE),
        (GatewayRefused("g"), HealthState.UNKNOWN),
    ],
)
def test_a_failed_read_names_its_state_and_keeps_the_last_funds_with_their_time(
    health: HealthBoard, error: GatewayError, state: HealthState
) -> None:
    health.report(1, state=HealthState.OK, funds=FUNDS)
    health.failed(1, error)
    assert (health.of(1).state, health.of(1).reason) == (state, str(error))
    assert (health.of(1).funds, health.of(1).funds_at) == (FUNDS, MONDAY_1030)


def test_being_rate_limited_says_nothing_about_the_account(health: HealthBoard) -> None:
    health.report(1, state=HealthState.OK)
    health.failed(1, RateLimited("50 per 1 second"))
    assert health.of(1).state is HealthState.OK


def test_a_halt_outlasts_good_and_bad_news_until_it_is_lifted(health: HealthBoard) -> None:
    health.report(1, state=HealthState.HALTED, reason="The gateway is in the other mode.")
    health.report(1, state=HealthState.OK)
    health.failed(1, TimedOut("slow"))
    assert (health.of(1).state, health.of(1).reason) == (HealthState.HALTED, "The gateway is in the other mode.")
    health.lift_halt(1)
    assert health.of(1).state is HealthState.CATCHING_UP
    health.report(1, state=HealthState.OK)
    assert health.of(1).state is HealthState.OK


def test_forgotten_is_unknown_again(health: HealthBoard) -> None:
    health.report(1, state=HealthState.OK, funds=FUNDS)
    health.forget(1)
    assert health.of(1).funds is None
