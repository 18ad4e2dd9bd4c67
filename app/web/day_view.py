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
from app.services.run_charges import Cost, costs_together
from app.web.desk import Desk
from app.web.run_cost import RunCost, cost_view
from app.web.run_curve import drawn
from app.web.signed_in import SignedIn

DAYS_SHOWN = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLine:
    """Rupees. `today` is gross since the day's baseline, None while a held contract has no fresh price, and then
    `missing` names those and `worst` is what it should not be below (None: nobody can say). `cost` is the day's.
    `carried` counts runs of earlier days among `runs`, and `baseline` is what those were worth when the day began, None
    without any.
    """

    account_id: int
    name: str
    today: Decimal | None
    cost: RunCost
    worst: Decimal | None
    runs: int
    carried: int
    baseline: Decimal | None
    open_lots: int
    missing: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupLine:
    """Rupees, of all its accounts together. `today` is gross, None while one of them is not known; `missing` names
    those. `accounts` counts its members, those without a run too.
    """

    group_id: int
    name: str
    accounts: int
    today: Decimal | None
    cost: RunCost
    open_lots: int
    missing: list[str]


@dataclass(frozen=True, slots=True)
class DayLine:
    day: date
    total: Decimal
    cost: RunCost


@dataclass(frozen=True, slots=True, kw_only=True)
class DayView:
    """`day` None: nobody knows the market's date, and `unknown` says why. `total` None while an account's is; `cost` is
    that of all of them.

    `baseline` is what all of them count from, None where nothing was carried. `groups` are those that have an account
    among the shown ones, whole.
    `curve` is of points `(seconds since 1970, gross rupees, rupees net of charges)`, None where not known. `days` are
    the earlier days and this one as last written down, the newest first.
    """

    day: date | None
    unknown: str | None
    total: Decimal | None
    baseline: Decimal | None
    cost: RunCost
    accounts: list[AccountLine]
    groups: list[GroupLine]
    curve: list[tuple[int, float | None, float | None]]
    days: list[DayLine]


def day_view(desk: Desk, viewer: SignedIn, accounts: Iterable[AccountRow]) -> DayView:
    """Of these accounts, which this user sees."""
    names = {account.id: account.name for account in accounts}
    groups = [group for group in desk.groups.shown_to(viewer) if group.members & names.keys()]
    try:
        today = desk.days.worth.today()
    except Unavailable as reason:
        nothing = RunCost(None, None, str(reason))
        return DayView(
            day=None,
            unknown=str(reason),
            total=None,
            baseline=None,
            cost=nothing,
            accounts=[],
            groups=[],
            curve=[],
            days=[],
        )
    wanted = names.keys() | {each for group in groups for each in group.members}
    views = desk.days.worth.views(today)
    days = {day.account_id: day for day in desk.days.worth.days(views, today, only=wanted)}
    costs = desk.days.costs.of(views, today)
    lines = sorted(
        (_line(names[each], day, costs[each]) for each, day in days.items() if each in names), key=_worst_first
    )
    called = {account.id: account.name for account in desk.accounts.shown_to(viewer)}
    totals = [line.today for line in lines if line.today is not None]
    total = sum(totals, ZERO) if len(totals) == len(lines) else None
    cost = costs_together(costs[line.account_id] for line in lines)
    brought = desk.days.history.days(names.keys(), today, DAYS_SHOWN, cost)
    return DayView(
        day=today,
        unknown=None,
        total=total,
        baseline=_baseline(lines),
        cost=cost_view(cost, total),
        accounts=lines,
        groups=[group_line(group, days, called, costs) for group in groups],
        curve=drawn(desk.days.history.curve(names.keys(), today)),
        days=[DayLine(day, each.total, cost_view(each.cost, each.total)) for day, each in reversed(brought.items())],
    )


def account_today(desk: Desk, account: AccountRow) -> AccountLine | None:
    """Of one account; None while nobody knows the market's date, or where no run has traded in it today."""
    try:
        today = desk.days.worth.today()
    except Unavailable:
        return None
    views = desk.days.worth.views(today)
    found = desk.days.worth.days(views, today, only=[account.id])
    costs = desk.days.costs.of(views, today)
    return next((_line(account.name, day, costs[day.account_id]) for day in found), None)


def _line(name: str, day: AccountDay, cost: Cost) -> AccountLine:
    found = day.pnl
    return AccountLine(
        account_id=day.account_id,
        name=name,
        today=found.total,
        cost=cost_view(cost, found.total),
        worst=found.worst,
        runs=len(day.parts),
        carried=day.carried,
        baseline=day.baseline,
        open_lots=day.open_lots,
        missing=sorted({key.symbol for part in day.parts for key in part.pnl.missing}),
    )


def group_line(
    group: Group, days: Mapping[int, AccountDay], names: Mapping[int, str], costs: Mapping[int, Cost]
) -> GroupLine:
    """`days` and `costs` of those of its accounts that have a run today."""
    mine = [days[each] for each in sorted(group.members) if each in days]
    unknown = [day.account_id for day in mine if day.pnl.total is None]
    today = together(day.pnl for day in mine).total
    return GroupLine(
        group_id=group.id,
        name=group.name,
        accounts=len(group.members),
        today=today,
        cost=cost_view(costs_together(costs[day.account_id] for day in mine), today),
        open_lots=sum(day.open_lots for day in mine),
        missing=[names.get(each, f"account {each}") for each in unknown],
    )


def _baseline(lines: Iterable[AccountLine]) -> Decimal | None:
    carried = [line.baseline for line in lines if line.baseline is not None]
    return sum(carried, ZERO) if carried else None


def _worst_first(line: AccountLine) -> tuple[bool, Decimal, str]:
    """Those of which nobody knows stand before all."""
    return line.today is not None, ZERO if line.today is None else line.today, line.name
