"""Groups of accounts as their rows say: read inside the transaction of whoever decides by them."""

from collections.abc import Collection, Mapping
from decimal import Decimal
from functools import cache

from sqlalchemy import ColumnElement, bindparam, join, or_, select
from sqlalchemy.orm import Session

from app.domain.account_groups import WHOLE, Group, Part, Share, shares
from app.persistence.direct import Question
from app.persistence.plain import columns, maker
from app.persistence.tables import AccountGroup, GroupMember, TradingAccount
from app.services.account_types import limits_of

_G, _M = AccountGroup.__table__.c, GroupMember.__table__.c

COUNTED = or_(_G.max_open_lots.is_not(None), _G.max_day_orders.is_not(None))
"""Groups whose lots or orders are counted."""
IN_MONEY = or_(_G.max_day_loss.is_not(None), _G.max_day_profit.is_not(None))
"""Groups that a day's loss or profit may lock."""

_LIVING = (
    select(*columns(AccountGroup), _M.account_id)
    .select_from(join(AccountGroup.__table__, GroupMember.__table__, _M.group_id == _G.id, isouter=True))
    .where(_G.archived_at.is_(None))
    .order_by(_G.name, _G.id, _M.account_id)
)
_make = maker(AccountGroup)
_THESE = _G.id.in_(bindparam("ids", expanding=True))


@cache
def _narrowed(*wanted: ColumnElement[bool]) -> Question:
    """Each claim asks, and making a query takes longer than asking it."""
    return Question(_LIVING.where(*wanted))


def shares_in(
    session: Session, typed: Mapping[int, Decimal], groups: Collection[int], part: Part = WHOLE
) -> dict[int, Share]:
    """Who takes part in a strategy that names these accounts and groups, and by how much, by id of the account."""
    wanted = {*groups, *part.groups}
    known = groups_in(session, ids=wanted) if wanted else []
    named = [group for group in known if group.id in groups]
    ids = set(typed).union(*(group.members for group in named))
    rows = select(TradingAccount.id, TradingAccount.multiplier).where(TradingAccount.id.in_(ids))
    own = dict(session.execute(rows).tuples().all())
    return part.of(shares(typed, named, own), known)


def groups_in(session: Session, *wanted: ColumnElement[bool], ids: Collection[int] | None = None) -> list[Group]:
    """Those that were not deleted, in order of name; one statement, however many accounts are in them."""
    question = _narrowed(*wanted) if ids is None else _narrowed(*wanted, _THESE)
    rows: dict[int, AccountGroup] = {}
    members: dict[int, set[int]] = {}
    for *row, account_id in question.ask(session, {} if ids is None else {"ids": sorted(ids)}):
        group = _make(row)
        rows[group.id] = group
        members.setdefault(group.id, set()).update({account_id} if account_id is not None else ())
    return [
        Group(row.id, row.name, row.multiplier, frozenset(members[row.id]), row.max_leg_lots, limits_of(row))
        for row in rows.values()
    ]
