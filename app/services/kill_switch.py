"""The kill switch: halt a scope and ask the engine to get out of it, in one transaction; release it by password."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.errors import Conflict, NotFound
from app.domain.trading_states import Scope, TradingState
from app.persistence.database import Database
from app.persistence.tables import AccountGroup, CommandRow, Strategy, TradingAccount, TradingStateRow, User
from app.ports.clock import Clock
from app.services.account_types import Actor
from app.services.activity import Activity
from app.services.asking import Asking, Said, Wish
from app.services.commands import CommandKind
from app.services.group_facts import groups_in
from app.services.kill_parts import Part, moment_of, parts_of
from app.services.people import People
from app.services.taken_along import Along, Ticked, along_of, check_ticked, stored
from app.services.trading_states import EVERYTHING, Standing, standings, write_state

MOST_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Target:
    """What is halted. `id` names a user, a group of accounts, an account or a strategy; it is 0 for everything."""

    scope: Scope = Scope.ALL
    id: int = EVERYTHING

    @property
    def name(self) -> str:
        """What forms and scripts call it: `all`, or `account:3`."""
        return "all" if self.scope is Scope.ALL else f"{self.scope.value.lower()}:{self.id}"

    @property
    def subject(self) -> str:
        """What the activity log calls it."""
        return "desk" if self.scope is Scope.ALL else self.name


@dataclass(frozen=True, slots=True)
class Kill:
    """One use of the switch. `parts` None: the engine has not taken it yet. Times are real; None: not so far.

    `along` are the foreign positions that were ticked. Those that have become runs are not in `parts`.
    """

    command_id: int
    target: Target
    actor: str
    asked_at: datetime
    answer: str | None
    parts: tuple[Part, ...] | None
    flat_at: datetime | None
    alarm_at: datetime | None
    along: tuple[Along, ...] = ()


class KillSwitch:
    """Thread-safe. An admin kills and releases anything, others their own runs."""

    def __init__(
        self, database: Database, clock: Clock, activity: Activity, people: People, wake: Callable[[], None]
    ) -> None:
        self._database = database
        self._clock = clock
        self._activity = activity
        self._people = people
        self._asking = Asking(database, clock, activity, wake)

    def kill(self, target: Target, *, actor: Actor, key: str, ticked: Sequence[Ticked] = ()) -> int:
        """The id of the command. The same key from the same user is the same kill. No entry is claimed after this.

        `ticked` are foreign positions, as they were shown, that go along wherever they are. Raises NotFound for what is
        not there or not the actor's, InvalidInput for too many of them, Conflict when the key was used for something
        else.
        """
        return self._asking.once(
            Wish(
                kind=CommandKind.KILL, user_id=actor.id, username=actor.username, key=key,
                payload={"scope": target.scope.value, "scope_id": target.id, **stored(ticked)},
            ),
            lambda session: self._halt(session, target, actor, ticked),
        )  # fmt: skip

    def reduce(self, target: Target, *, actor: Actor) -> None:
        """Take only exits of it from now on: runs live on with their rules. Released as a kill is, by password.

        Raises NotFound for what is not there or not the actor's, Conflict where it is halted. Again changes nothing.
        """
        with self._database.transaction() as session:
            what, row = _named(session, target, actor), _row(session, target)
            if row is not None and row.state == TradingState.HALTED.value:
                raise Conflict("This is halted, which is stricter; release it first.")
            if row is not None and row.state == TradingState.REDUCE_ONLY.value:
                return
            write_state(
                session, target.scope, target.id, TradingState.REDUCE_ONLY,
                user_id=actor.id, actor=actor.username, at=self._clock.now(), why="Asked for on the risk page",
            )  # fmt: skip
            self._record(session, actor, "risk.reduce", target, f"Only exits are sent for {what}; runs live on.")

    def release(self, target: Target, *, actor: Actor, password: str, address: str) -> None:
        """Take entries again; nothing is started again. The actor's password is asked for anew.

        Raises InvalidInput for a wrong password, TooManyTries, NotFound, and Conflict when it is not halted, or was
        by somebody whose halt only an admin lifts.
        """
        with self._database.reading() as session:  # no password is tried for what cannot be released anyway
            _releasable(session, target, actor)
        self._people.confirm(actor.id, password, address)
        with self._database.transaction() as session:
            what = _releasable(session, target, actor)
            write_state(
                session, target.scope, target.id, TradingState.ACTIVE,
                user_id=actor.id, actor=actor.username, at=self._clock.now(), why="Released",
            )  # fmt: skip
            sentence = f"Released the kill switch for {what}: entries are taken again, nothing was started again."
            self._record(session, actor, "kill.release", target, sentence)

    def standings(self, viewer: Actor) -> list[Standing]:
        """What is halted or reduce-only and concerns this user, the widest scope first."""
        with self._database.reading() as session:
            found = standings(session)
            return [each for each in found if viewer.is_admin or _concerns(session, each, viewer)]

    def kills(self, viewer: Actor) -> list[Kill]:
        """The newest uses of the switch: an admin sees everybody's, others their own and those for everything."""
        with self._database.reading() as session:
            rows = session.scalars(
                select(CommandRow)
                .where(CommandRow.kind == CommandKind.KILL.value)
                .order_by(CommandRow.id.desc())
                .limit(100)
            )
            mine = [row for row in rows if viewer.is_admin or row.user_id == viewer.id or _is_for_all(row)]
            return [_kill(row, along_of(session, row)) for row in mine[:MOST_SHOWN]]

    def _halt(self, session: Session, target: Target, actor: Actor, ticked: Sequence[Ticked]) -> Said:
        what = _named(session, target, actor)
        check_ticked(session, ticked, actor)
        write_state(
            session, target.scope, target.id, TradingState.HALTED,
            user_id=actor.id, actor=actor.username, at=self._clock.now(), why="Kill switch",
        )  # fmt: skip
        words = f"Kill switch for {what}: entries are halted, resting orders cancelled, positions of ours closed."
        if ticked:
            words += f" Foreign positions that go along: {', '.join(each.name for each in sorted(ticked))}."
        return Said("kill.ask", target.subject, words)

    def _record(self, session: Session, actor: Actor, action: str, target: Target, sentence: str) -> None:
        self._activity.record(
            session, user_id=actor.id, actor=actor.username, action=action, subject=target.subject, sentence=sentence
        )


def target_of(payload: Mapping[str, object]) -> Target:
    """What the command of a kill is about."""
    number = payload["scope_id"]
    return Target(Scope(str(payload["scope"])), number if isinstance(number, int) else EVERYTHING)


def _named(session: Session, target: Target, actor: Actor) -> str:
    """The target in words. Raises NotFound for what is not there or not the actor's."""
    name: str | None = None
    if target.scope is Scope.ALL:
        name = "everything" if actor.is_admin else None
    elif target.scope is Scope.ACCOUNT:
        account = session.get(TradingAccount, target.id)
        name = account.name if account is not None and actor.is_admin else None
    elif target.scope is Scope.GROUP:
        found = groups_in(session, ids=[target.id]) if actor.is_admin else []
        name = f"the group {found[0].name}" if found else None
    elif target.scope is Scope.USER:
        user = session.get(User, target.id)
        name = f"the runs of {user.username}" if user is not None and (actor.is_admin or user.id == actor.id) else None
    else:
        strategy = session.get(Strategy, target.id)
        if strategy is not None and (actor.is_admin or strategy.owner_id == actor.id):
            name = f"the strategy {strategy.name}"
    if name is None:
        raise NotFound("There is nothing of that name that you may halt. You can halt your own runs.")
    return name


def _releasable(session: Session, target: Target, actor: Actor) -> str:
    """The target in words. Raises NotFound, and Conflict when it is not halted or was by another than this trader."""
    what, row = _named(session, target, actor), _row(session, target)
    if row is None or row.state == TradingState.ACTIVE.value:
        raise Conflict("This is not halted any more; there is nothing to release.")
    if not actor.is_admin and row.user_id != actor.id:
        raise Conflict(f"This was halted by {row.actor}. Ask an admin to release it.")
    return what


def _concerns(session: Session, standing: Standing, viewer: Actor) -> bool:
    if standing.scope is Scope.USER:
        return standing.scope_id == viewer.id
    if standing.scope is Scope.STRATEGY:
        strategy = session.get(Strategy, standing.scope_id)
        return strategy is not None and strategy.owner_id == viewer.id
    if standing.scope is Scope.GROUP:
        group = session.get(AccountGroup, standing.scope_id)
        return group is not None and group.owner_id == viewer.id
    if standing.scope is Scope.ACCOUNT:
        account = session.get(TradingAccount, standing.scope_id)
        return account is not None and account.owner_id == viewer.id
    return True


def _row(session: Session, target: Target) -> TradingStateRow | None:
    return session.scalars(
        select(TradingStateRow).where(
            TradingStateRow.scope == target.scope.value, TradingStateRow.scope_id == target.id
        )
    ).one_or_none()


def _is_for_all(row: CommandRow) -> bool:
    return target_of(row.payload).scope is Scope.ALL


def _kill(row: CommandRow, along: tuple[Along, ...]) -> Kill:
    return Kill(
        command_id=row.id,
        target=target_of(row.payload),
        actor=str(row.payload["by"]),
        asked_at=row.asked_at,
        answer=row.answer,
        parts=parts_of(row.payload),
        flat_at=moment_of(row.payload, "flat_at"),
        alarm_at=moment_of(row.payload, "alarm_at"),
        along=along,
    )
