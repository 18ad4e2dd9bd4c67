"""The contract master: names, tokens, lots, freezes and strikes as the gateway would list them."""

from datetime import date

import pytest

from simulator.calendar import TradingCalendar
from simulator.contracts import Contract, ContractMaster
from simulator.listing import Listing
from simulator.underlyings import UNDERLYINGS

MONDAY = date(2026, 11, 23)
LEVELS = {u.name: u.level for u in UNDERLYINGS}


@pytest.fixture(scope="module")
def master() -> ContractMaster:
    return Listing(TradingCalendar()).master(MONDAY, LEVELS)


def found(master: ContractMaster, symbol: str, exchange: str) -> Contract:
    contract = master.find(symbol, exchange)
    assert contract is not None, symbol
    return contract


def test_an_option_has_the_recorded_row(master: ContractMaster) -> None:
    row = found(master, "NIFTY01DEC2625000CE", "NFO").master_row()
    assert set(row) == {
        "id", "symbol", "brsymbol", "name", "exchange", "brexchange", "token", "expiry", "strike", "lotsize",
        "instrumenttype", "tick_size", "freeze_qty",
    }  # fmt: skip
    assert row["brsymbol"] == "NIFTY26D0125000CE"
    assert (row["expiry"], row["strike"], row["lotsize"]) == ("01-DEC-26", 25000.0, 65)
    assert (row["tick_size"], row["freeze_qty"], row["instrumenttype"]) == (0.05, 1800, "CE")


@pytest.mark.parametrize(
    ("symbol", "exchange", "token"),
    [
        ("NIFTY", "NSE_INDEX", "256265::::1001"),
        ("SBIN", "NSE", "779521::::3045"),
        ("SBIN", "BSE", "128028676::::500112"),
        ("NIFTY23NOV26FUT", "NFO", "8960258::::35001"),
    ],
)
def test_tokens_are_the_recorded_ones(master: ContractMaster, symbol: str, exchange: str, token: str) -> None:
    assert found(master, symbol, exchange).token == token


def test_lots_freezes_and_ticks_by_underlying(master: ContractMaster) -> None:
    sensex = found(master, "SENSEX26NOV2682600CE", "BFO")
    assert (sensex.lot_units, sensex.freeze_units) == (20, 1)  # unknown on BFO
    bank = found(master, "BANKNIFTY29DEC26FUT", "NFO")
    assert (bank.lot_units, bank.freeze_units, bank.tick_size) == (30, 600, 0.2)


def test_an_index_is_called_eq_and_cannot_be_traded(master: ContractMaster) -> None:
    nifty = found(master, "NIFTY", "NSE_INDEX")
    assert nifty.instrument_type == "EQ"
    assert not nifty.tradable


def test_every_expiry_has_both_sides_of_every_strike_and_forty_steps_each_way(master: ContractMaster) -> None:
    for expiry in master.expiries("NIFTY", "NFO", options=True):
        options = master.options("NIFTY", "NFO", expiry)
        calls = [c.strike for c in options if c.kind == "CE"]
        assert calls == [c.strike for c in options if c.kind == "PE"]
        assert calls == sorted(set(calls))
    near = {c.strike for c in master.options("NIFTY", "NFO", date(2026, 12, 1))}
    assert set(range(23000, 27001, 50)) <= near
    assert min(near) < 22500
    assert max(near) > 27500


def test_banknifty_and_the_others_have_monthlies_only(master: ContractMaster) -> None:
    assert master.expiries("BANKNIFTY", "NFO", options=True)[:2] == [date(2026, 11, 23), date(2026, 12, 29)]


def test_search_wants_every_word_and_stops_at_the_limit(master: ContractMaster) -> None:
    hits = master.search("nifty fut", "NFO")
    assert {c.symbol for c in hits} >= {"NIFTY23NOV26FUT", "BANKNIFTY29DEC26FUT"}
    assert all(c.kind == "FUT" for c in hits)
    assert len(master.search("NIFTY", limit=500)) == 500
    assert master.search("no such thing") == []


def test_symbols_are_case_sensitive_and_unique_by_exchange_only(master: ContractMaster) -> None:
    assert master.find("sbin", "NSE") is None
    assert found(master, "SBIN", "NSE").token != found(master, "SBIN", "BSE").token


def test_a_new_day_keeps_ids_and_tokens_drops_the_expired_and_lists_around_the_new_spot() -> None:
    listing = Listing(TradingCalendar())
    before = listing.master(MONDAY, LEVELS)
    after = listing.master(date(2026, 11, 25), LEVELS | {"NIFTY": 26_500.0})
    old = found(before, "NIFTY01DEC2625000CE", "NFO")
    assert after.find(old.symbol, old.exchange) == old
    assert after.find("NIFTY23NOV2625000CE", "NFO") is None
    assert after.find("NIFTY01DEC2628450CE", "NFO") is not None
    assert len({(c.id, c.exchange) for c in after.all()}) == len(after)
    assert len({c.token for c in after.all()}) == len(after)
