"""What our own rows say at each account, contract and product: what of a broker's position is foreign is the rest."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.adoption import SETTLED_S, Standing
from app.domain.calendar import IST
from app.domain.contracts import ContractKey, Side
from app.domain.orders import OPEN, IntentState
from app.persistence.tables import PUSHED, FillRow, Intent, Run, StrategyExecution
from app.services.book_ledger import Place

_SENT_WITHIN = timedelta(days=1)
"""Orders are day orders: what ended moments ago was sent within this time. Keeps the search on its index."""

_LATE_WITHIN = timedelta(seconds=SETTLED_S)


@dataclass(slots=True)
class OurSide:
    """Nets of our executions by their own fills, and whether any of it may not be the last word."""

    nets: tuple[int, ...] = ()
    unsettled: bool = False
    ended_at: datetime | None = None
    traded: bool = False


class OurSides:
    """Of these accounts, as it is in this transaction."""

    def __init__(
        self, session: Session, account_ids: Sequence[int], *, now: datetime, market_now: datetime | None
    ) -> None:
        """`now` is real time. `market_now` None: none can say which trades are of today, so any place may have some."""
        self._session = session
        self._accounts = account_ids
        self._now = now
        self._all_traded = market_now is None
        self._sides: dict[Place, OurSide] = {}
        self._add_nets()
        for place in self._unsettled():
            self._side(place).unsettled = True
        self._add_ended()
        if market_now is not None:
            for place in self._traded_since(_midnight(market_now)):
                self._side(place).traded = True

    def standing(
        self, place: Place, *, contract: str, broker: int, average: Decimal | None, lot_size: int | None
    ) -> Standing:
        """Ours and theirs side by side. `broker` and `average` are what its position book says of that place."""
        side = self._sides.get(place, OurSide())
        ended = side.ended_at
        return Standing(
            contract=contract,
            product=place[2],
            broker=broker,
            average=average,
            ours=side.nets,
            unsettled=side.unsettled,
            # A clock that was set back since must not make what ended then wait for hours.
            settled_for_s=None if ended is None else abs((self._now - ended).total_seconds()),
            traded=side.traded or self._all_traded,
            lot_size=lot_size,
        )

    def _side(self, place: Place) -> OurSide:
        return self._sides.setdefault(place, OurSide())

    def _add_nets(self) -> None:
        rows = self._session.execute(
            select(StrategyExecution, FillRow.side, func.sum(FillRow.units))
            .join(Run, Run.id == StrategyExecution.run_id)
            .join(FillRow, FillRow.execution_id == StrategyExecution.id)
            .where(
                StrategyExecution.account_id.in_(self._accounts),
                StrategyExecution.expired_at.is_(None),
                Run.state.not_in(("CLOSED", "REFUSED")),
            )
            .group_by(StrategyExecution.id, FillRow.side)
        )
        nets: dict[int, tuple[Place, int]] = {}
        for execution, side, units in rows:
            place = (execution.account_id, ContractKey(execution.exchange, execution.symbol), execution.product)
            _, net = nets.get(execution.id, (place, 0))
            nets[execution.id] = (place, net + Side(side).sign * int(units))
        for place, net in nets.values():
            if net:
                mine = self._side(place)
                mine.nets = (*mine.nets, net)

    def _unsettled(self) -> Iterable[Place]:
        """Where an order of ours is open, was pushed as filled, or is filled and its trades are not all read."""
        mine = select(Intent.account_id, Intent.exchange, Intent.symbol, Intent.product).where(
            Intent.account_id.in_(self._accounts)
        )
        pushed = mine.join(FillRow, FillRow.intent_id == Intent.id).where(FillRow.traded_at == PUSHED)
        late = (
            mine.join(Run, Run.id == Intent.run_id)
            .outerjoin(FillRow, FillRow.intent_id == Intent.id)
            .where(Intent.state == IntentState.FILLED.value, Run.state.not_in(("CLOSED", "REFUSED")))
            .group_by(Intent.id)
            .having(func.coalesce(func.sum(FillRow.units), 0) < Intent.units)
        )
        for query in (mine.where(Intent.state.in_([state.value for state in OPEN])), pushed, late):
            yield from self._places(self._session.execute(query).tuples())

    def _add_ended(self) -> None:
        rows = self._session.execute(
            select(Intent.account_id, Intent.exchange, Intent.symbol, Intent.product, func.max(Intent.settled_at))
            .where(
                Intent.account_id.in_(self._accounts),
                Intent.sent_at >= self._now - _SENT_WITHIN,
                Intent.settled_at >= self._now - _LATE_WITHIN,
            )
            .group_by(Intent.account_id, Intent.exchange, Intent.symbol, Intent.product)
        )
        for account_id, exchange, symbol, product, ended_at in rows:
            self._side((account_id, ContractKey(exchange, symbol), product)).ended_at = ended_at

    def _traded_since(self, midnight: datetime) -> Iterable[Place]:
        at = StrategyExecution
        rows = self._session.execute(
            select(at.account_id, at.exchange, at.symbol, at.product)
            .join(FillRow, FillRow.execution_id == at.id)
            .where(at.account_id.in_(self._accounts), FillRow.at >= midnight, FillRow.intent_id.is_not(None))
            .distinct()
        )
        return self._places(rows.tuples())

    @staticmethod
    def _places(rows: Iterable[tuple[int, str, str, str]]) -> list[Place]:
        return [(account_id, ContractKey(exchange, symbol), product) for account_id, exchange, symbol, product in rows]


def _midnight(now: datetime) -> datetime:
    """When the day of that moment began in India."""
    return now.astimezone(IST).replace(hour=0, minute=0, second=0, microsecond=0)
