"""Random days at a random broker: nothing is doubled, nothing lost, nothing crosses zero, and the books agree at last.

The broker keeps the truth; the process dies at any moment and starts again on the same database.
"""

import random
import tempfile
from pathlib import Path

import pytest
from sqlalchemy import delete

from app.domain.books import OrderStatus
from app.domain.contracts import Side
from app.domain.orders import FINAL, IntentState
from app.persistence.database import Table
from app.persistence.tables import LeaseRow, Strategy, TradingAccount, User
from app.ports.gateway import TimedOut
from tests.unit.services.market_fakes import MONDAY_1030
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import CALL, HEDGE, PUT, Killed, PretendBroker

ACTS = ("ack",) * 8 + ("lost", "lost", "error", "gone", "late", "reject", "not_sent", "die_before", "die_after")
KEPT = {User.__table__, Strategy.__table__, TradingAccount.__table__, LeaseRow.__table__}


class Day:
    """One random schedule. `story` is what happened, for the message of a failure."""

    def __init__(self, world: OrderWorld, seed: int) -> None:
        self.dice = random.Random(seed)
        self.world = world
        self.story = [f"seed {seed}"]
        self.run_id = 0
        self.on_their_way: dict[int, float] = {}

    @property
    def broker(self) -> PretendBroker:
        return self.world.broker

    def live(self) -> None:
        legs = [(CALL, Side.BUY, 3), (PUT, Side.SELL, 1), (HEDGE, Side.BUY, 1)][: self.dice.randint(1, 3)]
        self.guarded(lambda: setattr(self, "run_id", self.world.start(*legs)))
        for _ in range(self.dice.randint(10, 40)):
            self.step()
            self.check()
        self.settle()

    def step(self) -> None:
        steps = (
            (self.act, 4), (self.fill, 5), (self.decide, 3), (self.work, 3), (self.read, 3), (self.wait, 2),
            (self.turn, 8), (self.leave, 1), (self.restart, 1), (self.arrive, 1), (self.break_books, 1), (self.lag, 3),
            (self.cancel_there, 1), (self.quiet, 1),
        )  # fmt: skip
        chosen = self.dice.choices([each for each, _ in steps], [weight for _, weight in steps])[0]
        self.story.append(chosen.__name__)
        if chosen.__name__ == "quiet":
            self.bring_exits(0)
        self.guarded(chosen)
        self.bring_exits(90)

    def bring_exits(self, older_than_s: float) -> None:
        """A gateway's call ends within 120 s, so an exit is not accepted later; test_settlement has what is."""
        now = self.world.clock.monotonic()
        wanted = {CALL.key: Side.BUY, HEDGE.key: Side.BUY, PUT.key: Side.SELL}
        for request in list(self.broker.on_their_way):
            since = self.on_their_way.setdefault(id(request), now)
            if request.side is not wanted[request.contract] and now - since >= older_than_s:
                self.broker.on_their_way.remove(request)
                self.broker.accept(request)

    def guarded(self, what: object) -> None:
        try:
            what()  # type: ignore[operator]
        except Killed:
            self.story.append("killed")
            self.world.restart()

    def act(self) -> None:
        self.broker.acts.append(self.dice.choice(ACTS))

    def fill(self) -> None:
        if self.broker.standing:
            order = self.dice.choice(self.broker.standing)
            self.broker.fill(order, self.dice.choice([65, 130]))

    def decide(self) -> None:
        self.world.executor.step()
        for run in range(self.dice.randint(0, 2)):  # whoever asks again changes nothing
            del run
            self.world.executor.touch(self.run_id)
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
        """So long that nobody expects an order any more."""
        self.world.turns(6, 30)

    def leave(self) -> None:
        if self.run_id:
            self.world.exit(self.run_id)

    def restart(self) -> None:
        self.world.restart()

    def arrive(self) -> None:
        self.broker.arrive()

    def break_books(self) -> None:
        self.broker.broken = None if self.broker.broken else TimedOut("no book")

    def lag(self) -> None:
        self.broker.trades_hidden = 0 if self.broker.trades_hidden else self.dice.randint(1, 2)

    def cancel_there(self) -> None:
        standing = [order for order in self.broker.standing if order.status is OrderStatus.OPEN]
        if standing:
            self.dice.choice(standing).status = OrderStatus.CANCELLED

    def check(self) -> None:
        """What holds at every moment."""
        intents = self.world.intents()
        ids = [intent.order_id for intent in intents if intent.order_id]
        assert len(ids) == len(set(ids)), self.words("one order counted for two intents")
        sent = [intent for intent in intents if intent.sent_at is not None]
        assert self.broker.placed <= len(sent), self.words("an intent was sent twice")
        bought = dict.fromkeys((CALL.key, PUT.key, HEDGE.key), 0)
        for order in self.broker.standing:
            bought[order.request.contract] += order.request.side.sign * order.filled
        assert bought[CALL.key] >= 0, self.words("the long call crossed zero")
        assert bought[HEDGE.key] >= 0, self.words("the long hedge crossed zero")
        assert bought[PUT.key] <= 0, self.words("the short put crossed zero")
        assert bought[CALL.key] <= 195, self.words("more than was planned")
        assert bought[HEDGE.key] <= 65, self.words("more than was planned")
        assert bought[PUT.key] >= -65, self.words("more than was planned")

    def settle(self) -> None:
        """Everything works again, everybody leaves: at the end all is flat and both ledgers agree."""
        self.broker.acts.clear()
        self.broker.broken, self.broker.trades_hidden = None, 0
        self.broker.arrive()
        if not self.run_id:
            return
        self.world.exit(self.run_id)
        self.broker.fills_at_once = True
        for _ in range(80):
            self.broker.fill_all()
            self.world.turn(8)
            self.check()
            if self.world.run(self.run_id).state in {"CLOSED", "REFUSED"} and not self.broker.on_their_way:
                break
        assert self.world.run(self.run_id).state in {"CLOSED", "REFUSED"}, self.words("it never ended")
        self.world.turns(2, 8)
        assert self.world.net(self.run_id) == {}, self.words("our ledger is not flat")
        for contract in (CALL, PUT, HEDGE):
            assert self.broker.net(contract.key) == 0, self.words(f"the broker still has {contract.key.symbol}")
        states = {IntentState(intent.state) for intent in self.world.intents()}
        assert states <= FINAL, self.words("something is still open")

    def words(self, what: str) -> str:
        rows = [
            f"{i.id} {i.purpose} {i.generation}/{i.slice} {i.side} {i.units} {i.symbol} {i.state} {i.order_id}"
            for i in self.world.intents()
        ]
        there = [f"{o.order_id} {o.request.side} {o.request.contract.symbol} {o.request.units} {o.filled} {o.status}"
                 for o in self.broker.standing]  # fmt: skip
        return "\n".join([what, " ".join(self.story), *rows, "at the broker:", *there])


def emptied(world: OrderWorld) -> OrderWorld:
    """The same database without the day before: making one anew takes most of a day's time."""
    with world.database.transaction() as session:
        for table in reversed(Table.metadata.sorted_tables):
            if table not in KEPT:
                session.execute(delete(table))
        session.get_one(TradingAccount, 1).state = "ACTIVE"
    world.brokers[1] = PretendBroker()
    world.clock.at = MONDAY_1030  # each seed is the same day, whichever came before it
    world.restart()
    return world


def days(folder: Path, seeds: range) -> None:
    world = OrderWorld(folder)
    for seed in seeds:
        Day(emptied(world), seed).live()


def test_random_days(tmp_path: Path) -> None:
    days(tmp_path, range(50))


@pytest.mark.proof
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("block", range(20))
def test_many_random_days(block: int) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        days(Path(folder), range(1000 + block * 500, 1000 + (block + 1) * 500))
