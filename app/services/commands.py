"""What people and scripts ask of the engine: stored once, then the engine is woken."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import bindparam, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.domain.errors import Conflict, NotFound
from app.persistence.database import Database
from app.persistence.plain import added
from app.persistence.tables import CommandRow, Preview, Run, Strategy, StrategyExecution, User
from app.ports.clock import Clock
from app.services import exit_rule_text, floor_text
from app.services.activity import Activity
from app.services.asking import Asking, Said, Wish, check_key
from app.services.pending_orders import Change, PendingChange
from app.services.previews import plan_of


class CommandKind(StrEnum):
    START = "START"
    EXIT = "EXIT"
    KILL = "KILL"
    PENDING = "PENDING"
    OVERRIDE = "OVERRIDE"
    ADOPT = "ADOPT"
    RULES = "RULES"
    FEED = "FEED"


@dataclass(frozen=True, slots=True)
class ExitScope:
    """What of a run is to be flat: one account, one leg in all accounts, both for one cell, neither for everything.

    `with_shorts` takes the shorts along that those legs hedge, in the same accounts.
    """

    account_id: int | None = None
    leg: int | None = None
    with_shorts: bool = False

    def words(self) -> str:
        if self.account_id is None and self.leg is None:
            return "everything"
        parts = [f"leg {self.leg}"] if self.leg is not None else []
        parts += [f"account {self.account_id}"] if self.account_id is not None else []
        return " in ".join(parts) + (" with the shorts it hedges" if self.with_shorts else "")

    def payload(self) -> dict[str, object]:
        """As the command keeps it."""
        along: dict[str, object] = {"with_shorts": True} if self.with_shorts else {}
        return {"account_id": self.account_id, "leg": self.leg, **along}


# Its legs and accounts stand in the frozen plan, and an object of it would bring them all.
_NAME = select(Strategy.name).where(Strategy.id == bindparam("strategy_id"))


class Commands:
    """Thread-safe. The same key from the same user is the same command, whatever happens in between."""

    def __init__(self, database: Database, clock: Clock, activity: Activity, wake: Callable[[], None]) -> None:
        self._database = database
        self._clock = clock
        self._activity = activity
        self._wake = wake
        self._asking = Asking(database, clock, activity, wake)

    def start_run(self, preview_id: int, digest: str, *, user_id: int, username: str, key: str) -> int:
        """The id of the run that this preview makes. Asking again gives the same run.

        Raises NotFound for a preview that is not this user's, Conflict when it has expired or shows something else.
        """
        check_key(key)
        try:
            with self._database.transaction() as session:
                known = self._run_of(session, preview_id, user_id)
                run_id = (
                    known if known is not None else self._request(session, preview_id, digest, user_id, username, key)
                )
        except IntegrityError:
            # Another click won the race for this preview or key: its run is the answer.
            with self._database.reading() as session:
                winner = self._run_of(session, preview_id, user_id)
            if winner is None:
                raise Conflict("This key was used for something else. Open the preview again and send once.") from None
            run_id = winner
        self._wake()
        return run_id

    def exit_run(
        self, run_id: int, scope: ExitScope, *, user_id: int, username: str, key: str, is_admin: bool = False
    ) -> int:
        """The id of the command to get out of a run, or of a part of it. An admin gets out of anybody's.

        Raises NotFound for a run that is not this user's or a part it does not have, Conflict when it is closed.
        """

        def judge(session: Session) -> Said:
            run = _exitable(session, run_id, None if is_admin else user_id)
            if run.state != "REQUESTED":
                _must_have(session, run, scope.account_id, scope.leg)
            words = f"Asked to exit {scope.words()} of {run.name}{_of_whom(session, run, user_id)}."
            return Said("run.exit", f"run:{run.id}", words)

        return self._asking.once(
            Wish(
                kind=CommandKind.EXIT, user_id=user_id, username=username, key=key, run_id=run_id,
                payload=scope.payload(),
            ),
            judge,
        )  # fmt: skip

    def change_pending(
        self, run_id: int, wanted: PendingChange, *, user_id: int, username: str, key: str, is_admin: bool = False
    ) -> int:
        """The id of the command about entries that rest at a typed price. Raises as `exit_run` does."""

        def judge(session: Session) -> Said:
            run = _exitable(session, run_id, None if is_admin else user_id)
            _must_have(session, run, wanted.account_id, wanted.leg)
            words = f"Asked to {_PENDING_WORDS[wanted.change]} leg {wanted.leg} in account {wanted.account_id} of "
            return Said("run.pending", f"run:{run.id}", f"{words}{run.name}{_of_whom(session, run, user_id)}.")

        return self._asking.once(
            Wish(
                kind=CommandKind.PENDING, user_id=user_id, username=username, key=key, run_id=run_id,
                payload=_pending_payload(wanted),
            ),
            judge,
        )  # fmt: skip

    def _run_of(self, session: Session, preview_id: int, user_id: int) -> int | None:
        return session.scalars(select(Run.id).where(Run.preview_id == preview_id, Run.user_id == user_id)).one_or_none()

    def _request(self, session: Session, preview_id: int, digest: str, user_id: int, username: str, key: str) -> int:
        now = self._clock.now()
        preview = session.get(Preview, preview_id)
        if preview is None or preview.user_id != user_id:
            raise NotFound("There is no such preview. Make a new one from the strategy.")
        if preview.digest != digest:
            raise Conflict("The preview on the page is not the stored one. Make a new preview and check it again.")
        if preview.expires_at < now:
            raise Conflict("The preview is older than a minute and prices have moved on. Make a new one.")
        name = session.scalars(_NAME, {"strategy_id": preview.strategy_id}).one()
        plan = plan_of(preview)
        modes = {account.mode for account in plan.taking_part}
        run = {
            "strategy_id": preview.strategy_id,
            "preview_id": preview.id,
            "user_id": user_id,
            "name": name,
            "mode": modes.pop().value if len(modes) == 1 else "mixed",
            "state": "REQUESTED",
            "max_loss": plan.max_loss,
            "max_profit": plan.max_profit,
            "square_off": plan.square_off,
            "floors": floor_text.written(plan.floors),
            "exits": exit_rule_text.written(plan.exits),
            "peak": Decimal(0),
            "leg_failure": plan.failure.leg.value,
            "retries": plan.failure.retries,
            "group_failure": plan.failure.group.value,
            "requested_at": now,
        }
        run_id = added(session, Run, run).id
        start = {
            "user_id": user_id,
            "key": key,
            "kind": CommandKind.START.value,
            "run_id": run_id,
            "payload": {},
            "state": "ASKED",
            "asked_at": now,
        }
        added(session, CommandRow, start)
        sentence = f"Sent {name}: {plan.order_count} orders in {len(plan.taking_part)} accounts."
        self._activity.record(
            session, user_id=user_id, actor=username, action="run.start", subject=f"run:{run_id}", sentence=sentence
        )
        return run_id


def _must_have(session: Session, run: Run, account_id: int | None, leg: int | None) -> None:
    """Raises NotFound when the run has no such account or leg; None stands for any."""
    wanted = select(StrategyExecution.id).where(StrategyExecution.run_id == run.id)
    if account_id is not None:
        wanted = wanted.where(StrategyExecution.account_id == account_id)
    if leg is not None:
        wanted = wanted.where(StrategyExecution.leg == leg)
    if not session.scalars(wanted).first():
        raise NotFound("This run has no such account or leg.")


def _exitable(session: Session, run_id: int, user_id: int | None) -> Run:
    """The run, if it is this user's (None: anybody's) and lives. Raises NotFound, Conflict."""
    run = session.get(Run, run_id)
    if run is None or user_id not in {None, run.user_id}:
        raise NotFound("There is no such run.")
    if run.state in {"CLOSED", "REFUSED"}:
        raise Conflict("This run is closed already; there is nothing to exit.")
    return run


def _of_whom(session: Session, run: Run, user_id: int) -> str:
    """Names the owner where somebody else asked."""
    return "" if run.user_id == user_id else f", a run of {session.get_one(User, run.user_id).username}"


_PENDING_WORDS = {
    Change.CANCEL: "cancel the pending",
    Change.MODIFY: "change the price of the pending",
    Change.MARKET: "send at market the rest of the pending",
}


def _pending_payload(wanted: PendingChange) -> dict[str, object]:
    return {
        "account_id": wanted.account_id,
        "leg": wanted.leg,
        "change": wanted.change.value,
        "limit": None if wanted.limit is None else str(wanted.limit),
        "trigger": None if wanted.trigger is None else str(wanted.trigger),
    }


def pending_of(payload: Mapping[str, object]) -> tuple[PendingChange, str]:
    """What a stored command asks for, and who asked."""
    limit, trigger = payload.get("limit"), payload.get("trigger")
    wanted = PendingChange(
        account_id=int(str(payload["account_id"])),
        leg=int(str(payload["leg"])),
        change=Change(str(payload["change"])),
        limit=None if limit is None else Decimal(str(limit)),
        trigger=None if trigger is None else Decimal(str(trigger)),
    )
    return wanted, str(payload["by"])
