"""What our own rows say about orders that want to go: read for many at once, inside the transaction of their claim."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import BindParameter, and_, bindparam, func, or_, select
from sqlalchemy.orm import Session

from app.domain import gate
from app.domain.calendar import Phase
from app.domain.gate import Ledger, Stop, Who
from app.domain.orders import OPEN, IntentState, Purpose
from app.domain.plan import Mode
from app.domain.trading_states import Scope
from app.persistence.direct import Question
from app.persistence.leading import leads
from app.persistence.locking import watch_switch
from app.persistence.plain import columns, makers
from app.persistence.tables import FillRow, Intent, Position, Run, StrategyExecution, TradingAccount
from app.services import trading_states
from app.services.day_locks import in_force, stop_of
from app.services.limit_facts import LimitFacts, limited
from app.services.world import World

TWIN_S = 2.0
"""Within this time another run's order with the same account, contract, side and units is taken for a double."""

UNDER_WAY = OPEN - {IntentState.READY}
UNSETTLED = frozenset({IntentState.SENDING, IntentState.UNKNOWN})

_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_ACCOUNTS: BindParameter[Any] = bindparam("accounts", expanding=True)
_I, _F, _P = Intent.__table__.c, FillRow.__table__.c, Position.__table__.c
_TOGETHER = (Intent, Run, TradingAccount, StrategyExecution)
_WANTED = Question(
    select(*(column for of in _TOGETHER for column in columns(of)))
    .join(Run.__table__, Run.__table__.c.id == _I.run_id)
    .join(TradingAccount.__table__, TradingAccount.__table__.c.id == _I.account_id)
    .join(StrategyExecution.__table__, StrategyExecution.__table__.c.id == _I.execution_id)
    .where(_I.id.in_(_IDS), _I.state == IntentState.READY.value)
    .order_by(_I.id)
)
_PARTS = makers(*_TOGETHER)
_LOCK_INTENTS = select(Intent.id).where(Intent.id.in_(_IDS)).order_by(Intent.id).with_for_update(key_share=True)
_LOCK_ACCOUNTS = (
    select(TradingAccount.id)
    .join(Intent, Intent.account_id == TradingAccount.id)
    .where(Intent.id.in_(_IDS))
    .order_by(TradingAccount.id)
    .with_for_update(key_share=True, of=TradingAccount)
)
_LOCK_EXECUTIONS = (
    select(StrategyExecution.id)
    .join(Intent, Intent.execution_id == StrategyExecution.id)
    .where(Intent.id.in_(_IDS))
    .order_by(StrategyExecution.id)
    .with_for_update(read=True, of=StrategyExecution)
)
_OF_ACCOUNTS = _I.account_id.in_(_ACCOUNTS)
_BESIDE = Question(
    select(
        _I.id,
        _I.account_id,
        _I.exchange,
        _I.symbol,
        _I.product,
        _I.execution_id,
        _I.run_id,
        _I.purpose,
        _I.side,
        _I.units,
        _I.state,
        _I.sent_at,
        _I.set_aside_at,
        _I.epoch,
    ).where(
        # Each part on its own index: the ledger of years must not slow a claim.
        or_(
            and_(_OF_ACCOUNTS, _I.state.in_([state.value for state in UNDER_WAY])),
            and_(_OF_ACCOUNTS, _I.sent_at >= bindparam("since")),
            and_(_OF_ACCOUNTS, _I.run_id.in_(bindparam("runs", expanding=True))),
        )
    )
)
_FILLED = Question(select(_F.intent_id, func.sum(_F.units)).where(_F.intent_id.in_(_IDS)).group_by(_F.intent_id))
_NETS = Question(select(_P.account_id, _P.exchange, _P.symbol, _P.product, _P.net).where(_P.account_id.in_(_ACCOUNTS)))

_Place = tuple[int, str, str, str]
"""Account, exchange, symbol and product."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A READY intent and the rows around it, all of them plain."""

    intent: Intent
    run: Run
    account: TradingAccount
    execution: StrategyExecution


@dataclass(slots=True)
class _Beside:
    """An intent that matters for others: of the same run, under way in the same account, or sent moments ago."""

    id: int
    place: _Place
    execution_id: int
    run_id: int
    purpose: str
    side: str
    units: int
    state: str
    sent_at: datetime | None
    set_aside_at: datetime | None
    epoch: int | None
    filled: int = 0

    @property
    def is_under_way(self) -> bool:
        return self.state in UNDER_WAY

    def takes_from(self, other: Intent) -> bool:
        """Whether this exit may take units that `other` wants to close. One that a person set aside keeps nothing from
        the exit that goes in its place; from all others it does until the books tell.
        """
        in_its_place = self.set_aside_at is not None and self.execution_id == other.execution_id
        return self.purpose == Purpose.EXIT and self.is_under_way and not in_its_place


def who_of(account: TradingAccount, *, live_sending: bool) -> Who:
    return Who(
        name=account.name,
        broker=account.broker,
        state=account.state,
        expected=Mode(account.expected_mode),
        live_sending=live_sending,
        max_day_loss=account.max_day_loss,
    )


def hold(session: Session, intent_ids: Sequence[int]) -> list[Wanted]:
    """Those of them that are READY, locked with their accounts until the transaction ends, in order of id.

    Always intents first, then accounts, then executions, each in order of id: whoever settles does the same. On SQLite
    a transaction of `Database` is the only writer anyway.
    """
    ids = {"ids": list(intent_ids)}
    if session.get_bind().dialect.name == "postgresql":
        for lock in (_LOCK_INTENTS, _LOCK_ACCOUNTS, _LOCK_EXECUTIONS):
            session.execute(lock, ids)
    return [Wanted(*(make(row[at]) for make, at in _PARTS)) for row in _WANTED.ask(session, ids)]


class Facts:
    """What the ledger says of these intents; `claimed` keeps it true for those judged after. For one transaction."""

    def __init__(
        self, session: Session, wanted: Sequence[Wanted], epoch: int | None, now: datetime, *, world: World
    ) -> None:
        self._now = now
        accounts = sorted({each.account.id for each in wanted})
        watch_switch(session)
        self.leads = leads(session, epoch)
        self._standings = trading_states.standings(session)
        self._locks = in_force(session)
        self._limits = LimitFacts(session)
        self._phases: dict[str, Phase] = {}
        self._world = world
        self.well = world.well()
        runs = sorted({each.run.id for each in wanted})
        since = now - timedelta(seconds=TWIN_S)
        rows = _BESIDE.ask(session, {"accounts": accounts, "runs": runs, "since": since})
        self._known = {row[0]: _Beside(row[0], (row[1], row[2], row[3], row[4]), *row[5:]) for row in rows}
        for intent_id, units in _FILLED.ask(session, {"ids": list(self._known)}):
            self._known[intent_id].filled = int(units)
        outdated = world.outdated(accounts)
        self._nets: dict[_Place, int] = {
            (account, exchange, symbol, product): net
            for account, exchange, symbol, product, net in _NETS.ask(session, {"accounts": accounts})
            if account not in outdated
        }
        self._unowned = world.unowned(session, accounts)
        self._at: dict[_Place, list[_Beside]] = defaultdict(list)
        self._of_execution: dict[int, list[_Beside]] = defaultdict(list)
        self._begun: set[tuple[int, int]] = set()
        self._left: dict[int, str] = {}
        for each in self._known.values():
            if each.state in UNSETTLED and each.epoch != epoch:
                self._left.setdefault(each.place[0], f"{each.side.lower()} {each.units} {each.place[2]}")
            self._at[each.place].append(each)
            self._of_execution[each.execution_id].append(each)
            if each.sent_at is not None:
                self._begun.add((each.run_id, each.place[0]))

    def ledger(self, of: Wanted, today: date) -> Ledger:
        """`today` is the market's date."""
        intent = of.intent
        place = _place(intent)
        others = [each for each in self._at[place] if each.id != intent.id]
        same_side = [each for each in others if each.side == intent.side]
        entries = [
            each for each in self._of_execution[intent.execution_id] if each.purpose == Purpose.ENTRY
        ]  # fmt: skip
        beside = [each for each in entries if each.id != intent.id]
        return Ledger(
            leads=self.leads,
            stop=self._stop(of),
            exit_wanted=of.execution.exit_wanted,
            wanted=of.execution.units,
            entered=sum(each.filled for each in beside),
            entering=_unfilled(each for each in beside if each.is_under_way),
            net=self._nets.get(place),
            exiting=_unfilled(e for e in same_side if e.takes_from(intent))
            + self._unowned.get((*place, intent.side), 0),
            opposite_under_way=any(
                e.purpose == Purpose.ENTRY and e.is_under_way and e.execution_id != intent.execution_id
                for e in others
                if e.side != intent.side
            ),
            unsettled_elsewhere=any(e.state in UNSETTLED and e.execution_id != intent.execution_id for e in same_side),
            sent_lately=any(self._is_twin(e, intent) for e in same_side),
            margin=self._margin(of),
            left_unknown=self._left.get(of.account.id),
            over=self._limits.refusal(limited(of.account), today, _lots(of))
            if intent.purpose == Purpose.ENTRY
            else None,
        )

    def phase(self, exchange: str) -> Phase:
        """Of its day, the same for all that are judged together."""
        known = self._phases.get(exchange)
        if known is None:
            known = self._phases[exchange] = self._world.phase(exchange)
        return known

    def claimed(self, of: Wanted, at: datetime) -> None:
        """It goes: what is judged after it counts it as under way."""
        each = self._known[of.intent.id]
        each.state, each.sent_at = IntentState.SENDING.value, at
        self._limits.claimed(of.account.id, _lots(of) if of.intent.purpose == Purpose.ENTRY else 0)

    def _is_twin(self, each: _Beside, intent: Intent) -> bool:
        if each.run_id == intent.run_id or each.sent_at is None:
            return False
        recent = timedelta(0) <= self._now - each.sent_at < timedelta(seconds=TWIN_S)
        return recent and each.purpose == intent.purpose and each.units == intent.units

    def _margin(self, of: Wanted) -> Decimal | None:
        begun = (of.run.id, of.account.id) in self._begun
        return None if begun else of.execution.margin_needed

    def _stop(self, of: Wanted) -> Stop | None:
        found = trading_states.strictest(
            self._standings,
            {
                Scope.ALL: trading_states.EVERYTHING,
                Scope.USER: of.run.user_id,
                Scope.ACCOUNT: of.account.id,
                Scope.STRATEGY: of.run.strategy_id,
            },
        )
        if found is not None:
            return Stop(gate.STOPPED_BY[found.state], found.sentence)
        lock = self._locks.get(of.account.id)
        return None if lock is None else stop_of(lock)


def _lots(of: Wanted) -> int:
    return of.intent.units // of.execution.lot_size


def _place(intent: Intent) -> _Place:
    return intent.account_id, intent.exchange, intent.symbol, intent.product


def _unfilled(intents: Iterable[_Beside]) -> int:
    """All of them together: one that filled more than it asked takes from the others."""
    found = list(intents)
    return max(0, sum(each.units - each.filled for each in found))
