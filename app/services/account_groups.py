"""Groups of accounts as people keep them: made, changed and deleted by whoever manages accounts."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import ColumnElement, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.domain.account_groups import Group, check_leg_lots, check_multiplier
from app.domain.day_limits import NO_LIMITS, DayLimits
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.trading_states import Scope, TradingState
from app.persistence.database import Database
from app.persistence.locking import turn_switch
from app.persistence.tables import (
    AccountGroup,
    GroupMember,
    Strategy,
    StrategyGroup,
    TradingAccount,
    TradingStateRow,
)
from app.ports.clock import Clock
from app.services import entry_time_text
from app.services.account_types import Actor, keep_limits
from app.services.activity import Activity
from app.services.group_facts import groups_in


@dataclass(frozen=True, slots=True)
class GroupForm:
    """What is typed about a group. `limits` are of a day and of all its accounts together; `accounts` are ids."""

    name: str
    accounts: frozenset[int]
    multiplier: Decimal = Decimal(1)
    max_leg_lots: int | None = None
    limits: DayLimits = NO_LIMITS

    def of(self, group_id: int) -> Group:
        return Group(group_id, self.name, self.multiplier, self.accounts, self.max_leg_lots, self.limits)

    def check(self) -> None:
        """Raises InvalidInput naming the field."""
        if not 1 <= len(self.name) <= 80:
            raise InvalidInput("name", "Give the group a name of at most 80 characters.")
        if not self.accounts:
            raise InvalidInput("accounts", "Choose at least one account.")
        check_multiplier(self.multiplier)
        check_leg_lots(self.max_leg_lots)
        self.limits.check()


class AccountGroups:
    """Thread-safe. A group belongs to the owner of its accounts. What runs froze and what was sent changes with none of
    this; what is sent next obeys the group as it is then.
    """

    def __init__(self, database: Database, clock: Clock, activity: Activity) -> None:
        self._database = database
        self._clock = clock
        self._activity = activity

    def shown_to(self, viewer: Actor) -> list[Group]:
        """An admin sees all, others those of their own accounts; in order of name."""
        with self._database.reading() as session:
            return groups_in(session, *_seen(viewer))

    def one(self, viewer: Actor, group_id: int) -> Group:
        """Raises NotFound when there is no such group for this user."""
        with self._database.reading() as session:
            return _one(session, viewer, group_id)

    def add(self, by: Actor, form: GroupForm) -> int:
        """The id of the new group. Raises InvalidInput naming the field; then nothing was saved."""
        form.check()
        now = self._clock.now()
        try:
            with self._database.transaction() as session:
                row = AccountGroup(owner_id=_owner(session, by, form.accounts), created_at=now)
                self._fill(row, form)
                session.add(row)
                session.flush()
                words = f"Made the group {form.name} of {_counted(form.accounts)}."
                self._log(session, by, "group.add", row.id, words)
                return row.id
        except IntegrityError as taken:
            raise _taken(form) from taken

    def edit(self, by: Actor, group_id: int, form: GroupForm) -> None:
        """Raises InvalidInput as `add`, NotFound, and Conflict when its accounts change while it is halted.

        A lock that a limit of it has made stays on the accounts that were in it.
        """
        form.check()
        try:
            with self._database.transaction() as session:
                turn_switch(session)
                known = _one(session, by, group_id)
                if known == form.of(group_id):
                    return
                if known.members != form.accounts:
                    _refuse_stopped(session, known, "Its accounts cannot change while it is")
                row = session.get_one(AccountGroup, group_id)
                row.owner_id = _owner(session, by, form.accounts)
                self._fill(row, form)
                session.flush()
                words = f"Changed the group {form.name}: {_counted(form.accounts)}."
                self._log(session, by, "group.edit", group_id, words)
        except IntegrityError as taken:
            raise _taken(form) from taken

    def delete(self, by: Actor, group_id: int) -> None:
        """Its limits hold no more; locks that it made stay until they end. Raises NotFound, and Conflict while a
        strategy names it or it is halted.
        """
        with self._database.transaction() as session:
            turn_switch(session)
            known = _one(session, by, group_id)
            _refuse_stopped(session, known, "It cannot be deleted while it is")
            if naming := _naming(session, group_id):
                raise Conflict(
                    f"{known.called} cannot be deleted: named by {', '.join(naming)}. Take it out there first."
                )
            row = session.get_one(AccountGroup, group_id)
            row.archived_at = self._clock.now()
            row.members = []
            row.name = f"{row.name} (deleted {group_id})"  # its name is free again for another group
            self._log(session, by, "group.delete", group_id, f"Deleted the group {known.name}.")

    def _fill(self, row: AccountGroup, form: GroupForm) -> None:
        row.name, row.multiplier, row.max_leg_lots = form.name, form.multiplier, form.max_leg_lots
        keep_limits(row, form.limits)
        row.changed_at = self._clock.now()
        kept = {member.account_id: member for member in row.members}
        row.members = [kept.get(each) or GroupMember(account_id=each) for each in sorted(form.accounts)]

    def _log(self, session: Session, by: Actor, action: str, group_id: int, sentence: str) -> None:
        self._activity.record(
            session, user_id=by.id, actor=by.username, action=action, subject=f"group:{group_id}", sentence=sentence
        )


def _seen(viewer: Actor) -> tuple[ColumnElement[bool], ...]:
    return () if viewer.is_admin else (AccountGroup.owner_id == viewer.id,)


def _one(session: Session, viewer: Actor, group_id: int) -> Group:
    found = groups_in(session, *_seen(viewer), ids=[group_id])
    if not found:
        raise NotFound("There is no such group.")
    return found[0]


def _owner(session: Session, by: Actor, accounts: Collection[int]) -> int:
    """Whose accounts they are. Raises InvalidInput when one is not there for this user, or they are of several."""
    rows = session.scalars(
        select(TradingAccount).where(TradingAccount.id.in_(accounts), TradingAccount.state != "ARCHIVED")
    ).all()
    owners = {row.owner_id for row in rows}
    if len(rows) != len(accounts) or not (by.is_admin or owners == {by.id}):
        raise InvalidInput("accounts", "One of these accounts is not there any more. Reload the page and choose again.")
    if len(owners) > 1:
        raise InvalidInput("accounts", "These accounts belong to several people. A group is of one owner's accounts.")
    return owners.pop()


def _refuse_stopped(session: Session, group: Group, what: str) -> None:
    """Raises Conflict. A state said of a group is true of who is in it, and only a password takes that back."""
    row = session.scalars(
        select(TradingStateRow).where(
            TradingStateRow.scope == Scope.GROUP.value,
            TradingStateRow.scope_id == group.id,
            TradingStateRow.state != TradingState.ACTIVE.value,
        )
    ).one_or_none()
    if row is not None:
        raise Conflict(f"{what} {'halted' if row.state == TradingState.HALTED.value else 'reduce-only'}. Release it.")


def _taken(form: GroupForm) -> InvalidInput:
    return InvalidInput("name", f"There is a group {form.name} already. Choose another name.")


def _naming(session: Session, group_id: int) -> list[str]:
    """Strategies that name it, for whoever starts them or for their schedule."""
    kept = select(Strategy).where(Strategy.archived.is_(False), Strategy.is_ticket.is_(False)).order_by(Strategy.name)
    by_groups = kept.join(StrategyGroup, StrategyGroup.strategy_id == Strategy.id)
    named = list(session.scalars(by_groups.where(StrategyGroup.group_id == group_id)))
    timed = session.scalars(kept.where(Strategy.times.is_not(None)))
    named += [row for row in timed if group_id in entry_time_text.read(row.times).part.groups]
    return list(dict.fromkeys(row.name for row in named))


def _counted(accounts: Collection[int]) -> str:
    return f"{len(accounts)} account{'' if len(accounts) == 1 else 's'}"
