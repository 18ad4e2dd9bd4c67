"""Says aloud that an account cannot be traded any more, within seconds, and that it can again."""

from collections.abc import Callable, Sequence

from sqlalchemy import select

from app.persistence.database import Database
from app.persistence.tables import Run, StrategyExecution, TradingAccount
from app.ports.clock import Clock
from app.services.account_health import AccountHealth, HealthBoard, HealthState
from app.services.activity import Activity
from app.services.journal import Journal
from app.services.run_board import LIVING

LOOK_S = 1.0

AT_ONCE = frozenset({HealthState.LOGIN_EXPIRED, HealthState.WRONG_KEY})
"""States that no waiting mends: somebody has to log in, or type a key."""

LOST = AT_ONCE | {HealthState.UNREACHABLE, HealthState.UNKNOWN}
PATIENCE_S = 8.0
"""How long anything else may last: a gateway is started anew, a line is cut for a moment."""


class AccountWatch:
    """`step` belongs to one loop. What it has said is forgotten with the process: a new engine says it again."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        activity: Activity,
        journal: Journal,
        health: HealthBoard,
        *,
        active: Callable[[], Sequence[int]],
    ) -> None:
        """`active` gives the accounts that are not archived."""
        self._database = database
        self._clock = clock
        self._activity = activity
        self._journal = journal
        self._health = health
        self._active = active
        self._since: dict[int, float] = {}
        self._said: set[int] = set()

    def step(self) -> float:
        for account_id in self._active():
            self._look(account_id, self._health.of(account_id))
        return LOOK_S

    def _look(self, account_id: int, health: AccountHealth) -> None:
        if health.state is HealthState.OK:
            self._since.pop(account_id, None)
            if account_id in self._said:
                self._said.discard(account_id)
                self._tell(account_id, "account.back", "account_back", "answers again.")
            return
        if health.state not in LOST or health.seen_at is None or account_id in self._said:
            return
        now = self._clock.monotonic()
        lasted_s = now - self._since.setdefault(account_id, now)
        if health.state in AT_ONCE or lasted_s >= PATIENCE_S:
            self._said.add(account_id)
            self._tell(
                account_id,
                "account.lost",
                "attention",
                f"takes no entries, and exits go on being tried: {health.reason or 'it does not answer'}",
            )

    def _tell(self, account_id: int, action: str, kind: str, words: str) -> None:
        """In the log, and in every living run that trades in it, there as an event of that kind."""
        traded = (
            select(Run.id)
            .join(StrategyExecution, StrategyExecution.run_id == Run.id)
            .where(StrategyExecution.account_id == account_id, Run.state.in_(LIVING))
            .distinct()
        )
        with self._database.transaction() as session:
            account = session.get(TradingAccount, account_id)
            if account is None:
                return
            sentence = f"{account.name} {words}"
            self._activity.record(
                session,
                user_id=None,
                actor="engine",
                action=action,
                subject=f"account:{account_id}",
                sentence=sentence,
            )
            for run_id in session.scalars(traded).all():
                self._journal.note(session, run_id, kind, sentence, account_id)
