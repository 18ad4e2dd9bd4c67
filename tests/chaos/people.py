"""What people do: start, leave by clicks that come twice, change what rests, halt everything, trade past us."""

from collections.abc import Iterable
from datetime import time, timedelta
from decimal import Decimal
from typing import Any

from app.domain.calendar import IST
from app.domain.contracts import Contract, PriceType, Side
from app.domain.orders import FINAL, IntentState
from app.domain.plan import Mode
from app.domain.price_types import PriceTerms
from app.domain.trading_states import Scope
from app.persistence.tables import Intent, StrategyExecution, TradingStateRow
from app.services.adoption_commands import Adopt
from app.services.asking import Said, Wish
from app.services.commands import CommandKind, ExitScope
from app.services.kill_switch import Target
from app.services.overrides import Override
from app.services.pending_orders import Change, PendingChange
from tests.chaos.day import UNSETTLED
from tests.chaos.machine import MachineEvents
from tests.chaos.watched_broker import WatchedBroker
from tests.chaos.world import SECRET
from tests.unit.services.pretend_broker import BY_HAND, LOT, PRICE

MOST_RUNS = 2
LIMITS = {Side.BUY: ("99.00", "100.50"), Side.SELL: ("101.00", "99.50")}
STOPS = {Side.BUY: ("102.00", "101.00"), Side.SELL: ("98.00", "99.00")}
AVERAGE = Decimal("100.3333")
"""What the pretend broker says of every position, as it is kept."""

LOSSES = (None, Decimal(400), Decimal(400), Decimal(1500))


class PeopleEvents(MachineEvents):
    """Each is one event. Whatever may be refused is, and changes nothing."""

    def start(self) -> None:
        """Two runs at most, in the same contracts and the same accounts; some with typed prices, some with rules."""
        if sum(run.strategy_id is not None for run in self.runs) >= MOST_RUNS:
            return
        typed = {n: self.terms(side) for n, (_, side, _) in enumerate(self.legs, 1) if self.dice.random() < 0.2}
        run_id = self.world.start(*self.legs, typed=typed)
        loss, profit, trail = (self.dice.choice(LOSSES) for _ in range(3))
        self.world.rule(run_id, max_loss=loss, max_profit=profit, trail=trail, until=self.soon())

    def soon(self) -> time | None:
        """The time at which a run is to be left, if it is: on the clock as it should be."""
        in_s = self.dice.choice((None, None, None, 5, 900))
        right = self.world.clock.now() - self.world.ahead
        return None if in_s is None else (right + timedelta(seconds=in_s)).astimezone(IST).time().replace(microsecond=0)

    def terms(self, side: Side) -> PriceTerms:
        if self.dice.random() < 0.6:
            return PriceTerms(PriceType.LIMIT, Decimal(self.dice.choice(LIMITS[side])))
        limit, trigger = STOPS[side]
        return PriceTerms(PriceType.SL, Decimal(limit), Decimal(trigger))

    def leave(self) -> None:
        if self.dice.random() < 0.5:
            self.act()
        for run in self.runs if self.dice.random() < 0.5 else self.runs[:1]:
            part: dict[str, int] = self.dice.choice(({}, {}, {"account_id": 1}, {"leg": 1}))
            if "leg" in part:
                self.checker.torn.add(run.id)
            with self.may_be_refused():
                if self.dice.random() < 0.5:
                    self.world.exit(run.id, **part)
                else:
                    self.click(run.id, ExitScope(part.get("account_id"), part.get("leg")))

    def click(self, run_id: int, scope: ExitScope) -> None:
        """Once, or twice with the same key, or twice from two windows; the engine may take it much later."""
        self.clicks += 1
        for window in self.dice.choice(((1,), (1, 1), (1, 2))):
            self.world.commands.exit_run(
                run_id, scope, user_id=1, username="asha", key=f"click-{self.clicks:06d}-{window}"
            )
        if self.dice.random() < 0.7:
            self.world.take_commands()

    def send_again(self) -> None:
        """An exit goes astray, and a person who sees at the broker that it is not there sends it again."""
        if not self.is_long and not self.broker.on_their_way:
            self.ripen()
            for broker in self.brokers:
                broker.acts = ["gone"] * self.dice.randint(1, 2)
            for run in self.runs:
                self.world.exit(run.id)
            self.world.executor.step()
            self.world.work()
            self.world.clock.advance(11)
        for execution in self.world.rows(StrategyExecution):
            broker = self.world.watched[execution.account_id]
            exits = [i for i in self.world.rows(Intent) if (i.execution_id, i.purpose) == (execution.id, "EXIT")]
            if any(i.state in UNSETTLED for i in exits) and self.none_landed(broker, execution, exits):
                with self.may_be_refused():
                    wanted = Override(execution.account_id, execution.leg)
                    self.world.executor.ask_override(execution.run_id, wanted, "asha")
                    self.counted["set aside"] += 1

    def none_landed(self, broker: WatchedBroker, execution: Any, exits: Iterable[Any]) -> bool:
        """Nothing of what is unknown stands at the broker or is on its way there, and all else is settled."""
        side = Side(execution.side).opposite
        known = {i.order_id for i in self.world.rows(Intent) if i.order_id}
        there = any(
            order.request.contract.symbol == execution.symbol
            and order.request.side is side
            and order.request.tag != BY_HAND
            and order.order_id not in known
            for order in broker.standing
        )
        working = any(i.state == IntentState.WORKING for i in exits)
        return not (there or working or broker.on_their_way or broker.alike or broker.mimicked)

    def adopt(self) -> None:
        """What is foreign at a broker is to be a run, as a page shows it or as an old page did."""
        found = self.foreign()
        if found is None:
            return
        account_id, contract, units = found
        shown = units if self.dice.random() < 0.9 else units + LOT
        wanted = Adopt(account_id, contract.key, "MIS", shown, AVERAGE if self.dice.random() < 0.5 else PRICE)
        self.clicks += 1
        wish = Wish(
            kind=CommandKind.ADOPT, user_id=1, username="asha", key=f"adopt-{self.clicks:06d}", payload=wanted.payload()
        )
        for _ in range(self.dice.randint(1, 2)):
            self.world.asking.once(wish, lambda _: Said("position.adopt", f"account:{account_id}", "Asked to adopt."))
        for _ in range(2):  # it waits for two reads, and the engine may die meanwhile
            self.world.take_commands()
            self.world.clock.advance(self.dice.choice((1.0, 8.0)))
            self.world.read()
            if self.dice.random() < 0.1:
                self.restart()
        self.world.take_commands()

    def ignore(self) -> None:
        """What is foreign is known to somebody, who wants to hear no more of it, or again; nothing else changes."""
        found = self.foreign()
        if found is None:
            return
        account_id, contract, units = found
        place = (account_id, contract.key, "MIS")
        self.world.ignoring.ignore(place, units, self.world.asha)
        if self.dice.random() < 0.3:
            self.world.ignoring.take_back(place, self.world.asha)

    def foreign(self) -> tuple[int, Contract, int] | None:
        """An account, a contract and its units there that no fill of ours explains; often some come first."""
        account_id, broker = self.dice.choice(list(self.world.watched.items()))
        contract, side, _ = self.dice.choice(self.legs)
        if self.dice.random() < 0.7:
            broker.by_hand(contract.key, side, 2 * LOT)
            self.world.read()
        ours = self.checker.ledger().get((account_id, contract.key.symbol), 0)
        units = broker.net(contract.key) - ours
        return (account_id, contract, units) if units * side.sign > 0 else None

    def change_pending(self) -> None:
        """Cancel it, another price, or the rest at market: of whatever leg, resting or not."""
        executions = self.world.rows(StrategyExecution)
        if not executions:
            return
        of = self.dice.choice(executions)
        change = self.dice.choice(tuple(Change))
        limit = Decimal(self.dice.choice(LIMITS[Side(of.side)])) if change is Change.MODIFY else None
        wanted = PendingChange(of.account_id, of.leg, change, limit)
        self.clicks += 1
        with self.may_be_refused():
            for _ in range(self.dice.randint(1, 2)):
                self.world.commands.change_pending(
                    of.run_id, wanted, user_id=1, username="asha", key=f"change-{self.clicks:06d}"
                )
        self.world.take_commands()

    def kill(self) -> None:
        """The switch is pressed, for everything or for a part, once or twice; or released again."""
        halted = [row for row in self.world.rows(TradingStateRow) if row.state != "ACTIVE"]
        if halted and self.dice.random() < 0.6:
            self.release()
            return
        target = self.dice.choice(
            (Target(), Target(Scope.ACCOUNT, 1), Target(Scope.STRATEGY, 1), Target(Scope.USER, 1))
        )
        self.clicks += 1
        if self.dice.random() < 0.5:  # while a run has just been decided and its orders wait in the lanes
            self.start()
            self.world.executor.step()
        for _ in range(self.dice.randint(1, 2)):
            self.world.kill_switch.kill(target, actor=self.world.asha, key=f"kill-{self.clicks:06d}")
        self.world.work()
        if self.dice.random() < 0.7:
            self.world.take_commands()

    def release(self) -> None:
        for row in self.world.rows(TradingStateRow):
            if row.state != "ACTIVE":
                self.world.kill_switch.release(
                    Target(Scope(row.scope), row.scope_id), actor=self.world.asha, password=SECRET, address=""
                )

    def trade_by_hand(self) -> None:
        """Adding is done at any time; closing only while no exit is under way, else two hands close the same units."""
        broker = self.broker
        contract, side, _ = self.dice.choice(self.legs)
        held = abs(broker.net(contract.key))
        if self.dice.random() < 0.5:
            broker.by_hand(contract.key, side, 195)
        elif held and broker.in_mode is Mode.LIVE and not self.is_leaving(broker):
            broker.broken, broker.trades_hidden, broker.omits = None, 0, 0
            broker.by_hand(contract.key, side.opposite, LOT * self.dice.randint(1, held // LOT))
            self.world.read()
            if self.dice.random() < 0.5:  # and everybody wants out of the rest
                for run in self.runs:
                    self.world.exit(run.id)

    def close_while_down(self) -> None:
        """No engine runs while units are closed by hand; the next one is asked to leave before it has read a book."""
        broker = self.broker
        contract, side, _ = self.dice.choice(self.legs)
        held = abs(broker.net(contract.key))
        if not held or broker.in_mode is not Mode.LIVE or self.is_leaving(broker):
            return
        broker.by_hand(contract.key, side.opposite, LOT * self.dice.randint(1, held // LOT))
        self.restart()
        for run in self.runs:
            self.world.exit(run.id)
        self.world.executor.step()
        self.world.work()

    def trade_alike(self) -> None:
        """A stranger sends what might be ours while nothing of ours is looked for: nobody may take it for ours."""
        broker = self.broker
        lost = UNSETTLED | {IntentState.NOT_SENT}
        if any(intent.state in lost for intent in self.world.rows(Intent)) or broker.in_mode is not Mode.LIVE:
            return
        broker.broken, broker.trades_hidden, broker.omits = None, 0, 0
        contract, side, _ = self.dice.choice(self.legs)
        for units in self.dice.choice(((LOT,), (2 * LOT,), (LOT, 2 * LOT))):
            broker.stranger(contract.key, side, units, PRICE)
        self.world.read()

    def mimic(self) -> None:
        """While an order of ours is unknown, a stranger sends the very same.

        To close by hand is his own affair, so he does it only with units that no exit of ours may want.
        """
        unknown = [i for i in self.world.rows(Intent) if i.order_id is None and i.state in UNSETTLED and i.limit_price]
        if not unknown:
            return
        intent = self.dice.choice(unknown)
        broker = self.world.watched[intent.account_id]
        key = next(contract.key for contract, _, _ in self.legs if contract.key.symbol == intent.symbol)
        if intent.purpose == "EXIT" and abs(broker.net(key)) < self.wanted_by_exits(intent) + intent.units:
            return
        broker.broken, broker.trades_hidden, broker.omits = None, 0, 0
        broker.mimic(key, Side(intent.side), intent.units, intent.limit_price)
        self.world.read()

    def wanted_by_exits(self, like: Any) -> int:
        """Units that exits in its holding may still take."""
        of = [
            i
            for i in self.world.rows(Intent)
            if (i.account_id, i.symbol, i.side) == (like.account_id, like.symbol, like.side)
        ]
        return sum(i.units for i in of if i.state not in FINAL or i.state == IntentState.NOT_SENT)
