"""A tape: one contract on one day, with all that stays the same through the day and shapes its prices and volume."""

import math
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from simulator.calendar import DERIVATIVES_CLOSE, ist
from simulator.contracts import Contract
from simulator.interest import interest_of_day
from simulator.noise import key_of
from simulator.paths import SESSION_S, DayPath
from simulator.underlyings import BY_NAME
from simulator.volatility import YEAR_S

MOST_OPENED = 1.5
"""Lots traded for each by which a day changes the open interest: no more can be opened or closed than is traded."""
SLOWEST = 128
"""Grid steps between trades of the least traded contract: 32 s, so every minute has a trade."""


@dataclass
class Offset:
    """A price set by hand: from `start` on, `rupees` are added to the model's price."""

    start: int
    rupees: float


@dataclass
class Tape:
    """Constants of a contract's day. `interval` is grid steps between trades, `phase` which of them it uses."""

    contract: Contract
    path: DayPath
    key: np.uint64
    interval: int
    phase: int
    lots_a_day: float
    open_interest_lots: float
    """With which the day begins: what the day before ended with."""
    closing_interest_lots: float
    spread_share: float
    """Half the bid-ask spread as a fraction of the premium."""
    years_at_open: float
    offsets: list[Offset] = field(default_factory=list)

    def last_trade(self, step: int) -> int:
        """The latest trade step at or before `step`."""
        return max(0, step - (step - self.phase) % self.interval)

    @property
    def last_step(self) -> int:
        """The step at which this contract's market closes."""
        return self.path.last_step if self.contract.is_derivative else self.path.cash_steps


def make_tape(seed: int, contract: Contract, path: DayPath) -> Tape:
    """Work out a contract's constants for a day, from the day's previous close so that pushes change nothing."""
    key = key_of(seed, "tape", contract.symbol, contract.exchange, path.day)
    away, years = _distance(contract, path)
    months = years * 12
    interval = _interval(contract, away, months)
    fine = SESSION_S / path.last_step < 1
    busyness = BY_NAME[contract.underlying].busyness if contract.underlying in BY_NAME else 0.0
    before, after = (lots * busyness for lots in interest_of_day(contract, path))
    return Tape(
        contract=contract,
        path=path,
        key=np.uint64(key),
        interval=interval if fine else 1,
        phase=key % interval if fine else 0,
        lots_a_day=_lots_a_day(contract, away, months) * busyness + MOST_OPENED * abs(after - before),
        open_interest_lots=before,
        closing_interest_lots=after,
        spread_share=(0.0006 + 0.0014 * min(away, 4.0)) * (1 + 0.4 * min(months, 4.0)),
        years_at_open=years,
    )


def years_to_expiry(expiry: date, day: date) -> float:
    """Calendar years from a day's opening to the expiry's close; negative after it."""
    opening = ist(day, DERIVATIVES_CLOSE).timestamp() - SESSION_S
    return (ist(expiry, DERIVATIVES_CLOSE).timestamp() - opening) / YEAR_S


def _distance(contract: Contract, path: DayPath) -> tuple[float, float]:
    """How many standard deviations the strike is from yesterday's close, and years to expiry at the opening."""
    if contract.expiry is None:
        return 0.0, 0.0
    years = years_to_expiry(contract.expiry, path.day)
    if not contract.is_option:
        return 0.0, years
    scale = BY_NAME[contract.underlying].volatility * math.sqrt(max(years, 1 / 365))
    return abs(math.log(contract.strike / path.prev_close)) / scale, years


def _interval(contract: Contract, away: float, months: float) -> int:
    if contract.kind == "INDEX":
        return 1
    if not contract.is_option:
        return 2 if months < 1.5 else 4
    slowness = away * 1.6 + max(0.0, months - 0.3) * 1.2
    return int(min(SLOWEST, 2 * 2 ** int(slowness)))


def _lots_a_day(contract: Contract, away: float, months: float) -> float:
    if contract.kind == "INDEX":
        return 0.0
    if contract.kind == "EQ":
        return 6_000_000.0
    if contract.kind == "FUT":
        return 60_000.0 / (1 + 4 * int(months))
    return max(20.0, 900_000.0 * math.exp(-0.5 * (away / 0.9) ** 2) / (1 + 6 * months))
