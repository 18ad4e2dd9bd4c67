"""Lists the contracts of a trading day around the spot prices, keeping what was listed before until it expires."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache

from simulator.calendar import TradingCalendar
from simulator.contracts import Contract, ContractKey, ContractMaster, Kind
from simulator.expiries import monthly_expiries, quarterly_expiries, weekly_expiries
from simulator.underlyings import UNDERLYINGS, VIX, Underlying

NEAR_STEPS = 40
COARSE = 4
REACH = 0.12
"""Coarse strikes go this far from spot, as a fraction."""

SEGMENT = {"NSE": 1, "NFO": 2, "BSE": 4, "BFO": 5, "NSE_INDEX": 9, "BSE_INDEX": 9}
FIRST_TOKEN = {"NFO": 35_001, "BFO": 820_001}
MONTH_LETTER = "123456789OND"


class Listing:
    """Makes each day's contract master; ids and tokens of a contract stay the same while it lives."""

    def __init__(
        self,
        calendar: TradingCalendar,
        known: Mapping[ContractKey, Contract] | None = None,
        next_token: Mapping[str, int] | None = None,
    ) -> None:
        """Nothing is listed yet unless told otherwise."""
        self._calendar = calendar
        self._known = dict(known or {})
        self._next_token = dict(next_token or FIRST_TOKEN)

    def copy(self) -> Listing:
        """One that goes on from here by itself."""
        return Listing(self._calendar, self._known, self._next_token)

    def master(self, day: date, spots: Mapping[str, float]) -> ContractMaster:
        """The contracts of `day`; spots are rupees by underlying name."""
        self._known = {k: c for k, c in self._known.items() if c.expiry is None or c.expiry >= day}
        for underlying in (*UNDERLYINGS[:3], VIX, *UNDERLYINGS[3:]):
            self._list_cash(underlying)
        for underlying in UNDERLYINGS:
            if underlying.lot_units:
                self._list_futures(underlying, day)
        for underlying in UNDERLYINGS:
            if underlying.has_options:
                self._list_options(underlying, day, spots[underlying.name])
        return ContractMaster(self._known.values())

    def _list_cash(self, u: Underlying) -> None:
        kind: Kind = "INDEX" if u.is_index else "EQ"
        self._add_cash(u, kind, u.exchange, u.token)
        if u.bse_token is not None:
            self._add_cash(u, kind, "BSE", u.bse_token)

    def _add_cash(self, u: Underlying, kind: Kind, exchange: str, token: int) -> None:
        key = ContractKey(u.name, exchange)
        if key in self._known:
            return
        self._known[key] = Contract(
            id=len(self._known) + 1,
            symbol=u.name,
            exchange=exchange,
            broker_symbol=u.full_name if u.is_index else u.name,
            broker_exchange=exchange.removesuffix("_INDEX"),
            name=u.full_name,
            token=_token_text(token, exchange),
            expiry=None,
            strike=0.0,
            lot_units=1,
            kind=kind,
            tick_size=u.tick,
            freeze_units=1,
            underlying=u.name,
        )

    def _list_futures(self, u: Underlying, day: date) -> None:
        for expiry in monthly_expiries(self._calendar, day, u.monthly_weekday):
            broker = f"{u.name}{expiry:%y%b}FUT".upper()
            self._add_derivative(u, expiry, "FUT", 0.0, f"{u.name}{_ddmmmyy(expiry)}FUT", broker)

    def _list_options(self, u: Underlying, day: date, spot: float) -> None:
        monthlies = monthly_expiries(self._calendar, day, u.monthly_weekday)
        quarterlies = quarterly_expiries(self._calendar, day, u.monthly_weekday)
        weeklies = [] if u.weekly_weekday is None else weekly_expiries(self._calendar, day, u.weekly_weekday)
        for expiry in sorted({*weeklies, *monthlies}):
            self._list_ladder(u, expiry, expiry in monthlies, near_and_far_strikes(spot, u.strike_step))
        for expiry in quarterlies:
            self._list_ladder(u, expiry, True, coarse_strikes(spot, u.strike_step))

    def _list_ladder(self, u: Underlying, expiry: date, monthly: bool, strikes: list[int]) -> None:
        broker = _broker_stem(u.name, expiry, monthly=monthly)
        for strike in strikes:
            for side in _SIDES:
                symbol = f"{u.name}{_ddmmmyy(expiry)}{strike}{side}"
                self._add_derivative(u, expiry, side, float(strike), symbol, f"{broker}{strike}{side}")

    def _add_derivative(
        self, u: Underlying, expiry: date, kind: Kind, strike: float, symbol: str, broker_symbol: str
    ) -> None:
        key = ContractKey(symbol, u.derivatives)
        if key in self._known:
            return
        token = self._next_token[u.derivatives]
        self._next_token[u.derivatives] += 1
        self._known[key] = Contract(
            id=token - FIRST_TOKEN[u.derivatives] + (101 if u.derivatives == "NFO" else 50_001),
            symbol=symbol,
            exchange=u.derivatives,
            broker_symbol=broker_symbol,
            broker_exchange=u.derivatives,
            name=u.name,
            token=_token_text(token, u.derivatives),
            expiry=expiry,
            strike=strike,
            lot_units=u.lot_units,
            kind=kind,
            tick_size=u.future_tick if kind == "FUT" else 0.05,
            freeze_units=u.freeze_units,
            underlying=u.name,
        )


def first_day(calendar: TradingCalendar, day: date, spots: Mapping[str, float]) -> tuple[Listing, ContractMaster]:
    """What a market that begins so lists, and what goes on listing for it. Made once: it takes most of a reset."""
    listing, listed = _made_once(calendar, day, tuple(spots.items()))
    return listing.copy(), listed


@lru_cache(maxsize=16)
def _made_once(
    calendar: TradingCalendar, day: date, spots: tuple[tuple[str, float], ...]
) -> tuple[Listing, ContractMaster]:
    listing = Listing(calendar)
    return listing, listing.master(day, dict(spots))


_SIDES: tuple[Kind, Kind] = ("CE", "PE")


def near_and_far_strikes(spot: float, step: int) -> list[int]:
    """Every step within NEAR_STEPS of spot, and every fourth out to REACH, ascending."""
    middle = round(spot / step) * step
    near = range(middle - NEAR_STEPS * step, middle + NEAR_STEPS * step + 1, step)
    return sorted({*near, *coarse_strikes(spot, step)})


def coarse_strikes(spot: float, step: int) -> list[int]:
    """Every fourth step out to REACH, ascending."""
    wide = step * COARSE
    low, high = round(spot * (1 - REACH) / wide), round(spot * (1 + REACH) / wide)
    return [n * wide for n in range(low, high + 1)]


def _ddmmmyy(day: date) -> str:
    return f"{day:%d%b%y}".upper()


def _broker_stem(name: str, expiry: date, *, monthly: bool) -> str:
    if monthly:
        return f"{name}{expiry:%y%b}".upper()
    return f"{name}{expiry:%y}{MONTH_LETTER[expiry.month - 1]}{expiry:%d}"


def _token_text(token: int, exchange: str) -> str:
    return f"{token * 256 + SEGMENT[exchange]}::::{token}"
