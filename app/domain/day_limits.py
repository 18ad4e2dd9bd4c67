"""What an account may lose, win, hold and send in one day, and what follows when it is reached.

The day's profit counts from a baseline: nothing for a run that began today, else what the run was worth at its last
complete price of an earlier day.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from app.domain.errors import InvalidInput
from app.domain.wording import inr


class DayRule(StrEnum):
    """A day's limit of this kind ends the account's entries for that day."""

    LOSS = "day_loss"
    PROFIT = "day_profit"


@dataclass(frozen=True, slots=True)
class DayLimits:
    """None is no limit. Rupees and counts are above zero.

    `loss` and `profit` are of the day, gross. `open_lots` counts the lots of every leg, long and short, whatever their
    expiry; `orders` every order that was sent that day, exits too, though no limit ever holds an exit up. `leaves` says
    what comes with a loss or profit that is reached: everything in the place is left, or only nothing new is begun.
    """

    loss: Decimal | None = None
    profit: Decimal | None = None
    open_lots: int | None = None
    orders: int | None = None
    leaves: bool = False

    @property
    def watch_money(self) -> bool:
        return self.loss is not None or self.profit is not None

    def check(self) -> None:
        """Raises InvalidInput naming `max_day_loss`, `max_day_profit`, `max_open_lots` or `max_day_orders`."""
        for field, value in (("max_day_loss", self.loss), ("max_day_profit", self.profit)):
            if value is not None and not (value.is_finite() and value > 0):
                raise InvalidInput(field, "A limit of the day is above zero; empty for none.")
        for field, count in (("max_open_lots", self.open_lots), ("max_day_orders", self.orders)):
            if count is not None and count < 1:
                raise InvalidInput(field, "Take 1 or more; empty for no limit.")


NO_LIMITS = DayLimits()


@dataclass(frozen=True, slots=True)
class DayPnl:
    """Gross rupees since the day's baseline. `total` is None while anything held has no fresh price or no baseline.

    `worst` is a bound it should not be below; None when nobody can name one.
    """

    total: Decimal | None
    worst: Decimal | None


@dataclass(frozen=True, slots=True)
class Reached:
    """A limit that the day's profit reached. `is_bound`: judged by the worst it can be, with a price missing."""

    rule: DayRule
    threshold: Decimal
    value: Decimal
    is_bound: bool

    @property
    def sentence(self) -> str:
        if self.rule is DayRule.PROFIT:
            return f"Day profit of {inr(self.threshold)} reached: today stands at {inr(self.value)}."
        stands = "may stand as low as" if self.is_bound else "stands at"
        return f"Day loss of {inr(self.threshold)} reached: today {stands} {inr(self.value)}."


def reached(limits: DayLimits, day: DayPnl) -> Reached | None:
    """The limit that the day has reached; None when none is, or nobody can say.

    >>> reached(DayLimits(loss=Decimal(5000)), DayPnl(Decimal(-5000), Decimal(-5000))).sentence
    'Day loss of ₹5,000.00 reached: today stands at −₹5,000.00.'
    """
    known = day.total if day.total is not None else day.worst
    if limits.loss is not None and known is not None and known <= -limits.loss:
        return Reached(DayRule.LOSS, limits.loss, known, is_bound=day.total is None)
    if limits.profit is not None and day.total is not None and day.total >= limits.profit:
        return Reached(DayRule.PROFIT, limits.profit, day.total, is_bound=False)
    return None


def lots_refused(limits: DayLimits, place: str, held: int, more: int) -> str | None:
    """Why `more` lots may not be added to the `held` ones of that place; None when they may.

    >>> lots_refused(DayLimits(open_lots=10), "Asha", 8, 2) is None
    True
    >>> lots_refused(DayLimits(open_lots=10), "Asha", 8, 3)
    'Asha holds or has ordered 8 lots and may hold 10; 3 more is too many.'
    """
    if limits.open_lots is None or held + more <= limits.open_lots:
        return None
    return f"{place} holds or has ordered {held} lots and may hold {limits.open_lots}; {more} more is too many."


def orders_refused(limits: DayLimits, place: str, sent: int, more: int = 1) -> str | None:
    """Why that place may not send `more` orders after the `sent` ones of today; None when it may."""
    if limits.orders is None or sent + more <= limits.orders:
        return None
    return f"{place} has sent {sent} orders today and may send {limits.orders}; {more} more is too many."
