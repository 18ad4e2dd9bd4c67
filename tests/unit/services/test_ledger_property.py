"""Random days at a random broker: nothing is doubled, nothing lost, nothing crosses zero, and the books agree at last.

Two accounts, up to two runs in the same contracts, people who trade past us, gateways that are switched to the sandbox,
nights in between. The brokers keep the truth; the process dies at any moment and starts again on the same database.
"""

import random
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import delete

from app.domain.books import OrderStatus
from app.domain.contracts import Side
from app.domain.orders import FINAL, IntentState
from app.domain.plan import Mode
from app.persistence.database import Table
from app.persistence.tables import LeaseRow, Run, Strategy, TradingAccount, User
from app.ports.gateway import RateLimited, TimedOut
from tests.unit.services.market_fakes import MONDAY_1030
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import CALL, HEDGE, LOT, PUT, Killed, PretendBroker

ACTS = ("ack",) * 8 + ("lost", "lost", "error", "gone", "late", "reject", "not_sent", "die_before", "die_after")
ENTERS = {CALL.key: Side.BUY, HEDGE.key: Side.BUY, PUT.key: Side.SELL}
UNSETTLED = {IntentState.SENDING, IntentState.UNKNOWN, IntentState.PARKED}
KEPT = {User.__table__, Strategy.__table__, TradingAccount.__table__, LeaseRow.__table__}


class Day:
    """One random schedule, over one day or several. `story` is what happened, for the message of a failure."""

    def __init__(self, world: OrderWorld, seed: int) -> None:
        self.dice = random.Random(seed)
        self.world = world
        self.story = [f"seed {seed}"]
        self.legs = [(CALL, Side.BUY, 3), (PUT, Side.SELL, 1), (HEDGE, Side.BUY, 1)][: self.dice.randint(1, 3)]
        self.runs: list[int] = []
        self.on_their_way: dict[int, float] = {}

    @property
    def brokers(self) -> list[PretendBroker]:
        return list(self.world.brokers.values())

    @property
    def broker(self) -> PretendBroker:
        """Whichever it happens to now."""
        return self.dice.choice(self.brokers)

    def live(self) -> None:
        for broker in self.brokers:
            broker.fills_at_once = self.dice.random() < 0.7
        for _ in range(self.dice.randint(1, 2)):
            self.guarded(self.start)
        for _ in range(self.dice.randint(10, 30)):
            self.step()
            self.check()
        self.squeeze()
        self.settle()

    def squeeze(self) -> None:
        """A part of what is held is closed by hand, and every run wants out of the rest at once."""
        for broker in self.brokers:
            broker.fills_at_once = False
            broker.broken, broker.trades_hidden, broker.in_mode = None, 0, Mode.LIVE
            for contract, side, _ in self.legs if not self.is_leaving(broker) else ():
                held = abs(broker.net(contract.key))
                if held:
                    broker.by_hand(contract.key, side.opposite, LOT * self.dice.randint(1, held // LOT))
        self.world.read()
        for run in self.world.rows(Run):
            self.world.exit(run.id)
        for _ in range(10):
            self.guarded(self.dice.choice((self.fill, self.fill, self.decide, self.work, self.turn)))
            self.check()

    def step(self) -> None:
        steps = (
            (self.act, 6), (self.fill, 8), (self.decide, 3), (self.work, 3), (self.read, 3), (self.wait, 2),
            (self.turn, 8), (self.leave, 1), (self.restart, 1), (self.arrive, 1), (self.break_books, 1), (self.lag, 3),
            (self.cancel_there, 1), (self.quiet, 1), (self.start, 2), (self.trade_by_hand, 3), (self.switch, 1),
            (self.sleep_over, 1), (self.trade_briskly, 2),
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
                since = self.on_their_way.setdefault(id(request), now)
                if request.side is not ENTERS[request.contract] and now - since >= older_than_s:
                    broker.on_their_way.remove(request)
                    broker.accept(request)

    def guarded(self, what: Callable[[], None]) -> None:
        try:
            what()
        except Killed:
            self.story.append("killed")
            self.world.restart()

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
                self.world.desk.send(intent_id)

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
            self.world.exit(run.id, **self.dice.choice(({}, {}, {"account_id": 2}, {"leg": 1})))

    def restart(self) -> None:
        self.world.restart()

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
            broker.broken, broker.trades_hidden = None, 0
            broker.by_hand(contract.key, side.opposite, LOT * self.dice.randint(1, held // LOT))
            self.world.read()
            if self.dice.random() < 0.5:  # and everybody wants out of the rest
                for run in self.world.rows(Run):
                    self.world.exit(run.id)

    def is_leaving(self, broker: PretendBroker) -> bool:
        account_id = next(number for number, each in self.world.brokers.items() if each is broker)
        open_exit = any(
            intent.purpose == "EXIT" and intent.account_id == account_id
            and (intent.state not in FINAL or intent.state == IntentState.NOT_SENT)
            for intent in self.world.intents()
        )  # fmt: skip
        return open_exit or any(request.side is not ENTERS[request.contract] for request in broker.on_their_way)

    def sleep_over(self) -> None:
        """To the same hour of the next day. What nobody could settle until then is for a person, not for this test."""
        for broker in self.brokers:
            broker.acts.clear()
            broker.arrive()
            broker.broken, broker.trades_hidden, broker.in_mode = None, 0, Mode.LIVE
        self.world.turns(4, 60)
        open_there = any(intent.state in UNSETTLED for intent in self.world.intents())
        if open_there or any(broker.on_their_way for broker in self.brokers):
            return
        self.world.read()
        for broker in self.brokers:
            broker.next_day()
        self.world.clock.advance(24 * 3600)

    def check(self) -> None:
        """What holds at every moment."""
        intents = self.world.intents()
        ids = [(each.account_id, each.trading_date, each.order_id) for each in intents if each.order_id]
        assert len(ids) == len(set(ids)), self.words("one order counted for two intents")
        runs = len(self.world.rows(Run))
        for account_id, broker in self.world.brokers.items():
            sent = [each for each in intents if each.sent_at is not None and each.account_id == account_id]
            assert broker.placed <= len(sent), self.words("an intent was sent twice")
            for contract, side, lots in self.legs:
                ours, net = broker.ours(contract.key) * side.sign, broker.net(contract.key) * side.sign
                assert ours >= 0, self.words(f"our {contract.key.symbol} crossed zero")
                assert net >= 0, self.words(f"the account's {contract.key.symbol} crossed zero")
                assert ours <= lots * LOT * runs, self.words("more than was planned")

    def settle(self) -> None:
        """Everything works again, everybody leaves: at the end all is flat and both ledgers agree."""
        self.heal()
        for run in self.world.rows(Run):
            self.world.exit(run.id)
        for _ in range(80):
            for broker in self.brokers:
                broker.fill_all()
            self.world.turn(8)
            self.check()
            if self.is_over() and not any(broker.on_their_way for broker in self.brokers):
                break
        assert self.is_over(), self.words("it never ended")
        self.world.turns(2, 8)
        self.check_flat()

    def heal(self) -> None:
        for broker in self.brokers:
            broker.acts.clear()
            broker.broken, broker.trades_hidden, broker.in_mode = None, 0, Mode.LIVE
            broker.arrive()
            for contract, side, _ in self.legs:  # what was closed by hand is opened again by hand
                missing = (broker.ours(contract.key) - broker.net(contract.key)) * side.sign
                if missing > 0:
                    broker.by_hand(contract.key, side, missing)
            broker.fills_at_once = True

    def check_flat(self) -> None:
        for run in self.world.rows(Run):
            assert self.world.net(run.id) == {}, self.words("our ledger is not flat")
        for broker in self.brokers:
            for contract, _, _ in self.legs:
                assert broker.ours(contract.key) == 0, self.words(f"a broker still has our {contract.key.symbol}")
        states = {IntentState(intent.state) for intent in self.world.intents()}
        assert states <= FINAL, self.words("something is still open")

    def is_over(self) -> bool:
        return all(run.state in {"CLOSED", "REFUSED"} for run in self.world.rows(Run))

    def words(self, what: str) -> str:
        rows = [
            f"{i.id} run {i.run_id} account {i.account_id} {i.purpose} {i.generation}/{i.slice} {i.side} {i.units} "
            f"{i.symbol} {i.state} {i.order_id}"
            for i in self.world.intents()
        ]
        there = [
            f"{account_id}: {o.order_id} {o.request.side} {o.request.contract.symbol} {o.request.units} {o.filled} "
            f"{o.status} {o.request.tag}"
            for account_id, broker in self.world.brokers.items()
            for o in broker.standing
        ]
        return "\n".join([what, " ".join(self.story), *rows, "at the broker:", *there])


def emptied(world: OrderWorld) -> OrderWorld:
    """The same database without the day before: making one anew takes most of a day's time."""
    with world.database.transaction() as session:
        for table in reversed(Table.metadata.sorted_tables):
            if table not in KEPT:
                session.execute(delete(table))
        for account_id in world.brokers:
            session.get_one(TradingAccount, account_id).state = "ACTIVE"
            world.brokers[account_id] = PretendBroker()
    world.clock.at = MONDAY_1030  # each seed is the same day, whichever came before it
    world.restart()
    return world


def days(folder: Path, seeds: range) -> None:
    world = OrderWorld(folder, accounts=2)
    for seed in seeds:
        Day(emptied(world), seed).live()


def test_random_days(tmp_path: Path) -> None:
    days(tmp_path, range(30))


@pytest.mark.proof
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("block", range(20))
def test_many_random_days(block: int) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        days(Path(folder), range(1000 + block * 500, 1000 + (block + 1) * 500))
