"""Each account's day as pages and scripts show it: what it came to, since when, and what is not known."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from app.domain.errors import Unavailable
from app.domain.money import ZERO
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


@dataclass(frozen=True, slots=True)
class DayLine:
    day: date
    total: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class DayView:
    """`day` None: nobody knows the market's date, and `unknown` says why. `total` None while an account's is.

    `curve` is of points `(seconds since 1970, rupees or None)`. `days` are the earlier days and this one as last
    written down, the newest first.
    """

    day: date | None
    unknown: str | None
    total: Decimal | None
    accounts: list[AccountLine]
    curve: list[tuple[int, float | None]]
    days: list[DayLine]


def day_view(desk: Desk, viewer: SignedIn) -> DayView:
    """Of the accounts that this user sees."""
    names = {account.id: account.name for account in desk.accounts.shown_to(viewer)}
    try:
        today = desk.days.worth.today()
    except Unavailable as reason:
        return DayView(day=None, unknown=str(reason), total=None, accounts=[], curve=[], days=[])
    days = desk.days.worth.days(desk.days.worth.views(today), today, only=names.keys())
    lines = sorted((_line(names[day.account_id], day) for day in days), key=_worst_first)
    totals = [line.today for line in lines if line.today is not None]
    brought = desk.days.history.days(names.keys(), today, DAYS_SHOWN)
    return DayView(
        day=today,
        unknown=None,
        total=sum(totals, ZERO) if len(totals) == len(lines) else None,
        accounts=lines,
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


def _worst_first(line: AccountLine) -> tuple[bool, Decimal, str]:
    """Those of which nobody knows stand before all."""
    return line.today is not None, ZERO if line.today is None else line.today, line.name
