"""Candles as scripts get them: gaps and completeness are said, what nobody knows is null, bad legs are refused."""

import json

import pytest

from app.api.candles import as_json
from app.domain.contracts import Contract, ContractKey
from app.domain.errors import InvalidInput, NotFound
from app.services.candle_series import Subject
from app.web.candle_subject import minutes_in, subject_in
from tests.unit.services.candle_market import INDEX, OPENS, Market
from tests.unit.services.market_fakes import NIFTY, option

LISTED = option(25000)


def no_list(_key: ContractKey) -> Contract | None:
    return None


def test_candles_say_what_is_complete_and_what_nobody_saw() -> None:
    market = Market(-1)
    market.store.follow(INDEX, market.ring)
    market.run(61, (NIFTY, 100.0))
    market.lose()
    market.run(120)
    market.run(30, (NIFTY, 101.5))
    found = as_json(market.view())
    assert json.loads(json.dumps(found)) == found
    assert found["legs"] == [{"exchange": "NSE_INDEX", "symbol": "NIFTY", "ratio": 1.0}]
    assert [(each["complete"], each["gap"], each["standing"]) for each in found["candles"]] == [
        (True, False, "final"), (True, True, "gapped"), (True, True, "gapped"),
        (False, True, "growing"),  # the first price after a loss counts once it is borne out
    ]  # fmt: skip
    assert [each["close"] for each in found["candles"]] == [100.0, 100.0, None, 101.5]
    assert found["candles"][0]["from"] == OPENS.isoformat()
    assert len(found["gaps"]) == 1
    assert (found["trouble"], found["note"]) == (None, "Nothing has been read from history yet.")


def test_legs_are_read_with_their_ratios() -> None:
    assert subject_in(["NSE_INDEX:NIFTY"], no_list) == Subject.of(NIFTY)

    def any_contract(key: ContractKey) -> Contract | None:
        return LISTED if key == LISTED.key else None

    assert subject_in([f"NFO:{LISTED.key.symbol}:-1.5"], any_contract).legs == ((LISTED.key, -1.5),)


@pytest.mark.parametrize(
    "text", ["", "NIFTY", "NSE_INDEX:", "nse_index:NIFTY", "NSE_INDEX:NIFTY:x", "NSE_INDEX:NIFTY:0"]
)
def test_legs_that_cannot_be_read_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        subject_in([text], no_list)


def test_what_is_not_listed_has_no_candles() -> None:
    with pytest.raises(NotFound, match="NOPE"):
        subject_in(["NFO:NOPE"], no_list)


@pytest.mark.parametrize("text", ["", "x", "5.0", "-5", "99999"])
def test_minutes_are_a_whole_number(text: str) -> None:
    with pytest.raises(InvalidInput):
        minutes_in(text)
