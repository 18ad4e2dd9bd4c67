"""Floors under a run's profit that only rise: three kinds of trailing stop, and profit that is locked in steps.

Both hang on one number, the peak: the highest complete P&L that the run has had, and 0 before it had any. So a run
keeps its peak and nothing else, and whoever reads it again knows the same floors.
"""

from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum

from app.domain.errors import InvalidInput, Refused
from app.domain.money import ZERO
from app.domain.wording import inr

HUNDRED = Decimal(100)

LEAST_PREMIUM = Decimal(1000)
"""Rupees. A spread that cost or brought next to nothing gives a percentage of it no meaning."""


class TrailKind(StrEnum):
    """What `size` is: rupees below the peak, percent of the net premium in rupees below it, or percent of the peak."""

    AMOUNT = "amount"
    PREMIUM_PCT = "premium_pct"
    PEAK_PCT = "peak_pct"


@dataclass(frozen=True, slots=True)
class Trail:
    """A trailing stop. `activation` is the P&L in rupees that the peak has to reach before there is a floor; None for a
    floor from the start. Once reached it stays reached, since a peak never falls.
    """

    kind: TrailKind
    size: Decimal
    activation: Decimal | None = None


@dataclass(frozen=True, slots=True)
class ProfitLock:
    """When the peak reaches `reach`, `keep` is kept; for each further `step`, `more` on top. All in rupees.

    `step` and `more` are both None for a floor that does not rise any more.
    """

    reach: Decimal
    keep: Decimal
    step: Decimal | None = None
    more: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Floors:
    """What a run is left by when its profit falls back; neither, unless its strategy says."""

    trail: Trail | None = None
    lock: ProfitLock | None = None

    def check(self) -> None:
        """Raises InvalidInput as `check_trail` and `check_lock` do."""
        if self.trail is not None:
            check_trail(self.trail)
        if self.lock is not None:
            check_lock(self.lock)

    def words(self) -> tuple[str, ...]:
        """A sentence for each.

        >>> Floors(Trail(TrailKind.AMOUNT, Decimal(5000)), ProfitLock(Decimal(10000), Decimal(4000))).words()
        ('Trails \u20b95,000.00 below the peak.', 'Keeps \u20b94,000.00 once \u20b910,000.00 was reached.')
        """
        found = []
        if self.trail is not None:
            found.append(_trail_words(self.trail))
        if self.lock is not None:
            lock = self.lock
            more = "" if lock.step is None else f", {inr(lock.more)} more for each further {inr(lock.step)}"
            found.append(f"Keeps {inr(lock.keep)} once {inr(lock.reach)} was reached{more}.")
        return tuple(found)


NO_FLOORS = Floors()


def _trail_words(trail: Trail) -> str:
    size = {
        TrailKind.AMOUNT: inr(trail.size),
        TrailKind.PREMIUM_PCT: f"{trail.size.normalize():f} % of the entry's net premium",
        TrailKind.PEAK_PCT: f"{trail.size.normalize():f} % of the peak",
    }[trail.kind]
    sleeps = "" if trail.activation is None else f", from a profit of {inr(trail.activation)} on"
    return f"Trails {size} below the peak{sleeps}."


def check_trail(trail: Trail) -> None:
    """Raises InvalidInput naming `trail_size` or `trail_activation`."""
    if not (trail.size.is_finite() and trail.size > 0):
        raise InvalidInput("trail_size", f"{trail.size} leaves no room to trail. Give a number above 0.")
    if trail.kind is not TrailKind.AMOUNT and trail.size >= HUNDRED:
        raise InvalidInput("trail_size", f"{trail.size} percent gives everything back. Take less than 100.")
    activation = trail.activation
    if activation is not None and not (activation.is_finite() and activation > 0):
        raise InvalidInput("trail_activation", "The profit that wakes a trailing stop is above 0; empty for at once.")
    if trail.kind is TrailKind.PEAK_PCT and activation is None:
        raise InvalidInput("trail_activation", "A percentage of the peak needs a profit to begin at: say which.")


def check_lock(lock: ProfitLock) -> None:
    """Raises InvalidInput naming `lock_reach`, `lock_keep`, `lock_step` or `lock_more`."""
    if not (lock.reach.is_finite() and lock.reach > 0):
        raise InvalidInput("lock_reach", "Profit is locked when it has reached an amount above 0.")
    if not (lock.keep.is_finite() and 0 <= lock.keep < lock.reach):
        raise InvalidInput("lock_keep", f"Keep 0 or more, and less than the {lock.reach} that have to be reached.")
    if (lock.step is None) != (lock.more is None):
        field = "lock_step" if lock.step is None else "lock_more"
        raise InvalidInput(field, "Each further gain and what it adds to the floor go together: give both or neither.")
    if lock.step is None or lock.more is None:
        return
    if not (lock.step.is_finite() and lock.step > 0):
        raise InvalidInput("lock_step", "The floor rises for each further gain of an amount above 0.")
    if not (lock.more.is_finite() and 0 < lock.more <= lock.step):
        raise InvalidInput("lock_more", f"The floor rises by more than 0, and by no more than the {lock.step} gained.")


def distance_of(trail: Trail, net_premium: Decimal | None) -> Decimal | None:
    """How many rupees below the peak the floor lies; None where that is a share of the peak, or not known yet.

    `net_premium` is what the entry fills brought (+) or cost (-) over all accounts; None until the entry has settled.
    Raises Refused when it is too small for a percentage of it to mean anything.

    >>> distance_of(Trail(TrailKind.PREMIUM_PCT, Decimal(20)), Decimal(-45000))
    Decimal('9000')
    """
    if trail.kind is TrailKind.AMOUNT:
        return trail.size
    if trail.kind is TrailKind.PEAK_PCT or net_premium is None:
        return None
    if abs(net_premium) < LEAST_PREMIUM:
        raise Refused(
            f"The entry's net premium is {net_premium:.2f} rupees: {trail.size} % of it is no distance to trail by. "
            "Trail by an amount."
        )
    return abs(net_premium) * trail.size / HUNDRED


def peak_of(before: Decimal, total: Decimal | None) -> Decimal:
    """The peak after this P&L. None, a run that is incomplete, moves nothing."""
    return before if total is None else max(before, total)


def trail_floor(trail: Trail, peak: Decimal, distance: Decimal | None) -> Decimal | None:
    """The P&L at or below which the run is left; None while the stop sleeps, or its distance is not known.

    `distance` is what `distance_of` gave when the entry had settled.

    >>> trail_floor(Trail(TrailKind.AMOUNT, Decimal(5000)), Decimal(9000), Decimal(5000))
    Decimal('4000')
    >>> trail_floor(Trail(TrailKind.PEAK_PCT, Decimal(25), activation=Decimal(8000)), Decimal(12000), None)
    Decimal('9000.00')
    """
    if trail.activation is not None and peak < trail.activation:
        return None
    if trail.kind is TrailKind.PEAK_PCT:
        return peak * (1 - trail.size / HUNDRED)
    return None if distance is None else peak - distance


def lock_floor(lock: ProfitLock, peak: Decimal) -> Decimal | None:
    """The P&L at or below which the run is left; None while `reach` was never reached.

    >>> lock = ProfitLock(*map(Decimal, (10_000, 4_000, 2_000, 1_500)))
    >>> lock_floor(lock, Decimal(9_999)), lock_floor(lock, Decimal(10_000)), lock_floor(lock, Decimal(13_900))
    (None, Decimal('4000'), Decimal('5500'))
    """
    if peak < lock.reach:
        return None
    if lock.step is None or lock.more is None:
        return lock.keep
    return lock.keep + lock.more * ((peak - lock.reach) / lock.step).to_integral_value(ROUND_FLOOR)


def is_below(total: Decimal | None, floor: Decimal | None) -> bool:
    """Whether the run is to be left: nobody can say while it is incomplete, or while there is no floor."""
    return total is not None and floor is not None and total <= floor


START = ZERO
"""The peak of a run that has not begun."""
