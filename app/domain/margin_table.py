"""What a structure needs as margin where no broker says so: a table of rupees for each lot, kept by admins."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from app.domain.contracts import ContractKey, Kind, Side
from app.domain.errors import NoFreshPrice, Refused
from app.domain.money import ZERO
from app.domain.plan import ResolvedLeg


class Need(StrEnum):
    """What is held: one short option, a short call and a short put together, or a future on either side."""

    SELL_ONE = "ce_or_pe_sell"
    SELL_BOTH = "ce_and_pe_sell"
    FUTURE = "futures"

    @property
    def words(self) -> str:
        return _NEEDS[self]


class Day(StrEnum):
    """Whether the contract itself expires on the day in question."""

    EXPIRY = "expiry_day"
    OTHER = "other_days"

    @property
    def words(self) -> str:
        return "expiry day" if self is Day.EXPIRY else "other days"


_NEEDS = {Need.SELL_ONE: "CE or PE sell", Need.SELL_BOTH: "CE and PE sell", Need.FUTURE: "futures"}


@dataclass(frozen=True, slots=True)
class Requirement:
    """Rupees for one lot (SELL_BOTH: for one lot of each together), above 0. `source` says where that was read."""

    underlying: str
    need: Need
    day: Day
    amount: Decimal
    source: str

    @property
    def words(self) -> str:
        return f"{self.underlying}, {self.need.words}, {self.day.words}"


class MissingRequirement(Refused):
    """The table has no such row. Nobody is sized on a guess; an admin adds it."""

    def __init__(self, underlying: str, need: Need, day: Day) -> None:
        super().__init__(
            f"The margin requirements have no row for {underlying}, {need.words}, {day.words}. "
            "Add it under Margin, Requirements."
        )


class RequirementTable:
    """Immutable."""

    def __init__(self, rows: Iterable[Requirement]) -> None:
        self._rows = {(row.underlying, row.need, row.day): row for row in rows}

    def of(self, underlying: str, need: Need, day: Day) -> Requirement:
        """Raises MissingRequirement."""
        row = self._rows.get((underlying, need, day))
        if row is None:
            raise MissingRequirement(underlying, need, day)
        return row

    def of_structure(
        self, legs: Sequence[ResolvedLeg], premiums: Mapping[ContractKey, Decimal], today: date
    ) -> tuple[Decimal, tuple[Requirement, ...]]:
        """Rupees for the legs once, and the rows that were used.

        A short call and a short put of one index and expiry count together as far as both are there. What is bought is
        paid for and lowers nothing: a table knows no hedge. Raises MissingRequirement, NoFreshPrice for a bought option
        without a premium.
        """
        lots: dict[tuple[str, date], dict[Kind, int]] = defaultdict(lambda: defaultdict(int))
        total, used = ZERO, []
        for leg in legs:
            if leg.contract.kind is not Kind.FUT and leg.side is Side.BUY:
                total += premium_of(leg, premiums)
            else:
                lots[leg.contract.underlying, leg.contract.expiry][leg.contract.kind] += leg.ratio
        for (underlying, expiry), held in lots.items():
            day = Day.EXPIRY if expiry == today else Day.OTHER
            for need, count in _counted(held):
                row = self.of(underlying, need, day)
                used.append(row)
                total += row.amount * count
        return total, tuple(used)


def _counted(held: Mapping[Kind, int]) -> list[tuple[Need, int]]:
    calls, puts, futures = held.get(Kind.CE, 0), held.get(Kind.PE, 0), held.get(Kind.FUT, 0)
    both = min(calls, puts)
    found = [(Need.SELL_BOTH, both), (Need.SELL_ONE, calls + puts - 2 * both), (Need.FUTURE, futures)]
    return [(need, count) for need, count in found if count]


def premium_of(leg: ResolvedLeg, premiums: Mapping[ContractKey, Decimal]) -> Decimal:
    """Rupees that a bought leg of one structure costs now. Raises NoFreshPrice."""
    price = premiums.get(leg.contract.key)
    if price is None:
        raise NoFreshPrice(f"{leg.contract.key.symbol} has no fresh premium to be paid. Wait for it to be quoted.")
    return price * leg.ratio * leg.contract.lot_size


def are_all_bought_options(legs: Sequence[ResolvedLeg]) -> bool:
    """Whether the structure only pays premiums: cash buys it, and collateral does not."""
    return all(leg.side is Side.BUY and leg.contract.kind is not Kind.FUT for leg in legs)
