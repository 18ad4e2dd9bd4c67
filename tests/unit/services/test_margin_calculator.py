"""The broker's margin, or the reason why there is none: never 0."""

from decimal import Decimal

import pytest

from app.domain.contracts import Kind, Product, Side
from app.domain.errors import InvalidInput
from app.domain.plan import ResolvedLeg
from app.ports.gateway import GatewayRefused, MarginLeg, TimedOut
from app.services.margin_calculator import MarginCalculator
from app.services.price_board import PriceBoard
from app.services.quotes import Quotes
from tests.unit.services.market_fakes import MONDAY_1030, FakeClock, FakeGateways, option, quote

CALL, PUT = option(25_000), option(25_000, Kind.PE)
LEGS = (
    ResolvedLeg(1, CALL, Side.SELL, 1, Product.NRML, "ATM"),
    ResolvedLeg(2, PUT, Side.SELL, 2, Product.NRML, "ATM"),
)


@pytest.fixture
def gateways() -> FakeGateways:
    gateways = FakeGateways(1, 2)
    for gateway in gateways.gateways.values():
        gateway.priced = {CALL.key: quote("200.5"), PUT.key: quote("180")}
        gateway.margin = Decimal("231500.55")
    return gateways


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def margins(gateways: FakeGateways, clock: FakeClock) -> MarginCalculator:
    quotes = Quotes(PriceBoard(clock), gateways, gateways.order, clock)  # type: ignore[arg-type]
    return MarginCalculator(gateways, quotes, clock, clock)  # type: ignore[arg-type]


def test_the_account_s_own_broker_is_asked_for_the_whole_basket(
    margins: MarginCalculator, gateways: FakeGateways
) -> None:
    figure = margins.basket(2, LEGS, 3)
    assert (figure.amount, figure.source, figure.at) == (Decimal("231500.55"), "Account 2", MONDAY_1030)
    assert gateways.of(2).margin_asked == [
        MarginLeg(CALL.key, Side.SELL, 195, Product.NRML, Decimal("200.5")),  # type: ignore[arg-type]
        MarginLeg(PUT.key, Side.SELL, 390, Product.NRML, Decimal(180)),  # type: ignore[arg-type]
    ]


def test_a_leg_that_is_not_quoted_makes_the_figure_unknown(margins: MarginCalculator, gateways: FakeGateways) -> None:
    for gateway in gateways.gateways.values():
        del gateway.priced[PUT.key]
    figure = margins.basket(1, LEGS, 1)
    assert figure.amount is None
    assert PUT.key.symbol in figure.note
    assert gateways.of(1).margin_asked == []


@pytest.mark.parametrize("error", [GatewayRefused("Margin is not supported."), TimedOut("slow")])
def test_a_gateway_that_gives_none_is_quoted_and_never_read_as_zero(
    margins: MarginCalculator, gateways: FakeGateways, error: GatewayRefused | TimedOut
) -> None:
    gateways.of(1).margin = error
    figure = margins.basket(1, LEGS, 1)
    assert figure.amount is None
    assert str(error) in figure.note


def test_a_margin_of_zero_is_no_margin(margins: MarginCalculator, gateways: FakeGateways) -> None:
    gateways.of(1).margin = Decimal(0)
    assert margins.basket(1, LEGS, 1).amount is None


@pytest.mark.parametrize(
    ("legs", "structures", "field"), [((), 1, "legs"), (LEGS, 0, "structures"), (LEGS * 26, 1, "legs")]
)
def test_what_cannot_be_asked_is_refused_by_field(
    margins: MarginCalculator, legs: tuple[ResolvedLeg, ...], structures: int, field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        margins.basket(1, legs, structures)
    assert refused.value.field == field


def test_a_figure_serves_again_for_half_a_minute_with_its_date(
    margins: MarginCalculator, gateways: FakeGateways, clock: FakeClock
) -> None:
    first = margins.recent(1, LEGS, 1)
    gateways.of(1).margin = Decimal(300_000)
    clock.advance(29)
    assert margins.recent(1, LEGS, 1) == first
    assert margins.recent(1, LEGS, 2).amount == 300_000, "another size is another figure"
    assert margins.recent(2, LEGS, 1).source == "Account 2", "and so is another account's"
    assert margins.recent(1, LEGS[:1], 1).amount == 300_000, "and other legs"
    assert margins.basket(1, LEGS, 1).amount == 300_000, "what is frozen is asked for anew"
    clock.advance(2)
    assert margins.recent(1, LEGS, 1).amount == 300_000


def test_what_was_not_told_is_asked_for_again(margins: MarginCalculator, gateways: FakeGateways) -> None:
    gateways.of(1).margin = GatewayRefused("Not supported by this broker.")
    assert margins.recent(1, LEGS, 1).amount is None
    gateways.of(1).margin = Decimal(300_000)
    assert margins.recent(1, LEGS, 1).amount == 300_000
