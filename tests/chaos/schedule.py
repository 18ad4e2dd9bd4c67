"""One random schedule over one day or several: faults, crashes, people who trade past us, clocks, books.

Most are short, one account and a few events; some have two accounts, three legs and many. Up to two runs in the same
contracts. The brokers keep the truth; the process dies at any moment and starts again on the same database. A
gateway's call ends within 125 s: an exit is not accepted later than that after its send, nor is anything once a
stranger's order looks like it.

A person sends an exit again only where it surely did not arrive: who takes the risk of two may get two. Not here: SL-M
(for futures alone, and these legs are options); leg stops (`tests/day` has them).
"""

from app.domain.calendar import Phase
from app.domain.plan import Mode
from app.persistence.tables import Adoption, RiskEvent
from tests.chaos.checker import Kind
from tests.chaos.people import PeopleEvents
from tests.chaos.watched_broker import WatchedBroker
from tests.unit.services.pretend_broker import LOT

UNCLEAR = ("late", "late", "lost", "error")
LONGER = frozenset({"quiet", "sleep_over", "switch"})
"""After these so much time may have passed that calls under way have ended."""


class Day(PeopleEvents):
    """One random schedule, over one day or several. `story` is what happened, for the message of a failure."""

    def live(self) -> None:
        for broker in self.brokers:
            broker.fills_at_once = self.dice.random() < 0.7
        self.world.together, self.world.overtake = self.dice.random() < 0.5, self.overtake
        self.act()  # in most there is so little that the fault must be there before the start
        if self.dice.random() < 0.2:
            self.trade_alike()  # and what is lost after it looks like it
        for _ in range(self.dice.randint(1, 2) if self.is_long else 1):
            self.guarded(self.start)
        for _ in range(self.dice.randint(10, 30) if self.is_long else self.dice.randint(2, 6)):
            self.step()
            self.checker.always()
        if self.is_long or self.dice.random() < 0.2:
            self.squeeze()
        self.settle()
        self.counted.update(f"rule {event.rule}" for event in self.world.rows(RiskEvent))
        self.counted["adopted"] += len(self.world.rows(Adoption))

    def step(self) -> None:
        steps = (
            (self.act, 6), (self.fill, 8), (self.decide, 3), (self.work, 3), (self.read, 3), (self.wait, 2),
            (self.turn, 8), (self.leave, 2), (self.restart, 1), (self.arrive, 1), (self.break_books, 1), (self.lag, 3),
            (self.end_there, 1), (self.quiet, 1), (self.start, 2), (self.trade_by_hand, 3), (self.switch, 1),
            (self.sleep_over, 1), (self.trade_briskly, 2), (self.jump, 1), (self.mimic, 1), (self.haunt, 1),
            (self.reorder, 1), (self.close_market, 1), (self.omit, 1), (self.tick, 3), (self.trigger, 1),
            (self.change_pending, 2), (self.answer_changes, 1), (self.kill, 1), (self.fill_on_cancel, 1),
            (self.ignore_cancels, 1), (self.trade_alike, 1), (self.hear, 4),
            (self.bleed, 1), (self.close_while_down, 1), (self.send_again, 1), (self.adopt, 1), (self.ignore, 1),
            (self.look_at_clock, 2),
        )  # fmt: skip
        chosen = self.dice.choices([each for each, _ in steps], [weight for _, weight in steps])[0]
        self.story.append(chosen.__name__)
        self.counted[chosen.__name__] += 1
        if chosen.__name__ in LONGER:
            self.bring_exits(0)
        self.guarded(chosen)
        self.bring_exits(90)

    def squeeze(self) -> None:
        """A part of what is held is closed by hand, and every run wants out of the rest at once."""
        for broker in self.brokers:
            self.close_a_part(broker)
        self.world.read()
        if self.dice.random() < 0.4:
            for broker in self.brokers:
                broker.acts = [self.dice.choice(UNCLEAR)]
        for run in self.runs:
            self.world.exit(run.id)
        for _ in range(10 if self.is_long else 4):
            self.guarded(self.dice.choice((self.fill, self.fill, self.decide, self.work, self.turn)))
            self.checker.always()
        self.bring_exits(0)  # moments after its send, whatever became of it meanwhile
        for broker in self.brokers:
            broker.fill_all()
        self.checker.always()

    def close_a_part(self, broker: WatchedBroker) -> None:
        broker.fills_at_once = False
        broker.broken, broker.trades_hidden, broker.omits, broker.in_mode = None, 0, 0, Mode.LIVE
        for contract, side, _ in self.legs if not self.is_leaving(broker) else ():
            held = abs(broker.net(contract.key))
            if held:
                broker.by_hand(contract.key, side.opposite, LOT * self.dice.randint(1, held // LOT))

    def settle(self) -> None:
        """Everything works again, everybody leaves: at the end all is flat and both ledgers agree."""
        self.heal()
        for run in self.runs:
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
        self.world.turns(2 if self.is_long else 1, 8)
        self.checker.at_rest(thorough=self.is_long or bool(self.counted["kill"]))

    def leave_all(self) -> None:
        for turn in range(80):
            for broker in self.brokers:
                broker.fill_all()
            self.world.turn(8 if turn % 5 < 3 else 75)  # what is unknown takes minutes
            self.world.executor.step()
            self.checker.always()
            if self.is_over() and not any(broker.on_their_way for broker in self.brokers):
                break

    def heal(self) -> None:
        ledger = self.checker.ledger()
        self.world.hours.now = Phase.LIVE
        self.world.take_commands()
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
