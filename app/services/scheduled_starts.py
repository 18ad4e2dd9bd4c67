"""Starts strategies by themselves at their time: a preview, sent as the button would, once for each trading date."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.domain.calendar import IST, Closed, trading_date
from app.domain.contracts import underlying_named
from app.domain.entry_times import LATE, due_today
from app.domain.errors import Refused, Unavailable
from app.domain.plan import Mode, Plan
from app.persistence.database import Database
from app.persistence.tables import CommandRow, ScheduledStart, Strategy, TradingAccount, User
from app.ports.clock import MarketClock
from app.services.accounts import SIMULATOR
from app.services.activity import Activity
from app.services.commands import Commands
from app.services.entry_time_text import read
from app.services.fair_turns import FairTurns
from app.services.preview_maker import Previews
from app.services.session_hours import SessionHours

LOOK_S = 1.0
AGAIN = timedelta(seconds=15)
"""Between two tries of a start that failed because nobody could say: a gateway is away, a price is missing."""
STARTING, STARTED, SKIPPED = "STARTING", "STARTED", "SKIPPED"

_WITH_TIMES = select(Strategy.id, Strategy.times).where(Strategy.archived.is_(False), Strategy.times.is_not(None))


@dataclass(frozen=True, slots=True)
class LastStart:
    """What became of a start. `reason` says why nothing was sent; `run_id` is None then."""

    day: date
    state: str
    reason: str | None
    run_id: int | None

    def words(self) -> str:
        """As `23 Nov: started` or `23 Nov: left out. NFO is closed today.`"""
        said = {STARTED: "started", STARTING: "being started"}.get(self.state, "left out")
        return f"{self.day:%d %b}: {said}{'' if self.reason is None else f'. {self.reason}'}"


class ScheduledStarts:
    """`step` belongs to one loop of the engine that leads, the rest to anybody.

    A row for each strategy and date is written first: whoever writes it may start, and after a crash the row and the
    key of the command keep it from being started twice.
    """

    def __init__(
        self,
        database: Database,
        market_clock: MarketClock,
        hours: SessionHours,
        previews: Previews,
        commands: Commands,
        activity: Activity,
        *,
        clock_in_doubt: Callable[[], bool],
    ) -> None:
        self._database = database
        self._market_clock = market_clock
        self._hours = hours
        self._previews = previews
        self._commands = commands
        self._activity = activity
        self._clock_in_doubt = clock_in_doubt
        self._turns = FairTurns()
        self._over: set[tuple[int, date]] = set()
        self._again_at: dict[tuple[int, date], datetime] = {}

    def step(self) -> float:
        """Start what is due. Returns the seconds until the next look."""
        try:
            now = self._market_clock.now()
        except Unavailable:
            return LOOK_S
        if self._clock_in_doubt():
            return LOOK_S  # a start that this makes too late is left out, and says so
        with self._database.reading() as session:
            known = [(row.id, read(row.times)) for row in session.execute(_WITH_TIMES)]
        due = {strategy_id: at for strategy_id, times in known if (at := due_today(times, now)) is not None}
        for strategy_id in self._turns.order(due):
            with self._turns.turn(strategy_id):
                self._look(strategy_id, due[strategy_id], now)
        return LOOK_S

    def last_of(self, strategy_ids: Iterable[int]) -> dict[int, LastStart]:
        """The newest start of each strategy, made or left out; none where there was none."""
        wanted = select(ScheduledStart).where(ScheduledStart.strategy_id.in_(list(strategy_ids)))
        with self._database.reading() as session:
            rows = session.scalars(wanted.order_by(ScheduledStart.day)).all()
            return {row.strategy_id: LastStart(row.day, row.state, row.reason, row.run_id) for row in rows}

    def _look(self, strategy_id: int, at: datetime, now: datetime) -> None:
        place = (strategy_id, trading_date(now))
        if place in self._over:
            return
        if now < self._again_at.get(place, now):
            return
        if not self._claim(strategy_id, place[1], now) or self._make(strategy_id, at, now):
            self._over.add(place)
        else:
            self._again_at[place] = now + AGAIN

    def _claim(self, strategy_id: int, day: date, now: datetime) -> bool:
        """Whether this start is still to be made, by us. A row that a crash left STARTING is taken up again."""
        try:
            with self._database.transaction() as session:
                row = session.scalars(_of(strategy_id, day)).one_or_none()
                if row is None:
                    session.add(ScheduledStart(strategy_id=strategy_id, day=day, state=STARTING, at=now))
                return row is None or row.state == STARTING
        except IntegrityError:
            return False  # another process was first

    def _make(self, strategy_id: int, at: datetime, now: datetime) -> bool:
        """False when nobody can say just now: it is tried again until it is too late."""
        with self._database.reading() as session:
            strategy = session.get_one(Strategy, strategy_id)
            owner = session.get_one(User, strategy.owner_id)
        key = key_of(strategy_id, trading_date(now))
        if (sent := self._sent(owner.id, key)) is not None:
            self._end(strategy, now, STARTED, None, sent)
            return True
        try:
            reason = self._why_not(strategy, owner, at, now)
            run_id = None if reason is not None else self._start(strategy, owner, key)
        except Refused as no:
            run_id = self._sent(owner.id, key)  # another process may have been first
            reason = None if run_id is not None else str(no)
        except Unavailable:
            return False
        self._end(strategy, now, STARTED if run_id is not None else SKIPPED, reason, run_id)
        return True

    def _sent(self, owner_id: int, key: str) -> int | None:
        """The run that this very start made before, whoever made it."""
        wanted = select(CommandRow.run_id).where(CommandRow.user_id == owner_id, CommandRow.key == key)
        with self._database.reading() as session:
            return session.scalars(wanted).one_or_none()

    def _start(self, strategy: Strategy, owner: User, key: str) -> int:
        """Raises Refused or Unavailable, and nothing was sent then."""
        preview = self._previews.make(strategy.id, owner.id, part=read(strategy.times).part)
        _refuse_empty(preview.plan)
        self._refuse_unarmed(strategy, preview.plan)
        return self._commands.start_run(
            preview.id, preview.digest, user_id=owner.id, username=f"{owner.username} (by schedule)", key=key
        )

    def _why_not(self, strategy: Strategy, owner: User, at: datetime, now: datetime) -> str | None:
        if not owner.active:
            return f"{owner.username} may not sign in any more."
        if now - at > LATE:
            late = int((now - at).total_seconds() // 60)
            return f"Its time was {at.astimezone(IST):%H:%M}, {late} minutes before anybody could start it."
        for exchange in sorted({underlying_named(leg.underlying).exchange for leg in strategy.legs}):
            hours = self._hours.session(exchange)
            if hours is None:
                return f"The hours of {exchange} today are not known."
            if isinstance(hours, Closed):
                return f"{exchange} is closed today."
            if not hours.opens <= now < hours.closes:
                times = f"{hours.opens.astimezone(IST):%H:%M} to {hours.closes.astimezone(IST):%H:%M}"
                return f"{exchange} is open from {times} today."
        return None

    def _refuse_unarmed(self, strategy: Strategy, plan: Plan) -> None:
        live = [account.account_id for account in plan.taking_part if account.mode is Mode.LIVE]
        with self._database.reading() as session:
            real = session.scalars(
                select(TradingAccount.name).where(TradingAccount.id.in_(live), TradingAccount.broker != SIMULATOR)
            ).all()
        if real and strategy.armed_at is None:
            raise Refused(f"{', '.join(real)} would trade real money, and the schedule is not armed for that.")

    def _end(self, strategy: Strategy, now: datetime, state: str, reason: str | None, run_id: int | None) -> None:
        with self._database.transaction() as session:
            row = session.scalars(_of(strategy.id, trading_date(now))).one()
            if row.state != STARTING:
                return
            row.state, row.reason, row.run_id = state, reason, run_id
            self._tell(session, strategy, reason)

    def _tell(self, session: Session, strategy: Strategy, reason: str | None) -> None:
        words = "was started by its schedule." if reason is None else f"was not started by its schedule. {reason}"
        self._activity.record(
            session,
            user_id=strategy.owner_id,
            actor="schedule",
            action="strategy.schedule",
            subject=f"strategy:{strategy.id}",
            sentence=f"{strategy.name} {words}",
        )


def _of(strategy_id: int, day: date) -> Select[tuple[ScheduledStart]]:
    return select(ScheduledStart).where(ScheduledStart.strategy_id == strategy_id, ScheduledStart.day == day)


def key_of(strategy_id: int, day: date) -> str:
    """The command's key: the same start asked for again is the same command."""
    return f"scheduled-{strategy_id}-{day.isoformat()}"


def _refuse_empty(plan: Plan) -> None:
    if not plan.taking_part:
        reasons = "; ".join(f"{account.account_name}: {account.skipped}" for account in plan.accounts)
        raise Refused(f"No account takes part. {reasons}")
