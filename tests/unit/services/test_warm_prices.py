"""What a preview shows keeps its prices young; nothing else has a gateway asked."""

from datetime import timedelta
from pathlib import Path

import pytest

from app.domain.contracts import ContractKey, Side
from app.ports.gateway import Unreachable
from app.services.accounts_at_work import AccountsAtWork
from app.services.price_board import PriceBoard
from app.services.quotes import Quotes
from app.services.warm_prices import AFTER_FAILURE_S, LOOK_S, WARM_S, WarmPrices
from tests.unit.services.market_fakes import FakeClock, FakeGateways, quote
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import CALL

KEY = ContractKey("NFO", "NIFTY01DEC2625000CE")


class Desk:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.board = PriceBoard(self.clock)
        self.gateways = FakeGateways(1)
        self.gateways.of(1).priced = {KEY: quote("200", bid="199", ask="201")}
        self.shown = frozenset({KEY})
        quotes = Quotes(self.board, self.gateways, lambda: [1], self.clock)  # type: ignore[arg-type]
        self.prices = WarmPrices(quotes, self.clock, lambda: self.shown)

    @property
    def asked(self) -> int:
        return len(self.gateways.of(1).calls)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_what_a_preview_shows_is_asked_for_again_before_it_is_too_old_to_send_by(desk: Desk) -> None:
    assert desk.prices.step() == LOOK_S
    assert desk.board.age_s(KEY) == 0
    desk.clock.advance(WARM_S)
    desk.prices.step()
    assert desk.asked == 1
    desk.clock.advance(0.1)
    desk.prices.step()
    assert (desk.asked, desk.board.age_s(KEY)) == (2, 0)


def test_while_no_preview_is_shown_nobody_is_asked(desk: Desk) -> None:
    desk.shown = frozenset()
    assert desk.prices.step() == LOOK_S
    assert desk.asked == 0


def test_gateways_that_gave_nothing_are_left_alone_for_a_while(desk: Desk) -> None:
    desk.gateways.of(1).broken = Unreachable("not reached")
    assert desk.prices.step() == AFTER_FAILURE_S


def test_the_contracts_of_a_preview_are_known_until_it_ends(tmp_path: Path) -> None:
    world = OrderWorld(tmp_path, accounts=2)
    at_work = AccountsAtWork(world.database, world.clock, frozenset)
    assert at_work.shown() == frozenset()
    world.request((CALL, Side.BUY, 1))
    world.clock.advance(1)
    assert at_work.shown() == {CALL.key}
    world.clock.advance(timedelta(minutes=2).total_seconds())
    assert at_work.shown() == frozenset()
