"""The payoff on the builder's page, and as it is asked for again while legs and sliders move."""

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from app.persistence.tables import Strategy
from tests.run_maker import read
from tests.strategy_forms import fields
from tests.trading_desk import CE, NIFTY, PE, TradingBench, sent, trading_bench


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TradingBench]:
    with trading_bench(tmp_path) as made:
        yield made


def priced(desk: TradingBench) -> TradingBench:
    desk.price(NIFTY, "26184.35")
    desk.price(CE.key, "128.20")
    desk.price(PE.key, "121.80")
    return desk


def asked(desk: TradingBench, **changes: Any) -> str:
    answer = sent(desk.admin(), "/strategies/payoff", fields([], action=None, **changes))
    assert answer.status_code == 200, answer.text
    return answer.text


def curve(page: str) -> dict[str, Any]:
    found = re.search(r'data-curve="([^"]*)"', page)
    assert found, page
    drawn: dict[str, Any] = json.loads(html.unescape(found[1]))
    return drawn


def test_a_short_straddle_shows_its_ends_its_break_evens_and_its_credit(desk: TradingBench) -> None:
    page = asked(priced(desk))
    words = read(page)
    assert "Max profit +32,500" in words, "250 points, 2 structures of 65 units"
    assert "Max loss unlimited" in words
    assert "25,950 −0.90%" in words
    assert "26,450 +1.01%" in words
    assert "Net credit ₹32,500.00" in words
    drawn = curve(page)
    assert drawn["day"] is None, "no forward: the days before expiry are not made up"
    assert "Only the payoff at expiry is drawn." in words
    at = dict(zip(drawn["spots"], drawn["expiry"], strict=True))
    assert at[26200.0] == 32_500
    assert at[26184.35] == pytest.approx(32_500 - 15.65 * 130)


def test_the_index_slider_moves_the_place_that_is_read_off(desk: TradingBench) -> None:
    words = read(asked(priced(desk), whatif_spot="2"))
    assert "At expiry, at 26,708.04" in words
    assert "−33,545" in words


def test_what_has_no_price_is_said_and_nothing_is_drawn(desk: TradingBench) -> None:
    desk.price(NIFTY, "26184.35")
    desk.price(CE.key, "128.20")
    page = asked(desk)
    assert "Leg 2: NIFTY 01 DEC 26 26,200 PE has had no price yet." in read(page)
    assert "data-curve" not in page


def test_a_leg_that_cannot_be_read_is_named_and_a_slider_too(desk: TradingBench) -> None:
    form = fields([], action=None, **{"legs-1-ratio": "0", "whatif_days": "-1"})
    answer = sent(desk.admin(), "/strategies/payoff", form)
    assert answer.status_code == 422
    assert "legs-1-ratio" in answer.text
    assert "whatif_days" in answer.text


@pytest.mark.parametrize("name", ["whatif_spot", "whatif_iv", "whatif_days"])
@pytest.mark.parametrize("text", ["NaN", "inf", "9" * 400, "1e3", "1e309", "١٢", "1.0000001", "", "500", "-500", "two"])
def test_a_slider_stands_nowhere_else_than_on_its_scale(desk: TradingBench, name: str, text: str) -> None:
    answer = sent(desk.admin(), "/strategies/payoff", fields([], action=None, **{name: text}))
    assert (answer.status_code, name in answer.text) == (422, True)


def test_the_builder_opens_with_the_payoff_of_its_legs_and_looking_saves_nothing(desk: TradingBench) -> None:
    priced(desk)
    page = desk.admin().get("/strategies/new?template=straddle").text
    assert curve(page)["spot"] == 26184.35
    assert "There are no legs yet." in read(desk.admin().get("/strategies/new").text)
    with desk.bench.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Strategy)) == 0


def test_what_is_typed_as_the_price_is_what_it_is_entered_at(desk: TradingBench) -> None:
    limit = {"legs-0-price_type": "LIMIT", "legs-0-limit_price": "140"}
    words = read(asked(priced(desk), **limit))
    assert "Net credit ₹34,034.00" in words, "261.80 points"
    assert "140.00 typed" in words


def test_without_an_account_no_broker_is_asked_for_the_margin(desk: TradingBench) -> None:
    answer = sent(desk.admin(), "/strategies/payoff/margin", fields([], action=None))
    assert answer.status_code == 200
    assert "No account takes part" in read(answer.text)
