"""Each account's day as pages and scripts show it: what it came to, since when, and what is not known."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from app.domain.account_groups import Group, together
from app.domain.errors import Unavailable
from app.domain.money import ZERO
from app.services.accounts import AccountRow
from app.services.day_worth import AccountDay
from app.web.desk import Desk
from app.web.signed_in import SignedIn

DAYS_SHOWN = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLine:
    """Rupees, gross. `today` is since the day's baseline, None while a held contract has no fresh price, and then
    `missing` names those and `worst` is what it should not be below (None: nobody can say). `carried` counts runs of
    earlier days among `runs`.
    """

    account_id: int
    name: str
    today: Decimal | None
    worst: Decimal | None
    runs: int
    carried: int
    open_lots: int
    missing: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupLine:
    """Rupees, gross, of all its accounts together. `today` is None while one of them is not known; `missing` names
    those. `accounts` counts its members, those without a run too.
    """

    group_id: int
    name: str
    accounts: int
    today: Decimal | None
    open_lots: int
    missing: list[str]


@dataclass(frozen=True, slots=True)
class DayLine:
    day: date
    total: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class DayView:
    """`day` None: nobody knows the market's date, and `unknown` says why. `total` None while an account's is.

    `groups` are those that have an account among the shown ones, whole.
    `curve` is of points `(seconds since 1970, rupees or None)`. `days` are the earlier days and this one as last
    written down, the newest first.
    """

    day: date | None
    unknown: str | None
    total: Decimal | None
    accounts: list[AccountLine]
    groups: list[GroupLine]
    curve: list[tuple[int, float | None]]
    days: list[DayLine]


def day_view(desk: Desk, viewer: SignedIn, accounts: Iterable[AccountRow]) -> DayView:
    """Of these accounts, which this user sees."""
    names = {account.id: account.name for account in accounts}
    groups = [group for group in desk.groups.shown_to(viewer) if group.members & names.keys()]
    try:
        today = desk.days.worth.today()
    except Unavailable as reason:
        return DayView(day=None, unknown=str(reason), total=None, accounts=[], groups=[], curve=[], days=[])
    wanted = names.keys() | {each for group in groups for each in group.members}
    days = {day.account_id: day for day in desk.days.worth.days(desk.days.worth.views(today), today, only=wanted)}
    lines = sorted((_line(names[each], day) for each, day in days.items() if each in names), key=_worst_first)
    called = {account.id: account.name for account in desk.accounts.shown_to(viewer)}
    totals = [line.today for line in lines if line.today is not None]
    brought = desk.days.history.days(names.keys(), today, DAYS_SHOWN)
    return DayView(
        day=today,
        unknown=None,
        total=sum(totals, ZERO) if len(totals) == len(lines) else None,
        accounts=lines,
        groups=[group_line(group, days, called) for group in groups],
        curve=[
            (int(point.at.timestamp()), None if point.total is None else float(point.total))
            for point in desk.days.history.curve(names.keys(), today)
        ],
        days=[DayLine(day, total) for day, total in reversed(brought.items())],
    )


def _line(name: str, day: AccountDay) -> AccountLine:
    found = day.pnl
    return AccountLine(
        account_id=day.account_id,
        name=name,
        today=found.total,
        worst=found.worst,
        runs=len(day.parts),
        carried=day.carried,
        open_lots=day.open_lots,
        missing=sorted({key.symbol for part in day.parts for key in part.pnl.missing}),
    )


def group_line(group: Group, days: Mapping[int, AccountDay], names: Mapping[int, str]) -> GroupLine:
    """`days` of those of its accounts that have a run today."""
    mine = [days[each] for each in sorted(group.members) if each in days]
    unknown = [day.account_id for day in mine if day.pnl.total is None]
    return GroupLine(
        group_id=group.id,
        name=group.name,
        accounts=len(group.members),
        today=together(day.pnl for day in mine).total,
        open_lots=sum(day.open_lots for day in mine),
        missing=[names.get(each, f"account {each}") for each in unknown],
    )


def _worst_first(line: AccountLine) -> tuple[bool, Decimal, str]:
    """Those of which nobody knows stand before all."""
    return line.today is not None, ZERO if line.today is None else line.today, line.name
