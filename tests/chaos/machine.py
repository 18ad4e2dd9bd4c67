"""What happens to the engine itself: its steps in any order, deaths, former leaders, clocks, prices, hours, nights."""

import math
from datetime import timedelta

from app.domain.calendar import Phase
from app.domain.contracts import Contract
from app.domain.orders import IntentState
from app.persistence.tables import Intent
from app.ports.feed import Tick
from tests.chaos.brokers import BrokerEvents
from tests.chaos.day import UNSETTLED
from tests.unit.services.pretend_broker import PRICE

HOUR = timedelta(hours=1)
NO_PRICES = (0.0, -5.0, float("nan"), float("inf"))
MOVES = (-30, -8, -4, 0, 4, 8, 30)


class MachineEvents(BrokerEvents):
    """Each is one event."""

    def decide(self) -> None:
        self.world.take_commands()
        self.world.executor.step()
        for _ in range(self.dice.randint(0, 2)):  # whoever asks again changes nothing
            self.world.executor.touch(self.dice.choice([run.id for run in self.runs] or [0]))
            self.world.executor.step()

    def work(self) -> None:
        for intent_id in self.world.work():  # and once more: a lane that lost count
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
        """Prices come, or what is none, each of them twice, or once alone; rules are judged on them at once, and again.

        In most something is held by then and each contract has a price: else rules hardly ever had to judge.
        """
        ripe = not self.is_long or self.dice.random() < 0.6
        if ripe:
            self.ripen()
        moved, _, _ = self.dice.choice(self.legs)
        for _ in range(self.dice.randint(1, 2)):
            price = self.dice.choice((*NO_PRICES, *(float(PRICE) + move for move in MOVES)))
            for _ in range(self.dice.choice((1, 2, 2))):
                self.world.clock.advance(0.4)
                self.bring({c: price if c is moved else float(PRICE) for c, _, _ in self.legs if c is moved or ripe})
                for _ in range(self.dice.randint(1, 2)):
                    self.world.risk.step()
                self.world.peaks.step()

    def ripen(self) -> None:
        """What was decided is sent, as far as it goes, and what rests has filled."""
        if not any(self.checker.ledger().values()):
            self.world.executor.step()
            self.world.work()
        for broker in self.brokers:
            broker.fill_all()
        self.world.read()

    def bring(self, prices: dict[Contract, float]) -> None:
        for contract, price in prices.items():
            if math.isfinite(price) and price > 0:
                self.checker.heard[contract.key] = self.world.clock.monotonic()
            self.world.board.put(Tick(contract.key, price, self.world.clock.now()))

    def look_at_clock(self) -> None:
        """Time goes on and the loop that leaves by the clock has its turn, on a clock that may be wrong."""
        self.world.clock.advance(self.dice.choice((0.5, 5.0, 30.0)))
        self.world.square_off.step()

    def jump(self) -> None:
        """The wall clock is set an hour ahead or back; the monotonic one goes on as it did."""
        ahead = self.dice.choice([each for each in (-HOUR, timedelta(0), HOUR) if each != self.world.ahead])
        self.world.clock.at += ahead - self.world.ahead
        self.world.ahead = ahead

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
                    self.world.cancel_from_former(intent.id)
        self.world.write_from_former()
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
