"""What a broker takes for an order in one account: from a day on, until the next."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from app.domain.errors import InvalidInput
from app.domain.money import ZERO
from app.domain.wording import inr

MOST = Decimal(1000)
"""Rupees for one order: beyond that somebody has mistyped."""
MOST_PERCENT = Decimal(5)
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Tariff:
    """Rupees for each order (`flat`), or so many percent of its turnover and at most `cap` rupees; None for no cap."""

    flat: Decimal | None = None
    percent: Decimal | None = None
    cap: Decimal | None = None

    def of(self, turnover: Decimal) -> Decimal:
        """Rupees for one order that turned over so many.

        >>> Tariff(percent=Decimal("0.03"), cap=Decimal(20)).of(Decimal(50000))
        Decimal('15.00')
        >>> Tariff(percent=Decimal("0.03"), cap=Decimal(20)).of(Decimal(90000))
        Decimal('20')
        """
        if self.flat is not None:
            return self.flat
        share = turnover * (self.percent or ZERO) / _HUNDRED
        return share if self.cap is None else min(share, self.cap)

    def words(self) -> str:
        if self.flat is not None:
            return f"{inr(self.flat)} for each order"
        share = f"{(self.percent or ZERO).normalize():f} % of each order"
        return share if self.cap is None else f"{share}, {inr(self.cap)} at most"

    def check(self) -> None:
        """Raises InvalidInput naming `flat`, `percent` or `cap`."""
        if (self.flat is None) == (self.percent is None):
            raise InvalidInput("flat", "Type rupees for each order, or a percentage; one of the two.")
        if self.flat is not None:
            if not (self.flat.is_finite() and ZERO <= self.flat <= MOST):
                raise InvalidInput("flat", f"Type rupees for each order from 0 to {MOST}.")
            if self.cap is not None:
                raise InvalidInput("cap", "Only a percentage is capped. Leave this empty.")
        if self.percent is not None and not (self.percent.is_finite() and ZERO < self.percent <= MOST_PERCENT):
            raise InvalidInput("percent", f"Type percent of an order's turnover above 0, {MOST_PERCENT} at most.")
        if self.cap is not None and not (self.cap.is_finite() and ZERO < self.cap <= MOST):
            raise InvalidInput("cap", f"Type rupees above 0, {MOST} at most, or leave it empty.")


@dataclass(frozen=True, slots=True)
class DatedTariff:
    """A tariff from that day on."""

    valid_from: date
    tariff: Tariff


def tariff_on(dated: Iterable[DatedTariff], on: date) -> Tariff | None:
    """The latest that has begun by that day; None before any: the market rules say it then."""
    begun = [each for each in dated if each.valid_from <= on]
    return max(begun, key=lambda each: each.valid_from).tariff if begun else None
