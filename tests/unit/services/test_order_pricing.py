"""Limits that stand for "market": protected, on the tick, and only as far away as an exit that rested has earned."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from app.domain.contracts import Kind, PriceType, Side
from app.domain.errors import Denied, NoFreshPrice
from app.domain.market_rules import DEFAULT_RULES, MissingRule, RuleBook
from app.domain.prices import Price, Touch
from app.persistence.tables import Intent, StrategyExecution
from app.services.order_pricing import LAST_RESORT_AFTER, OrderPricing
from app.services.order_request import order_request
from tests.unit.services.market_fakes import FakeClock
from tests.unit.services.pretend_broker import CALL


class Market:
    """One touch for everything; `asked` remembers for whose account."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.bid: Decimal | None = Decimal("99.50")
        self.ask: Decimal | None = Decimal("100.00")
        self.none = False
        self.age_s = 0.0
        self.asked: list[int | None] = []
        self.gateway_asked = 0

    def touch(self, key: object, max_age_s: float, account_id: int | None = None) -> Touch:  # noqa: ARG002 - the real one's
        self.asked.append(account_id)
        if self.none:
            raise NoFreshPrice(f"{key} has no price")
        received_at = self.clock.now() - timedelta(seconds=self.age_s)
        return Touch(self.bid, self.ask, Price(Decimal("99.80"), "feed", None, received_at))

    def from_gateway(self, key: object) -> Touch:
        self.gateway_asked += 1
        self.age_s = 0.0
        return self.touch(key, 1.0)


class Rules:
    def __init__(self) -> None:
        self.rules = RuleBook(DEFAULT_RULES)

    def book(self) -> RuleBook:
        return self.rules


@pytest.fixture
def market() -> Market:
    return Market(FakeClock())


@pytest.fixture
def rules() -> Rules:
    return Rules()


@pytest.fixture
def pricing(market: Market, rules: Rules) -> OrderPricing:
    quotes: Any = market
    table: Any = rules
    return OrderPricing(quotes, table, market.clock, market.clock, max_age_s=1.0)


def execution() -> StrategyExecution:
    return StrategyExecution(
        underlying="NIFTY", exchange=CALL.key.exchange, symbol=CALL.key.symbol, kind=Kind.CE.value,
        expiry=date(2026, 12, 1).isoformat(), strike=Decimal(25_000), lot_size=65, tick=Decimal("0.05"), freeze=1800,
    )  # fmt: skip


def out(side: Side) -> Intent:
    return Intent(purpose="EXIT", side=side.value, account_id=7, generation=9)


def test_an_entry_pays_the_touch_and_its_buffer(pricing: OrderPricing) -> None:
    assert pricing.entry(CALL, Side.BUY) == (Decimal("102.00"), Decimal("106.05"))
    assert pricing.entry(CALL, Side.SELL)[0] == Decimal("96.55")


@pytest.mark.parametrize("side", list(Side))
def test_each_exit_that_rested_gives_a_step_more_and_the_last_the_edge(pricing: OrderPricing, side: Side) -> None:
    limits = [
        pricing.limit(out(side), execution(), rested).limit * side.sign for rested in range(LAST_RESORT_AFTER + 3)
    ]
    assert limits == sorted(limits)
    assert len(set(limits)) == LAST_RESORT_AFTER + 1
    edge = {Side.BUY: Decimal("139.70"), Side.SELL: Decimal("-59.90")}
    assert limits[-1] == edge[side]


def test_how_often_an_exit_was_refused_says_nothing_about_its_price(pricing: OrderPricing) -> None:
    assert pricing.limit(out(Side.BUY), execution(), 0).limit == Decimal("102.00")


def test_an_exit_may_ask_its_own_account_for_a_price(pricing: OrderPricing, market: Market) -> None:
    pricing.limit(out(Side.BUY), execution(), 0)
    assert market.asked == [7]


def test_without_anybody_on_the_far_side_the_last_price_counts(pricing: OrderPricing, market: Market) -> None:
    market.ask = None
    assert pricing.entry(CALL, Side.BUY)[0] == Decimal("102.75")


def test_no_price_is_no_limit(pricing: OrderPricing, market: Market) -> None:
    market.none = True
    with pytest.raises(NoFreshPrice):
        pricing.limit(out(Side.BUY), execution(), LAST_RESORT_AFTER)


def test_a_price_that_grows_too_old_while_it_is_reckoned_with_is_asked_for_again(
    pricing: OrderPricing, market: Market
) -> None:
    """The board's was young enough when it was looked at: a busy machine needs its time to the next line."""
    market.age_s = 1.001
    assert pricing.entry(CALL, Side.BUY)[0] == Decimal("102.00")
    market.age_s = 1.001
    assert pricing.limit(out(Side.BUY), execution(), 0).limit == Decimal("102.00")
    assert market.gateway_asked == 2


def test_a_hole_in_the_rules_is_named(pricing: OrderPricing, rules: Rules) -> None:
    rules.rules = RuleBook(())
    with pytest.raises(MissingRule):
        pricing.entry(CALL, Side.BUY)


def typed(price_type: PriceType, limit: str | None, trigger: str | None = None, side: Side = Side.BUY) -> Intent:
    return Intent(
        purpose="ENTRY", side=side.value, account_id=7, generation=1, price_type=price_type.value,
        limit_price=limit and Decimal(limit), trigger_price=trigger and Decimal(trigger),
    )  # fmt: skip


def test_a_typed_price_is_sent_as_typed(pricing: OrderPricing) -> None:
    """However far from the touch: it is the trader's, as long as the exchange takes it."""
    assert pricing.limit(typed(PriceType.LIMIT, "60.05"), execution(), 0).limit == Decimal("60.05")
    assert pricing.limit(typed(PriceType.SL, "111", "110"), execution(), 0).limit == Decimal(111)


@pytest.mark.parametrize(
    ("intent", "code"),
    [
        (typed(PriceType.LIMIT, "59.85"), "OUTSIDE_BAND"),  # 40 % around 99.80
        (typed(PriceType.LIMIT, "139.75"), "OUTSIDE_BAND"),
        (typed(PriceType.SL, "139.75", "110"), "OUTSIDE_BAND"),
        (typed(PriceType.LIMIT, "100.02"), "BAD_PRICE"),
        (typed(PriceType.LIMIT, None), "BAD_PRICE"),
        (typed(PriceType.SL, "109", "110"), "BAD_PRICE"),
        (typed(PriceType.SLM, None, "110"), "BAD_PRICE"),  # an option
        (typed(PriceType.SL, "111", "99.80"), "TRIGGER_REACHED"),
        (typed(PriceType.SL, "99", "99.80", Side.SELL), "TRIGGER_REACHED"),
    ],
)
def test_what_may_not_go_as_typed(intent: Intent, code: str, pricing: OrderPricing) -> None:
    with pytest.raises(Denied) as no:
        pricing.limit(intent, execution(), 0)
    assert no.value.code == code
    assert CALL.key.symbol in str(no.value)


def test_a_stop_at_market_of_a_future_is_reckoned_at_its_trigger(pricing: OrderPricing) -> None:
    future = execution()
    future.kind, future.strike = Kind.FUT.value, None
    intent = typed(PriceType.SLM, None, "101")
    assert pricing.limit(intent, future, 0).limit == Decimal(101)
    intent.exchange, intent.symbol, intent.units, intent.product = "NFO", "NIFTY29DEC26FUT", 65, "NRML"
    sent = order_request(intent, Decimal(101))
    assert (sent.price_type, sent.price, sent.trigger_price) == (PriceType.SLM, Decimal(0), Decimal(101))


def test_a_typed_price_needs_a_fresh_quote_too(pricing: OrderPricing, market: Market) -> None:
    market.none = True
    with pytest.raises(NoFreshPrice):
        pricing.limit(typed(PriceType.LIMIT, "100"), execution(), 0)
