"""One broker account behind one gateway: its mode, its session, and the order and book calls the wire makes."""

import random
from collections.abc import Callable, Iterable
from datetime import time
from decimal import Decimal

from simulator.book_faults import BookFaults
from simulator.broker import Broker
from simulator.contracts import ContractKey
from simulator.faults import FaultBoard
from simulator.floor import Floor
from simulator.holdings import FundsView, HoldingView, MarginLeg, MarginView, PositionView
from simulator.ledger import Ledger, Position, PositionKey
from simulator.margin import Exposure, margin_needed
from simulator.order_faults import FaultyDoor
from simulator.orders import (
    ZERO,
    Accepted,
    CancelAllReply,
    CloseAllReply,
    Fill,
    ModifyRequest,
    OrderReply,
    OrderRequest,
    OrderView,
    Refused,
)
from simulator.sandbox import Sandbox
from simulator.timers import Timers

OrderListener = Callable[[OrderView], None]
SEMI_AUTO_REFUSAL = "{what} operation is not allowed in Semi-Auto mode. Please switch to Auto mode to {todo}."
PAISA = Decimal("0.01")


class SimAccount:
    """An account. Methods follow the account's present mode: live goes to the broker, analyze to the sandbox."""

    broker = "simulator"

    def __init__(
        self,
        number: int,
        api_key: str,
        floor: Floor,
        faults: FaultBoard,
        timers: Timers,
        *,
        cash: Decimal,
        seed: int,
        intraday_end: time,
    ) -> None:
        """A live account with `cash` rupees whose broker closes MIS positions at `intraday_end` IST."""
        self.number = number
        self.name = f"Simulator {number}"
        self.user_id = f"trader{number}"
        self.api_key = api_key
        self.analyze_mode = False
        self.session_ok = True
        """False: the gateway is logged out of its broker (403 everywhere a session is needed)."""
        self.token_ok = True
        """False: the broker's token has died though the gateway does not know."""
        self.token_generation = 1
        """Counts logins with a new token; streams opened under an older one are dead."""
        self._faults = faults
        self._floor = floor
        self._timers = timers
        self._listeners: list[OrderListener] = []
        self.live = Broker(floor, cash, timers, self._tell, intraday_end)
        self.sandbox = Sandbox(floor, timers, self._tell, random.Random(f"{seed}/sandbox/{number}"))
        self._door = FaultyDoor(number, faults, self.live, timers)
        self._shown = BookFaults(number, faults, random.Random(f"{seed}/books/{number}"))

    def __getstate__(self) -> dict[str, object]:
        """Without who listens: they are of one process."""
        return {**vars(self), "_listeners": []}

    def place(self, request: OrderRequest) -> OrderReply:
        """Place an order. See the reply types: an Unanswered reply means cut the connection.

        Accepted with an empty order id is what the wire sends as null.
        """
        queued = self._door.queued()
        if queued is not None:
            return queued
        if self.analyze_mode:
            return self.sandbox.place(request)
        return self._door.place(request, self._floor.find(request.key))

    def modify(self, request: ModifyRequest) -> OrderReply:
        """Change a working order."""
        if self.analyze_mode:
            return self.sandbox.modify(request)
        return self._semi_auto("Modify order", "modify orders") or self.live.modify(request)

    def cancel(self, orderid: str) -> OrderReply:
        """Cancel a working order."""
        if self.analyze_mode:
            return self.sandbox.cancel(orderid)
        return self._semi_auto("Cancel order", "cancel orders") or self._door.cancel(orderid)

    def cancel_all(self) -> CancelAllReply:
        """Cancel every working order the gateway would: analyze mode leaves trigger-pending ones."""
        working = self.sandbox.log.working() if self.analyze_mode else self.live.log.working()
        ids = [order.orderid for order in working if not self.analyze_mode or order.status == "open"]
        replies = [(orderid, self.cancel(orderid)) for orderid in ids]
        return CancelAllReply(
            cancelled=tuple(orderid for orderid, reply in replies if isinstance(reply, Accepted)),
            failed=tuple((orderid, reply.text) for orderid, reply in replies if isinstance(reply, Refused)),
        )

    def close_positions(self) -> CloseAllReply:
        """Send an opposite market order for every open position; fills are not awaited."""
        if self.analyze_mode:
            return CloseAllReply(*self.sandbox.close_positions())
        replies = [self.place(request) for request in self.live.closing_requests()]
        accepted = sum(isinstance(reply, Accepted) for reply in replies)
        return CloseAllReply(accepted, len(replies) - accepted)

    def place_foreign(self, request: OrderRequest) -> Accepted | Refused:
        """An order typed at the broker's own screen: always live, no faults, no gateway."""
        return self.live.place(request)

    def cancel_foreign(self, orderid: str) -> Accepted | Refused:
        """A cancel from the broker's own screen."""
        return self.live.cancel(orderid)

    def orders(self) -> list[OrderView]:
        """Today's orders, live oldest first, analyze newest first, faults applied."""
        age_s = self._shown.age_s("orderbook")
        log = self.sandbox.log if self.analyze_mode else self.live.log
        rows = list(log.views_at(self._timers.now_s - age_s)) if age_s else [order.view() for order in log.today()]
        shown = self._shown.orders(rows)
        return shown[::-1] if self.analyze_mode else shown

    def order(self, orderid: str) -> OrderView | None:
        """One order as the order book shows it now, faults applied; None when the book does not show it."""
        return next((row for row in self.orders() if row.orderid == orderid), None)

    def trades(self) -> list[Fill]:
        """Today's fills, live oldest first, analyze newest first, faults applied."""
        age_s = self._shown.age_s("tradebook")
        log = self.sandbox.log if self.analyze_mode else self.live.log
        rows = log.fills_at(self._timers.now_s - age_s) if age_s else log.fills()
        shown = self._shown.trades(rows)
        return shown[::-1] if self.analyze_mode else shown

    def positions(self) -> list[PositionView]:
        """Net positions, closed ones of today included with units 0, faults applied."""
        age_s = self._shown.age_s("positionbook")
        desk = self.sandbox if self.analyze_mode else self.live
        held = desk.ledger.positions
        if age_s:
            held = desk.ledger.replayed(desk.log.fills_at(self._timers.now_s - age_s))
        return self._shown.positions(self._position_views(held))

    def holdings(self) -> list[HoldingView]:
        """Delivery holdings; the sandbox has none."""
        return [] if self.analyze_mode else self.live.delivery.views(self._floor)

    def funds(self) -> FundsView:
        """Cash, margins and gains of the present mode."""
        ledger = self._ledger()
        views = self._position_views(ledger.positions)
        used = self._used()
        return FundsView(
            cash=self._available(used).quantize(PAISA),
            collateral=ZERO,
            realised=ledger.realised_today.quantize(PAISA),
            unrealised=sum((view.unrealised for view in views), ZERO).quantize(PAISA),
            used=used.quantize(PAISA),
            total_realised=sum((p.realised_total for p in ledger.positions.values()), ZERO).quantize(PAISA),
            gross_exposure=used.quantize(PAISA),
            last_reset=self.sandbox.reset_at,
            reset_count=0,
        )

    def margin(self, legs: list[MarginLeg]) -> MarginView | None:
        """Margin of the basket; unknown symbols are dropped silently, None when nothing is left.

        Always the broker's.
        """
        exposures = list(self._exposures(legs))
        if not exposures:
            return None
        return margin_needed(self._floor.market, self._floor.clock.trading_date, exposures)

    def set_mode(self, *, analyze: bool) -> None:
        """Switch between live and analyze."""
        self.analyze_mode = analyze

    def log_out(self) -> None:
        """Somebody logs the gateway out of its broker."""
        self.session_ok = False

    def log_in(self, *, new_token: bool = True) -> None:
        """A fresh login at the broker; with a new token existing streams fall silent."""
        self.session_ok = self.token_ok = True
        self.token_generation += int(new_token)

    def kill_token(self) -> None:
        """The broker's token dies."""
        self.token_ok = False

    def on_order_update(self, listener: OrderListener) -> Callable[[], None]:
        """Call `listener` with each new state of an order, as it happens; returns what stops it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def truth(self) -> list[OrderView]:
        """Every live order ever accepted for this account, untouched by faults, oldest first."""
        return self.live.log.all_orders()

    def truth_fills(self) -> list[Fill]:
        """Every live fill ever, untouched by faults, oldest first."""
        return self.live.log.all_fills()

    def truth_positions(self) -> dict[PositionKey, int]:
        """Signed units of every live position, untouched by faults, flat ones left out."""
        return {key: position.units for key, position in self.live.ledger.positions.items() if position.units}

    def wanted(self) -> set[ContractKey]:
        """Contracts whose prices matter to working orders of either mode."""
        return self.live.wanted() | self.sandbox.wanted()

    def match(self, first: int, last: int) -> None:
        """Let working orders of both modes meet the market's steps first..last."""
        self._door.lift_caps()
        self.live.match(first, last)
        self.sandbox.match()

    def end_day(self) -> None:
        """The session ends."""
        self.live.end_day()
        self.sandbox.end_day()

    def begin_day(self) -> None:
        """A new trading day: books start empty."""
        self.live.begin_day()
        self.sandbox.begin_day()

    def _tell(self, view: OrderView) -> None:
        for listener in list(self._listeners):
            listener(view)

    def _semi_auto(self, what: str, todo: str) -> Refused | None:
        if self._faults.standing("semi_auto", self.number) is None:
            return None
        return Refused(SEMI_AUTO_REFUSAL.format(what=what, todo=todo), 403)

    def _ledger(self) -> Ledger:
        return self.sandbox.ledger if self.analyze_mode else self.live.ledger

    def _used(self) -> Decimal:
        return self.sandbox.used if self.analyze_mode else self.live.risk.used(self.live.log.working())

    def _available(self, used: Decimal) -> Decimal:
        if self.analyze_mode:
            return self.sandbox.ledger.cash - used
        return self.live.risk.available(self.live.log.working())

    def _position_views(self, held: dict[PositionKey, Position]) -> list[PositionView]:
        listed = ((key, position, self._floor.find(key.contract)) for key, position in held.items())
        known = [(key, position, contract) for key, position, contract in listed if contract is not None]
        quotes = self._floor.market.quotes([contract for _, _, contract in known])
        return [_position_view(key, position, Decimal(f"{quotes[key.contract].ltp:.2f}")) for key, position, _ in known]

    def _exposures(self, legs: Iterable[MarginLeg]) -> Iterable[Exposure]:
        for leg in legs:
            contract = self._floor.find(ContractKey(leg.symbol, leg.exchange))
            if contract is not None and contract.tradable:
                units = leg.units if leg.action == "BUY" else -leg.units
                yield Exposure(contract, leg.product, units, leg.price or self._floor.ltp(contract))


def _position_view(key: PositionKey, position: Position, last: Decimal) -> PositionView:
    return PositionView(
        symbol=key.symbol,
        exchange=key.exchange,
        product=key.product,
        units=position.units,
        average_price=position.average_price,
        ltp=last,
        unrealised=position.unrealised(last),
        realised_today=position.realised_today,
    )
