"""The main job in every index, with every kind of leg and strike rule: nothing works for NIFTY alone."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from app.domain.contracts import Kind, Product, Side
from app.domain.errors import InvalidInput
from app.domain.strategy import ExpiryWord, LegSpec, StrikeMethod, StrikeRule
from tests.live_desk import LiveDesk, live_desk
from tests.simulator_process import SimulatorProcess

ATM = StrikeRule(StrikeMethod.ATM)


@pytest.fixture
def desk(simulator: SimulatorProcess, tmp_path: Path) -> Iterator[LiveDesk]:
    simulator.post("/scenario", name="calm")  # a monthly option on its last day leaves the slip in seconds otherwise
    with live_desk(simulator, tmp_path) as made:
        yield made


def _straddle(underlying: str, expiry: ExpiryWord) -> tuple[LegSpec, ...]:
    return tuple(
        LegSpec(number, underlying, kind, expiry, ATM, Side.SELL, 1, Product.NRML)
        for number, kind in ((1, Kind.CE), (2, Kind.PE))
    )


@pytest.mark.parametrize(
    ("underlying", "expiry", "lot"),
    [
        ("NIFTY", ExpiryWord.CURRENT_MONTH, 65),
        ("BANKNIFTY", ExpiryWord.CURRENT_MONTH, 30),
        ("BANKNIFTY", ExpiryWord.NEXT_MONTH, 30),
        ("SENSEX", ExpiryWord.CURRENT_WEEK, 20),
        ("SENSEX", ExpiryWord.NEXT_WEEK, 20),
    ],
)
def test_a_straddle_goes_in_and_out(desk: LiveDesk, underlying: str, expiry: ExpiryWord, lot: int) -> None:
    run_id = desk.run(_straddle(underlying, expiry))
    desk.until(run_id, "OPEN")
    for number in range(1, 6):
        assert sorted(desk.net_at_broker(number).values()) == [-lot, -lot], desk.story(run_id)
    desk.exit(run_id)
    desk.until(run_id, "CLOSED")
    assert [desk.net_at_broker(number) for number in range(1, 6)] == [{}] * 5


def test_a_weekly_of_an_index_without_weeklies_is_refused_by_name(desk: LiveDesk) -> None:
    strategy = desk.strategy(_straddle("BANKNIFTY", ExpiryWord.CURRENT_WEEK))
    with pytest.raises(InvalidInput, match="BANKNIFTY"):
        desk.preview(strategy)


def test_a_freeze_limit_the_gateway_does_not_know_comes_from_the_market_rules(desk: LiveDesk) -> None:
    legs = (
        LegSpec(
            1,
            "SENSEX",
            Kind.PE,
            ExpiryWord.NEXT_WEEK,
            StrikeRule(StrikeMethod.OTM, Decimal(5)),
            Side.BUY,
            1,
            Product.MIS,
        ),
    )
    run_id = desk.run(legs, structures=60, accounts=desk.account_ids[:1])
    desk.until(run_id, "OPEN", within_s=60)
    assert [intent.units for intent in desk.intents(run_id) if intent.generation == 1] == [1000, 200]
    assert sum(desk.net_at_broker(1).values()) == 1200


def test_a_future_against_an_option_by_strike_and_one_by_premium(desk: LiveDesk) -> None:
    quotes = desk.runtime.market.quotes
    strike = (quotes.spot("NIFTY") / 100).to_integral_value() * 100 + 300
    month, product = ExpiryWord.NEXT_MONTH, Product.NRML
    legs = (
        LegSpec(1, "NIFTY", Kind.FUT, month, None, Side.BUY, 1, product),
        LegSpec(2, "NIFTY", Kind.CE, month, StrikeRule(StrikeMethod.STRIKE, strike), Side.SELL, 1, product),
        LegSpec(3, "NIFTY", Kind.PE, month, StrikeRule(StrikeMethod.PREMIUM_NEAR, Decimal(90)), Side.BUY, 2, product),
    )
    preview = desk.preview(desk.strategy(legs, accounts=desk.account_ids[:2]))
    resolved = {leg.number: leg.contract for leg in preview.plan.legs}
    assert resolved[1].kind is Kind.FUT
    assert resolved[2].strike == strike
    run_id = desk.send(preview)
    desk.until(run_id, "OPEN")
    wanted = {resolved[1].key.symbol: 65, resolved[2].key.symbol: -65, resolved[3].key.symbol: 130}
    assert desk.net_at_broker(1) == wanted
    assert desk.net_at_broker(2) == wanted
    desk.exit(run_id)
    desk.until(run_id, "CLOSED")
    assert desk.net_at_broker(1) == {}
