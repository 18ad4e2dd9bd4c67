"""Rows of a chain on the wire: by place, only what changed, each in full now and then, ages that became younger."""

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from app.engine.chain_rows_sent import GREEKS, PRICES, TURNS, RowsSent
from app.services.chain_view import ChainRow, ChainSide, ChainView, OptionFigures
from tests.unit.services.market_fakes import EXPIRY, option

FIGURES = OptionFigures(Decimal("11.44"), Decimal("-0.512"), Decimal("0.001104"), Decimal("-11.42"), Decimal("9.18"))
SIDE = ChainSide(
    option(25_000).key,
    "ATM",
    ltp=Decimal("1234.5"),
    change=Decimal("-0.4"),
    bid=Decimal("1234.45"),
    ask=None,
    volume=130_000,
    oi=65_000,
    oi_change=-650,
    oi_bar=50,
    age_s=0.2,
    figures=FIGURES,
)


def view(*sides: ChainSide, layout: int = 1) -> ChainView:
    """A row for each call; nobody lists a put."""
    rows = [ChainRow(Decimal(25_000 + n), n == 0, False, side, None) for n, side in enumerate(sides)]
    return ChainView("NIFTY", ("NIFTY",), EXPIRY, (date(2026, 12, 1),), layout=layout, rows=tuple(rows))


@pytest.fixture
def sent() -> RowsSent:
    """The row was told at 100 s."""
    sent = RowsSent(PRICES)
    assert sent.news(view(SIDE), 100.0) == "0+|1,234.50|-0.40|1,234.45|?|11.4|-0.51|1.30 L|65,000|50|-650"
    return sent


def test_what_did_not_change_is_not_told(sent: RowsSent) -> None:
    assert sent.news(view(replace(SIDE, age_s=0.4)), 100.2) == ""


def test_a_changed_figure_stands_at_its_place_and_nothing_behind_it(sent: RowsSent) -> None:
    assert sent.news(view(replace(SIDE, ask=Decimal("1234.55"), age_s=0.1)), 100.5) == "0+||||1,234.55"


def test_a_figure_that_moved_without_a_newer_price_makes_no_price_young(sent: RowsSent) -> None:
    figures = replace(FIGURES, iv=Decimal("11.6"))
    assert sent.news(view(replace(SIDE, figures=figures, age_s=3.2)), 103.0) == "0|||||11.6"


def test_what_reads_the_same_is_not_told_again(sent: RowsSent) -> None:
    assert sent.news(view(replace(SIDE, volume=130_065, age_s=0.4)), 100.2) == ""


def test_a_figure_that_is_lost_is_told_as_unknown(sent: RowsSent) -> None:
    assert sent.news(view(replace(SIDE, figures=None, age_s=0.4)), 100.2) == "0|||||?|?"


def test_a_price_confirmed_without_change_is_told_by_the_second(sent: RowsSent) -> None:
    assert sent.news(view(replace(SIDE, age_s=0.1)), 100.5) == ""
    assert sent.news(view(replace(SIDE, age_s=0.1)), 101.0) == "0+"
    assert sent.news(view(replace(SIDE, age_s=1.5)), 104.0) == "0+1.5"


def test_each_row_is_told_in_full_once_in_all_turns(sent: RowsSent) -> None:
    sides = [replace(SIDE, age_s=2.0) for _ in range(41)]
    sent.news(view(*sides), 100.0)
    whole = []
    for turn in range(TURNS):
        told = sent.news(view(*(replace(side, age_s=2.0 + turn / 4) for side in sides)), 100.0 + turn / 4)
        rows = [row for row in told.split(";") if row]
        assert len(rows) <= 5, "never all in one message"
        assert all(re.fullmatch(r"\d+\+\d\.\d\|1,234\.50\|.*\|-650", row) for row in rows)
        whole += [row.split("+")[0] for row in rows]
    assert sorted(whole, key=int) == [str(2 * n) for n in range(41)]


def test_other_strikes_are_told_from_the_beginning(sent: RowsSent) -> None:
    assert sent.news(view(SIDE, layout=2), 100.2).startswith("0+|1,234.50")


def test_greeks_are_told_by_themselves_without_ages() -> None:
    sent = RowsSent(GREEKS, with_ages=False)
    assert sent.news(view(SIDE), 100.0) == "0|0.00110|-11.42|9.18"
    assert sent.news(view(replace(SIDE, age_s=0.0)), 105.0) == ""
