"""Groups of accounts as their rows say: read inside the transaction of whoever decides by them."""

from collections.abc import Collection, Mapping
from decimal import Decimal
from functools import cache

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from app.domain.account_groups import WHOLE, Group, Part, Share, shares
from app.persistence.tables import AccountGroup, GroupMember, TradingAccount
from app.services.account_types import limits_of

COUNTED = or_(AccountGroup.max_open_lots.is_not(None), AccountGroup.max_day_orders.is_not(None))
"""Groups whose lots or orders are counted."""
IN_MONEY = or_(AccountGroup.max_day_loss.is_not(None), AccountGroup.max_day_profit.is_not(None))
"""Groups that a day's loss or profit may lock."""

_LIVING = (
    select(AccountGroup, GroupMember.account_id)
    .join(GroupMember, GroupMember.group_id == AccountGroup.id, isouter=True)
    .where(AccountGroup.archived_at.is_(None))
    .order_by(AccountGroup.name, AccountGroup.id, GroupMember.account_id)
)


@cache
def _narrowed(*wanted: ColumnElement[bool]) -> Select[tuple[AccountGroup, int]]:
    """Each claim asks, and making a query takes longer than asking it."""
    return _LIVING.where(*wanted)


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
    query = _narrowed(*wanted)
    if ids is not None:
        query = query.where(AccountGroup.id.in_(ids))
    rows: dict[int, AccountGroup] = {}
    members: dict[int, set[int]] = {}
    for row, account_id in session.execute(query):
        rows[row.id] = row
        members.setdefault(row.id, set()).update({account_id} if account_id is not None else ())
    return [
        Group(row.id, row.name, row.multiplier, frozenset(members[row.id]), row.max_leg_lots, limits_of(row))
        for row in rows.values()
    ]
