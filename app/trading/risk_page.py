"""What the risk page shows, trouble first."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select

from app.domain.account_groups import Group
from app.domain.day_limits import DayLimits
from app.domain.errors import Unavailable
from app.persistence.tables import RiskEvent, Run, TradingAccount
from app.services.accounts import AccountRow
from app.services.day_locks import LockLine
from app.services.day_worth import AccountDay
from app.services.limit_facts import orders_by_account
from app.trading.kill_page import HaltLine, choices_of, halts_of
from app.trading.run_rules import NAMES
from app.web.account_choice import Choice
from app.web.day_view import GroupLine, group_line
from app.web.desk import Desk
from app.web.market_time import on_page
from app.web.signed_in import SignedIn

MOST_EVENTS = 50


@dataclass(frozen=True, slots=True)
class Use:
    """How much of a limit is used. `used` is rupees or a count, None while not known; `limit` None: there is none.

    `pct` is 0..100, None where either is missing.
    """

    used: Decimal | int | None
    limit: Decimal | int | None
    pct: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLine:
    """`today` is rupees since the day's baseline, None while a price is missing; `carried` counts runs of earlier days,
    and `baseline` is what those were worth when the day began, None without any.

    `state`: locked or free.
    """

    account_id: int
    name: str
    state: str
    today: Decimal | None
    carried: int
    baseline: Decimal | None
    loss: Use
    profit: Use
    lots: Use
    orders: Use
    leaves: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupUse:
    """As AccountLine, of all accounts of a group together. `missing` names those of which today is not known: no limit
    of money decides meanwhile.
    """

    group_id: int
    name: str
    accounts: int
    state: str
    today: Decimal | None
    missing: list[str]
    loss: Use
    profit: Use
    lots: Use
    orders: Use
    leaves: bool


@dataclass(frozen=True, slots=True)
class EventLine:
    at: datetime | str
    run_id: int
    run: str
    rule: str
    account: str | None
    threshold: Decimal | None
    value: Decimal | None
    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskPage:
    """What docs/view-models.md calls `risk`. `unknown` says why nothing of today can be told, None when it can."""

    unknown: str | None
    accounts: list[AccountLine]
    groups: list[GroupUse]
    locks: list[LockLine]
    ended: list[LockLine]
    halts: list[HaltLine]
    choices: list[Choice]
    events: list[EventLine]


def risk_page(desk: Desk, viewer: SignedIn) -> RiskPage:
    accounts = desk.accounts.shown_to(viewer)
    locks = desk.days.locks.shown_to(viewer)
    groups = desk.groups.shown_to(viewer)
    locked = {each for lock in locks if lock.in_force for each in lock.accounts}
    lines, together, unknown = _lines(desk, accounts, groups, locked)
    return RiskPage(
        unknown=unknown,
        accounts=lines,
        groups=together,
        locks=[lock for lock in locks if lock.in_force],
        ended=[lock for lock in locks if not lock.in_force],
        halts=halts_of(desk, viewer),
        choices=choices_of(viewer, groups, accounts),
        events=_events(desk, viewer),
    )


def _lines(
    desk: Desk, accounts: Sequence[AccountRow], groups: Iterable[Group], locked: set[int]
) -> tuple[list[AccountLine], list[GroupUse], str | None]:
    try:
        today = desk.days.worth.today()
    except Unavailable as reason:
        return [], [], str(reason)
    views = desk.days.worth.views(today)
    days = {day.account_id: day for day in desk.days.worth.days(views, today)}
    costs = desk.days.costs.of(views, today)
    with desk.database.reading() as session:
        sent = orders_by_account(session, today)
    lines = [
        _line(account, days.get(account.id), sent.get(account.id, 0), is_locked=account.id in locked)
        for account in accounts
    ]
    names = {account.id: account.name for account in accounts}
    together = [_group(group, group_line(group, days, names, costs), sent, locked) for group in groups]
    return sorted(lines, key=_trouble_first), sorted(together, key=_trouble_first), None


def _group(group: Group, line: GroupLine, sent: Mapping[int, int], locked: set[int]) -> GroupUse:
    lost = None if line.today is None else max(-line.today, Decimal(0))
    won = None if line.today is None else max(line.today, Decimal(0))
    limits, count = group.limits, len(group.members & locked)
    return GroupUse(
        group_id=group.id,
        name=group.name,
        accounts=line.accounts,
        state="free" if not count else "locked" if count == line.accounts else "some",
        today=line.today,
        missing=line.missing,
        loss=_use(lost, limits.loss),
        profit=_use(won, limits.profit),
        lots=_use(line.open_lots, limits.open_lots),
        orders=_use(sum(sent.get(each, 0) for each in group.members), limits.orders),
        leaves=limits.leaves,
    )


def _line(account: AccountRow, day: AccountDay | None, sent: int, *, is_locked: bool) -> AccountLine:
    limits: DayLimits = account.limits
    today = Decimal(0) if day is None else day.pnl.total
    lots = 0 if day is None else day.open_lots
    lost = None if today is None else max(-today, Decimal(0))
    won = None if today is None else max(today, Decimal(0))
    return AccountLine(
        account_id=account.id,
        name=account.name,
        state="locked" if is_locked else "free",
        today=today,
        carried=0 if day is None else day.carried,
        baseline=None if day is None else day.baseline,
        loss=_use(lost, limits.loss),
        profit=_use(won, limits.profit),
        lots=_use(lots, limits.open_lots),
        orders=_use(sent, limits.orders),
        leaves=limits.leaves,
    )


def _use(used: Decimal | int | None, limit: Decimal | int | None) -> Use:
    if used is None or limit is None:
        return Use(used, limit, None)
    return Use(used, limit, min(100, int(used * 100 / limit)))


def _trouble_first(line: AccountLine | GroupUse) -> tuple[bool, int, str]:
    used = max(use.pct or 0 for use in (line.loss, line.lots, line.orders))
    return line.state == "free", -used, line.name


def _events(desk: Desk, viewer: SignedIn) -> list[EventLine]:
    """The newest rules that fired in the viewer's runs; an admin sees all."""
    query = (
        select(RiskEvent, Run.name, TradingAccount.name)
        .join(Run, Run.id == RiskEvent.run_id)
        .join(TradingAccount, TradingAccount.id == RiskEvent.account_id, isouter=True)
    )
    if not viewer.is_admin:
        query = query.where(Run.user_id == viewer.id)
    with desk.database.reading() as session:
        rows = session.execute(query.order_by(RiskEvent.id.desc()).limit(MOST_EVENTS)).all()
    return [
        EventLine(
            at=on_page(desk, event.at),
            run_id=event.run_id,
            run=run,
            rule=str(NAMES.get(event.rule, event.rule)),
            account=account,
            threshold=event.threshold,
            value=event.value,
            action=event.action,
        )
        for event, run, account in rows
    ]
