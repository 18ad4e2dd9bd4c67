"""What brokers and gateways do: answers lost, late, wrong; books that fail, lag, omit, reorder; fills, stops, modes."""

import random

from app.domain.books import OrderStatus
from app.domain.plan import Mode
from app.ports.gateway import RateLimited, TimedOut
from tests.chaos.day import DayState
from tests.chaos.watched_broker import WatchedBroker

ACTS = (
    *("ack",) * 3, "lost", "lost", "lost", "error", "error", "gone", "late", "late", "reject", "not_sent", "die_before",
    "die_after", "margin", "price", "too_large", "ip",
)  # fmt: skip
ENDS = (
    (OrderStatus.CANCELLED, None),
    (OrderStatus.REJECTED, "RMS:Margin Exceeds, Required:93120, Available:1200"),
)
EVERY_ROW = 10_000
CHANGES = ("done", "done", "refused", "lost", "gone", "die_before")


class BrokerEvents(DayState):
    """Each is one event; which broker it happens to is drawn."""

    def act(self) -> None:
        self.broker.acts.extend([self.dice.choice(ACTS)] * self.dice.randint(1, 2))

    def answer_changes(self) -> None:
        """What comes of the next change of a resting order's price."""
        self.broker.changes.append(self.dice.choice(CHANGES))

    def fill(self) -> None:
        broker = self.broker
        standing = [order for order in broker.standing if order.status is OrderStatus.OPEN]
        if standing:
            broker.fill(self.dice.choice(standing), self.dice.choice([65, 130]))

    def trigger(self) -> None:
        """The market reaches the trigger of a stop that rests."""
        broker = self.broker
        for order in broker.standing:
            broker.trigger(order)

    def trade_briskly(self) -> None:
        """Orders fill as they arrive, or rest again."""
        broker = self.broker
        broker.fills_at_once = not broker.fills_at_once

    def fill_on_cancel(self) -> None:
        """The next cancels race with fills, or come too late altogether."""
        broker = self.broker
        broker.fills_before_cancel = 0 if broker.fills_before_cancel else self.dice.choice([65, 130])

    def ignore_cancels(self) -> None:
        broker = self.broker
        broker.deaf_to_cancels = not broker.deaf_to_cancels

    def arrive(self) -> None:
        self.broker.arrive()

    def break_books(self) -> None:
        broker = self.broker
        trouble = self.dice.choice((TimedOut("no book"), RateLimited("too many requests")))
        broker.broken = None if broker.broken else trouble

    def lag(self) -> None:
        broker = self.broker
        broker.trades_hidden = 0 if broker.trades_hidden else self.dice.randint(1, 2)

    def omit(self) -> None:
        """The next read of a book misses its last rows, or all of them under a status that says all is well."""
        self.broker.omits = self.dice.choice((1, 2, EVERY_ROW))

    def bleed(self) -> None:
        """For moments a gateway knows no word for the state its living orders are in."""
        broker = self.broker
        broker.bleeds_until = broker.now() + self.dice.choice((1.5, 4.0))

    def reorder(self) -> None:
        """From now on the books of a broker list their rows in any order, or as they came again."""
        broker = self.broker
        broker.shuffle = None if broker.shuffle else random.Random(self.dice.random())

    def end_there(self) -> None:
        """The broker cancels an order that it has, or rejects it after all."""
        broker = self.broker
        standing = [order for order in broker.standing if not order.status.is_final]
        if standing:
            order, (status, why) = self.dice.choice(standing), self.dice.choice(ENDS)
            if status is OrderStatus.CANCELLED or not order.filled:  # what has filled in part is rejected no more
                broker.end(order, status, why)

    def hear(self) -> None:
        """Pushed updates come in: some are lost, some come twice, in any order, some only later."""
        account_id, broker = self.dice.choice(list(self.world.watched.items()))
        waiting = self.dice.randint(0, len(broker.stream))
        told, broker.stream = broker.stream[:waiting], broker.stream[waiting:]
        heard = [each for each in told for _ in range(self.dice.choice((0, 1, 1, 1, 2)))]
        if self.dice.random() < 0.4:
            self.dice.shuffle(heard)
        self.world.push(*heard, account_id=account_id)

    def overtake(self) -> None:
        """Between a call and the record of its answer updates may come in that already name its order."""
        if self.dice.random() < 0.3:
            self.hear()

    def switch(self) -> None:
        """Somebody switches the gateway to its sandbox, or back."""
        broker = self.broker
        broker.in_mode = Mode.PAPER if broker.in_mode is Mode.LIVE else Mode.LIVE

    def mend(self, broker: WatchedBroker) -> None:
        """Everything at this broker works again, and what was on its way arrives."""
        broker.acts.clear()
        broker.changes.clear()
        broker.broken, broker.trades_hidden, broker.in_mode, broker.omits = None, 0, Mode.LIVE, 0
        broker.fills_before_cancel, broker.deaf_to_cancels = 0, False
        broker.bleeds_until = 0.0
        broker.arrive()
