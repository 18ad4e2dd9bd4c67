"""Legs typed as lines."""

from datetime import date
from decimal import Decimal

import pytest

from app.domain.contracts import Kind, Product, Side
from app.domain.errors import InvalidInput
from app.domain.leg_lines import legs_of_lines
from app.domain.strategy import ExpiryWord, StrikeMethod, StrikeRule

DAY = date(2026, 12, 1)


@pytest.mark.parametrize(
    ("line", "side", "kind", "strike", "ratio"),
    [
        ("SELL CE ATM", Side.SELL, Kind.CE, StrikeRule(StrikeMethod.ATM), 1),
        ("  buy pe otm 4  x2 ", Side.BUY, Kind.PE, StrikeRule(StrikeMethod.OTM, Decimal(4)), 2),
        ("sell ce itm 1 x 3", Side.SELL, Kind.CE, StrikeRule(StrikeMethod.ITM, Decimal(1)), 3),
        ("BUY CE 26400", Side.BUY, Kind.CE, StrikeRule(StrikeMethod.STRIKE, Decimal(26400)), 1),
        ("BUY CE NEAR 50.5", Side.BUY, Kind.CE, StrikeRule(StrikeMethod.PREMIUM_NEAR, Decimal("50.5")), 1),
        ("SELL FUT", Side.SELL, Kind.FUT, None, 1),
    ],
)
def test_a_line_is_a_leg(line: str, side: Side, kind: Kind, strike: StrikeRule | None, ratio: int) -> None:
    (leg,) = legs_of_lines(line, "NIFTY", DAY, Product.MIS)
    assert (leg.side, leg.kind, leg.strike, leg.ratio, leg.expiry, leg.product) == (
        side,
        kind,
        strike,
        ratio,
        DAY,
        Product.MIS,
    )


def test_lines_are_numbered_without_the_empty_ones() -> None:
    legs = legs_of_lines("SELL CE ATM\n\nSELL PE ATM\n", "NIFTY", ExpiryWord.CURRENT_WEEK)
    assert [(leg.number, leg.kind) for leg in legs] == [(1, Kind.CE), (2, Kind.PE)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Type 1 to"),
        ("SELL CE ATM\n" * 21, "Type 1 to"),
        ("SELL CE ATM\nSELL CE", "Line 2"),
        ("HOLD CE ATM", "Line 1"),
        ("SELL CE OTM", "Line 1"),
        ("SELL FUT ATM", "Line 1"),
        ("SELL CE ATM x", "Line 1"),
        ("SELL CE २६४००", "Line 1"),
    ],
)
def test_what_is_no_leg_is_named_by_its_line(text: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words) as refused:
        legs_of_lines(text, "NIFTY", DAY)
    assert refused.value.field == "legs"
