"""Groups of accounts: what they add to the size of their members, and what their members' day comes to together."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from app.domain.day_limits import NO_LIMITS, DayLimits, DayPnl
from app.domain.errors import InvalidInput
from app.domain.money import ZERO
from app.domain.sizing import MOST_LOTS

MOST_MULTIPLIER = Decimal(100)
MOST_PLACES = 3
ITS_OWN = "the account in the strategy"


@dataclass(frozen=True, slots=True)
class Group:
    """`multiplier` is above zero. `max_leg_lots` holds in each member, `limits` for all members together."""

    id: int
    name: str
    multiplier: Decimal
    members: frozenset[int]
    max_leg_lots: int | None = None
    limits: DayLimits = NO_LIMITS

    @property
    def called(self) -> str:
        """What sentences call it, so that nobody takes it for an account."""
        return f"Group {self.name}"


@dataclass(frozen=True, slots=True)
class Share:
    """By how much an account takes part in a strategy, and who says so."""

    multiplier: Decimal
    source: str


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the accounts of a strategy, by themselves and by groups. Neither names any: all of them."""

    accounts: tuple[int, ...] = ()
    groups: tuple[int, ...] = ()

    @property
    def is_whole(self) -> bool:
        return not (self.accounts or self.groups)

    def of(self, found: Mapping[int, Share], groups: Iterable[Group]) -> dict[int, Share]:
        """Those of them that are in this part, with the multipliers that they have anyway.

        >>> kin = Group(1, "Kin", Decimal(1), frozenset({2, 9}))
        >>> all_of_them = {each: Share(Decimal(1), "") for each in (1, 2, 3)}
        >>> sorted(Part((3,), (1,)).of(all_of_them, [kin])), sorted(Part().of(all_of_them, []))
        ([2, 3], [1, 2, 3])
        """
        meant = set(self.accounts).union(*(group.members for group in groups if group.id in self.groups))
        return {account: share for account, share in found.items() if self.is_whole or account in meant}


WHOLE = Part()


def check_multiplier(multiplier: Decimal) -> None:
    """Raises InvalidInput naming `multiplier`."""
    fine = multiplier.is_finite() and 0 < multiplier <= MOST_MULTIPLIER
    if not fine or multiplier != round(multiplier, MOST_PLACES):
        raise InvalidInput("multiplier", "A multiplier is above 0 and at most 100, with at most 3 decimal places.")


def check_leg_lots(lots: int | None) -> None:
    """Raises InvalidInput naming `max_leg_lots`."""
    if lots is not None and not 1 <= lots <= MOST_LOTS:
        raise InvalidInput("max_leg_lots", f"Take 1 to {MOST_LOTS} lots of a leg at most, or leave it empty.")


def shares(typed: Mapping[int, Decimal], groups: Iterable[Group], own: Mapping[int, Decimal]) -> dict[int, Share]:
    """Who takes part in a strategy that names these accounts, with multipliers, and these groups; each account once.

    `own` are the accounts' own multipliers; an account that is not in it takes no part. An account that is named by
    itself goes by what was typed beside it. One that comes by a group takes its own multiplier times the group's, and
    of several groups the smallest.

    >>> family = Group(1, "Family", Decimal("0.5"), frozenset({1, 2}))
    >>> fast = Group(2, "Fast", Decimal(3), frozenset({2, 3}))
    >>> found = shares({1: Decimal(2)}, [family, fast], {1: Decimal(1), 2: Decimal(1), 3: Decimal(2)})
    >>> {account: str(share.multiplier) for account, share in found.items()}
    {1: '2', 2: '0.5', 3: '6'}
    """
    found = {account: Share(multiplier, ITS_OWN) for account, multiplier in typed.items() if account in own}
    for group in sorted(groups, key=lambda each: (each.multiplier, each.id)):
        for account in sorted(group.members):
            if account in own and account not in found:
                times = "" if own[account] == 1 else f"own {own[account].normalize():f} x "
                found[account] = Share(own[account] * group.multiplier, f"{times}group {group.name}")
    return dict(sorted(found.items()))


def together(days: Iterable[DayPnl]) -> DayPnl:
    """The day of a group. While one member's is not known the group's is not, and it is judged by no bound either: what
    one account may come to at worst is no reason to take all of them out.

    >>> together([DayPnl(Decimal(5), Decimal(5)), DayPnl(Decimal(-8), Decimal(-8))]).total
    Decimal('-3')
    >>> together([DayPnl(Decimal(-9000), Decimal(-9000)), DayPnl(None, Decimal(-90))])
    DayPnl(total=None, worst=None)
    """
    totals = [day.total for day in days]
    known = [total for total in totals if total is not None]
    total = sum(known, ZERO) if len(known) == len(totals) else None
    return DayPnl(total, total)
