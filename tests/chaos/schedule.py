"""One random schedule over one day or several: faults, crashes, people who trade past us, clocks, books.

Two accounts, up to two runs in the same contracts. The brokers keep the truth; the process dies at any moment and
starts again on the same database. A gateway's call ends within 125 s: an exit is not accepted later than that after
its send, nor is anything once a stranger's order looks like it.
"""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from app.domain.books import OrderStatus
from app.domain.calendar import Phase
from app.domain.contracts import Side
from app.domain.orders import FINAL, IntentState, OrderRequest
from app.domain.plan import Mode
from app.persistence.tables import Intent, Run
from app.ports.gateway import RateLimited, TimedOut
from tests.chaos.checker import QUARANTINED, Checker, Kind
from tests.chaos.world import ChaosWorld, WatchedBroker
from tests.unit.services.pretend_broker import CALL, HEDGE, LOT, PUT, Killed

ACTS = ("ack",) * 8 + ("lost", "lost", "error", "gone", "late", "reject", "not_sent", "die_before", "die_after")
ENTERS = {CALL.key: Side.BUY, HEDGE.key: Side.BUY, PUT.key: Side.SELL}
UNSETTLED = {IntentState.SENDING, IntentState.UNKNOWN, IntentState.PARKED}
HOUR = timedelta(hours=1)


class Day:
    """One random schedule, over one day or several. `story` is what happened, for the message of a failure."""

    def __init__(self, world: ChaosWorld, seed: int) -> None:
        self.dice = random.Random(seed)
        self.world = world
        self.story = [f"seed {seed}"]
        self.legs = [(CALL, Side.BUY, 3), (PUT, Side.SELL, 1), (HEDGE, Side.BUY, 1)][: self.dice.randint(1, 3)]
        self.on_their_way: list[tuple[OrderRequest, float]] = []
        self.ahead = timedelta(0)
        self.checker = Checker(world, self.legs, self.words)
        world.begin(self.checker.asked)

    @property
    def brokers(self) -> list[WatchedBroker]:
        return list(self.world.watched.values())

    @property
    def broker(self) -> WatchedBroker:
        """Whichever it happens to now."""
        return self.dice.choice(self.brokers)

    def live(self) -> None:
        for broker in self.brokers:
            broker.fills_at_once = self.dice.random() < 0.7
        for _ in range(self.dice.randint(1, 2)):
            self.guarded(self.start)
        for _ in range(self.dice.randint(10, 30)):
            self.step()
            self.checker.always()
        self.squeeze()
        self.settle()

    def squeeze(self) -> None:
        """A part of what is held is closed by hand, and every run wants out of the rest at once."""
        for broker in self.brokers:
            broker.fills_at_once = False
            broker.broken, broker.trades_hidden, broker.omits, broker.in_mode = None, 0, 0, Mode.LIVE
            for contract, side, _ in self.legs if not self.is_leaving(broker) else ():
                held = abs(broker.net(contract.key))
                if held:
                    broker.by_hand(contract.key, side.opposite, LOT * self.dice.randint(1, held // LOT))
        self.world.read()
        for run in self.world.rows(Run):
            self.world.exit(run.id)
        for _ in range(10):
            self.guarded(self.dice.choice((self.fill, self.fill, self.decide, self.work, self.turn)))
            self.checker.always()

    def step(self) -> None:
        steps = (
            (self.act, 6), (self.fill, 8), (self.decide, 3), (self.work, 3), (self.read, 3), (self.wait, 2),
            (self.turn, 8), (self.leave, 1), (self.restart, 1), (self.arrive, 1), (self.break_books, 1), (self.lag, 3),
            (self.cancel_there, 1), (self.quiet, 1), (self.start, 2), (self.trade_by_hand, 3), (self.switch, 1),
            (self.sleep_over, 1), (self.trade_briskly, 2), (self.jump, 1), (self.mimic, 1), (self.haunt, 1),
            (self.reorder, 1), (self.close_market, 1), (self.omit, 1),
        )  # fmt: skip
        chosen = self.dice.choices([each for each, _ in steps], [weight for _, weight in steps])[0]
        self.story.append(chosen.__name__)
        if chosen.__name__ in {"quiet", "sleep_over", "switch"}:
            self.bring_exits(0)
        self.guarded(chosen)
        self.bring_exits(90)

    def start(self) -> None:
        """Two runs at most, in the same contracts and the same accounts."""
        if len(self.world.rows(Run)) < 2:
            self.world.start(*self.legs)

    def bring_exits(self, older_than_s: float) -> None:
        """A gateway's call ends within 120 s, so an exit is not accepted later; test_settlement has what is."""
        now = self.world.clock.monotonic()
        for broker in self.brokers:
            for request in list(broker.on_their_way):
                since = next((at for each, at in self.on_their_way if each is request), None)
                if since is None:
                    self.on_their_way.append((request, since := now))
                ends = request.side is not ENTERS[request.contract] or bool(broker.alike)
                if ends and now - since >= older_than_s:
                    broker.on_their_way = [each for each in broker.on_their_way if each is not request]
                    broker.accept(request)

    def guarded(self, what: Callable[[], None]) -> None:
        try:
            what()
        except Killed:
            self.story.append("killed")
            self.restart()

    def act(self) -> None:
        self.broker.acts.extend([self.dice.choice(ACTS)] * self.dice.randint(1, 2))

    def fill(self) -> None:
        broker = self.broker
        standing = [order for order in broker.standing if order.status is OrderStatus.OPEN]
        if standing:
            broker.fill(self.dice.choice(standing), self.dice.choice([65, 130]))

    def trade_briskly(self) -> None:
        """Orders fill as they arrive, or rest again."""
        broker = self.broker
        broker.fills_at_once = not broker.fills_at_once

    def decide(self) -> None:
        self.world.executor.step()
        for _ in range(self.dice.randint(0, 2)):  # whoever asks again changes nothing
            self.world.executor.touch(self.dice.choice([run.id for run in self.world.rows(Run)] or [0]))
            self.world.executor.step()

    def work(self) -> None:
        done = list(self.world.queue.jobs)
        self.world.work()
        for intent_id, cancel in done:  # and once more: a lane that lost count
            if not cancel:
                self.world.send(intent_id)

    def read(self) -> None:
        self.world.read()

    def wait(self) -> None:
        self.world.clock.advance(self.dice.choice([0.3, 1.0, 3.5, 12.0, 40.0]))

    def turn(self) -> None:
        self.world.turn(self.dice.choice([0.5, 1.1, 3.1]))

    def quiet(self) -> None:
        """So long that nobody expects an order any more; what it sends itself arrives within a call's time as well."""
        for _ in range(6):
            self.world.turn(30)
            self.bring_exits(60)

    def leave(self) -> None:
        runs = self.world.rows(Run)
        for run in runs if self.dice.random() < 0.5 else runs[:1]:
            part: dict[str, int] = self.dice.choice(({}, {}, {"account_id": 2}, {"leg": 1}))
            if "leg" in part:
                self.checker.torn.add(run.id)
            self.world.exit(run.id, **part)

    def restart(self) -> None:
        self.world.restart()
        self.checker.restarted()

    def arrive(self) -> None:
        self.broker.arrive()

    def break_books(self) -> None:
        broker = self.broker
        trouble = self.dice.choice((TimedOut("no book"), RateLimited("too many requests")))
        broker.broken = None if broker.broken else trouble

    def lag(self) -> None:
        broker = self.broker
        broker.trades_hidden = 0 if broker.trades_hidden else self.dice.randint(1, 2)

    def cancel_there(self) -> None:
        standing = [order for order in self.broker.standing if order.status is OrderStatus.OPEN]
        if standing:
            self.dice.choice(standing).status = OrderStatus.CANCELLED

    def switch(self) -> None:
        """Somebody switches the gateway to its sandbox, or back."""
        broker = self.broker
        broker.in_mode = Mode.PAPER if broker.in_mode is Mode.LIVE else Mode.LIVE
        if self.dice.random() < 0.3:
            self.quiet()

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
                for run in self.world.rows(Run):
                    self.world.exit(run.id)

    def is_leaving(self, broker: WatchedBroker) -> bool:
        account_id = next(number for number, each in self.world.brokers.items() if each is broker)
        open_exit = any(
            intent.purpose == "EXIT" and intent.account_id == account_id
            and (intent.state not in FINAL or intent.state == IntentState.NOT_SENT)
            for intent in self.world.rows(Intent)
        )  # fmt: skip
        return open_exit or any(request.side is not ENTERS[request.contract] for request in broker.on_their_way)

    def jump(self) -> None:
        """The wall clock is set an hour ahead or back; the monotonic one goes on as it did."""
        ahead = self.dice.choice([each for each in (-HOUR, timedelta(0), HOUR) if each != self.ahead])
        self.world.clock.at += ahead - self.ahead
        self.ahead = ahead

    def reorder(self) -> None:
        """From now on the books of a broker list their rows in any order, or as they came again."""
        broker = self.broker
        broker.shuffle = None if broker.shuffle else random.Random(self.dice.random())

    def omit(self) -> None:
        """The next read of a book misses its last rows."""
        self.broker.omits = self.dice.randint(1, 2)

    def close_market(self) -> None:
        hours = self.world.hours
        hours.now = Phase.CLOSED if hours.now is Phase.LIVE else Phase.LIVE

    def haunt(self) -> None:
        """An engine that was replaced wakes up and wants to send what it still has in hand."""
        if self.world.former is not None:
            for intent in self.world.rows(Intent):
                if intent.state == IntentState.READY:
                    self.world.send_from(self.world.former, intent.id)

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

    def sleep_over(self) -> None:
        """To the same hour of the next day. What nobody could settle until then is for a person, not for this test."""
        for broker in self.brokers:
            self.mend(broker)
        self.world.hours.now = Phase.LIVE
        self.world.turns(4, 60)
        open_there = any(intent.state in UNSETTLED for intent in self.world.rows(Intent))
        if open_there or any(broker.on_their_way for broker in self.brokers):
            return
        self.world.turns(2, 3)
        if any(broker.on_their_way for broker in self.brokers):
            return
        self.checker.day_ends()
        for broker in self.brokers:
            broker.next_day()
        self.world.clock.advance(24 * 3600)

    def settle(self) -> None:
        """Everything works again, everybody leaves: at the end all is flat and both ledgers agree."""
        self.heal()
        for run in self.world.rows(Run):
            self.world.exit(run.id)
        self.leave_all()
        if not self.is_over() and self.quarantined():
            self.world.turns(2, 60)  # a person looks at it, and at the latest with the day it is over
            for broker in self.brokers:
                broker.next_day()
            self.world.clock.advance(24 * 3600)
            self.world.turns(3, 8)
            self.heal()
            self.leave_all()
        self.checker.must(self.is_over(), "I8", Kind.LOST, "it never ended")
        self.world.turns(2, 8)
        self.checker.at_rest()

    def leave_all(self) -> None:
        for _ in range(80):
            for broker in self.brokers:
                broker.fill_all()
            self.world.turn(8)
            self.checker.always()
            if self.is_over() and not any(broker.on_their_way for broker in self.brokers):
                break

    def quarantined(self) -> list[Any]:
        return [each for each in self.world.rows(Intent) if (each.reason or "").startswith(QUARANTINED)]

    def heal(self) -> None:
        ledger = self.checker.ledger()
        self.world.hours.now = Phase.LIVE
        for account_id, broker in self.world.watched.items():
            self.mend(broker)
            broker.shuffle = None
            for contract, side, _ in self.legs:  # what was closed by hand is opened again by hand
                ours = ledger.get((account_id, contract.key.symbol), 0)
                wanted = max(broker.ours(contract.key) * side.sign, ours * side.sign)
                missing = wanted - broker.net(contract.key) * side.sign
                if missing > 0:
                    broker.by_hand(contract.key, side, missing)
            broker.fills_at_once = True

    def mend(self, broker: WatchedBroker) -> None:
        broker.acts.clear()
        broker.broken, broker.trades_hidden, broker.in_mode, broker.omits = None, 0, Mode.LIVE, 0
        broker.arrive()

    def is_over(self) -> bool:
        return all(run.state in {"CLOSED", "REFUSED"} for run in self.world.rows(Run))

    def words(self, what: str) -> str:
        rows = [
            f"{i.id} run {i.run_id} account {i.account_id} {i.purpose} {i.generation}/{i.slice} {i.side} {i.units} "
            f"{i.symbol} {i.state} {i.order_id}"
            for i in self.world.rows(Intent)
        ]
        there = [
            f"{account_id}: {o.order_id} {o.request.side} {o.request.contract.symbol} {o.request.units} {o.filled} "
            f"{o.status} {o.request.tag}"
            for account_id, broker in self.world.brokers.items()
            for o in broker.standing
        ]
        return "\n".join([what, " ".join(self.story), *rows, "at the broker:", *there])
