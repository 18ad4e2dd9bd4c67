"""What happens to the engine itself: its steps in any order, deaths, former leaders, clocks, prices, hours, nights."""

from datetime import timedelta

from app.domain.calendar import Phase
from app.domain.orders import IntentState
from app.persistence.tables import Intent
from app.ports.feed import Tick
from tests.chaos.brokers import BrokerEvents
from tests.chaos.day import UNSETTLED
from tests.unit.services.pretend_broker import PRICE

HOUR = timedelta(hours=1)
NO_PRICES = (0.0, -5.0, float("nan"), float("inf"))


class MachineEvents(BrokerEvents):
    """Each is one event."""

    def decide(self) -> None:
        self.world.take_commands()
        self.world.executor.step()
        for _ in range(self.dice.randint(0, 2)):  # whoever asks again changes nothing
            self.world.executor.touch(self.dice.choice([run.id for run in self.runs] or [0]))
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
        for _ in range(3):
            self.world.turn(61)
            self.bring_exits(60)

    def tick(self) -> None:
        """A price comes, or what is none; rules are judged on it at once, and again.

        In a short schedule what rests has filled by then, and each contract has a price: else its rules hardly ever
        had something to judge.
        """
        if not self.is_long:
            self.broker.fill_all()
            self.world.read()
        contract, _, _ = self.dice.choice(self.legs)
        price = self.dice.choice((*NO_PRICES, *(float(PRICE) + move for move in (-30, -8, 0, 8, 30))))
        for _ in range(self.dice.randint(1, 2)):
            self.world.clock.advance(0.1)
            for each, _, _ in self.legs:
                if each is contract or not self.is_long:
                    came = price if each is contract else float(PRICE)
                    self.world.board.put(Tick(each.key, came, self.world.clock.now()))
            for _ in range(self.dice.randint(1, 2)):
                self.world.risk.step()
            self.world.peaks.step()

    def jump(self) -> None:
        """The wall clock is set an hour ahead or back; the monotonic one goes on as it did."""
        ahead = self.dice.choice([each for each in (-HOUR, timedelta(0), HOUR) if each != self.ahead])
        self.world.clock.at += ahead - self.ahead
        self.ahead = ahead

    def close_market(self) -> None:
        hours = self.world.hours
        hours.now = Phase.CLOSED if hours.now is Phase.LIVE else Phase.LIVE

    def haunt(self) -> None:
        """An engine that was replaced, now or before, wakes up and wants to send what it still has in hand."""
        if self.world.former is None or self.dice.random() < 0.5:
            self.world.executor.step()
            self.restart()
        if self.world.former is not None:
            for intent in self.world.rows(Intent):
                if intent.state == IntentState.READY:
                    self.world.send_from(self.world.former, intent.id)
                elif intent.state == IntentState.WORKING:
                    self.world.former.cancel(intent.id)
        if self.world.former_books is not None:
            self.world.former_books.step(self.dice.choice(list(self.world.watched)))

    def sleep_over(self) -> None:
        """To the same hour of the next day. What nobody could settle until then is for a person, not for this test."""
        for broker in self.brokers:
            self.mend(broker)
        self.world.hours.now = Phase.LIVE
        self.world.turns(2, 80)
        self.world.turns(2, 8)
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
