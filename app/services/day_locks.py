"""Accounts that reached a limit of their day, or whose group did: who is locked, and lifting that by hand."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.errors import Conflict, Denied, NotFound
from app.domain.gate import Code, Stop
from app.persistence.database import Database
from app.persistence.locking import turn_switch
from app.persistence.plain import PlainRows
from app.persistence.tables import AccountGroup, DayLock, TradingAccount
from app.ports.clock import Clock
from app.services.account_types import Actor
from app.services.activity import Activity
from app.services.people import People

MOST_SHOWN = 100

_IN_FORCE = PlainRows(DayLock, lambda query, c: query.where(c.ended_at.is_(None)).order_by(c.id))


@dataclass(frozen=True, slots=True)
class LockLine:
    """A lock as pages show it, that of a group once. `ended_at` and `lifted_by` are None while it is in force."""

    id: int
    accounts: tuple[int, ...]
    account: str
    day: date
    rule: str
    threshold: Decimal
    value: Decimal
    leaves: bool
    sentence: str
    at: datetime
    ended_at: datetime | None
    lifted_by: str | None

    @property
    def in_force(self) -> bool:
        return self.ended_at is None


def in_force(session: Session) -> dict[int, DayLock]:
    """The first lock of each account that has one. True until the transaction ends where the switch is watched."""
    found: dict[int, DayLock] = {}
    for lock in _IN_FORCE.read(session):
        found.setdefault(lock.account_id, lock)
    return found


def stop_of(lock: DayLock) -> Stop:
    """What it says to an entry."""
    until = f"Nothing new is begun in this account until {lock.trading_date:%d %b} is over or the lock is lifted"
    return Stop(Code.DAY_LOCK, f"{lock.sentence} {until}; exits go on.")


def refuse_locked(locks: Mapping[int, DayLock], account_id: int, name: str = "") -> None:
    """Raises Denied while the account is locked for the day. With a `name` the sentence begins with it.

    `locks` are those `in_force`.
    """
    lock = locks.get(account_id)
    if lock is not None:
        stop = stop_of(lock)
        raise Denied(stop.code, f"{name}: {stop.sentence}" if name else stop.sentence)


class DayLocks:
    """Thread-safe."""

    def __init__(self, database: Database, clock: Clock, activity: Activity, people: People) -> None:
        self._database = database
        self._clock = clock
        self._activity = activity
        self._people = people

    def shown_to(self, viewer: Actor) -> list[LockLine]:
        """Those in force first, then the newest of the others: an admin sees all, others those of their accounts."""
        query = (
            select(DayLock, TradingAccount.name, AccountGroup.name)
            .join(TradingAccount, TradingAccount.id == DayLock.account_id)
            .join(AccountGroup, AccountGroup.id == DayLock.group_id, isouter=True)
        )
        if not viewer.is_admin:
            query = query.where(TradingAccount.owner_id == viewer.id)
        with self._database.reading() as session:
            rows = session.execute(
                query.order_by(DayLock.ended_at.is_not(None), DayLock.id.desc()).limit(MOST_SHOWN)
            ).all()
        together: dict[object, list[tuple[DayLock, str, str | None]]] = defaultdict(list)
        for lock, account, group in rows:
            alone = (lock.id,) if lock.group_id is None else ()
            key = (lock.group_id, lock.trading_date, lock.rule, lock.ended_at, *alone)
            together[key].append((lock, account, group))
        return [_line(found) for found in together.values()]

    def lift(self, lock_id: int, *, actor: Actor, password: str, address: str) -> None:
        """Entries are taken again; this limit is not judged again that day. The actor's password is asked for anew.

        What a group's limit locked is lifted in all its accounts.
        Raises InvalidInput for a wrong password, TooManyTries, NotFound for no such lock of theirs, and Conflict for
        one that has ended.
        """
        with self._database.reading() as session:  # no password is tried for what cannot be lifted anyway
            _liftable(session, lock_id, actor)
        self._people.confirm(actor.id, password, address)
        with self._database.transaction() as session:
            turn_switch(session)
            lock, name = _liftable(session, lock_id, actor)
            for each in _as_one(session, lock):
                each.ended_at, each.lifted_by = self._clock.now(), actor.username
            self._activity.record(
                session,
                user_id=actor.id,
                actor=actor.username,
                action="limit.lift",
                subject=f"account:{lock.account_id}",
                sentence=f"Lifted the day's lock{name}: {lock.sentence} Entries are taken again.",
            )


def _liftable(session: Session, lock_id: int, actor: Actor) -> tuple[DayLock, str]:
    lock = session.get(DayLock, lock_id)
    account = None if lock is None else session.get(TradingAccount, lock.account_id)
    if lock is None or account is None or not (actor.is_admin or account.owner_id == actor.id):
        raise NotFound("There is no such lock of an account of yours.")
    if lock.ended_at is not None:
        raise Conflict("This lock is not in force any more. Reload the page.")
    return lock, f" of {account.name}" if lock.group_id is None else ""


def _as_one(session: Session, lock: DayLock) -> list[DayLock]:
    """The lock with those that its group made with it."""
    if lock.group_id is None:
        return [lock]
    beside = select(DayLock).where(
        DayLock.group_id == lock.group_id, DayLock.trading_date == lock.trading_date, DayLock.rule == lock.rule,
        DayLock.ended_at.is_(None),
    )  # fmt: skip
    return list(session.scalars(beside))


def _line(found: Sequence[tuple[DayLock, str, str | None]]) -> LockLine:
    """Of locks that are one. `found` are a lock, its account's name and its group's."""
    lock, account, group = found[0]
    names = ", ".join(sorted(name for _, name, _ in found))
    return LockLine(
        id=lock.id,
        accounts=tuple(sorted(each.account_id for each, _, _ in found)),
        account=account if group is None else f"group {group} ({names})",
        day=lock.trading_date,
        rule=lock.rule,
        threshold=lock.threshold,
        value=lock.value,
        leaves=lock.leaves,
        sentence=lock.sentence,
        at=lock.at,
        ended_at=lock.ended_at,
        lifted_by=lock.lifted_by,
    )
