"""What all events of a schedule share: its dice, its world, its legs, and what it has in store."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from app.domain.contracts import Side
from app.domain.errors import DeskError
from app.domain.orders import FINAL, IntentState, OrderRequest
from app.persistence.tables import Intent, Run
from tests.chaos.checker import QUARANTINED, Checker
from tests.chaos.watched_broker import WatchedBroker
from tests.chaos.world import ACCOUNTS, ChaosWorld
from tests.unit.services.pretend_broker import CALL, HEDGE, PUT, Killed

ENTERS = {CALL.key: Side.BUY, HEDGE.key: Side.BUY, PUT.key: Side.SELL}
RATES = (2, 4, 8, 8)
UNSETTLED = {IntentState.SENDING, IntentState.UNKNOWN, IntentState.PARKED}


class DayState:
    """`is_long` days have two accounts, up to three legs and many events; most are short: much is found in little."""

    def __init__(self, world: ChaosWorld, seed: int, *, long: bool | None = None) -> None:
        self.dice = random.Random(seed)
        self.world = world
        self.story = [f"seed {seed}"]
        self.counted: Counter[str] = Counter()
        drawn = self.dice.random() < 0.04
        self.is_long = drawn if long is None else long
        most = 3 if self.is_long else 2
        self.legs = [(CALL, Side.BUY, 3), (PUT, Side.SELL, 1), (HEDGE, Side.BUY, 1)][: self.dice.randint(1, most)]
        self.on_their_way: list[tuple[OrderRequest, float]] = []
        self.clicks = 0
        self.checker = Checker(world, self.legs, self.words)
        world.begin(self.checker, accounts=ACCOUNTS if self.is_long else 1)
        world.rate = self.dice.choice(RATES)

    @property
    def brokers(self) -> list[WatchedBroker]:
        return list(self.world.watched.values())

    @property
    def broker(self) -> WatchedBroker:
        """Whichever it happens to now."""
        return self.dice.choice(self.brokers)

    @property
    def runs(self) -> list[Any]:
        return self.world.rows(Run)

    def guarded(self, what: Callable[[], None]) -> None:
        try:
            what()
        except Killed:
            self.story.append("killed")
            self.counted["killed"] += 1
            self.restart()

    @contextmanager
    def may_be_refused(self) -> Iterator[None]:
        """What a person asks may be refused, and then the story says so."""
        try:
            yield
        except DeskError as no:
            self.story.append(type(no).__name__)
            self.counted["refused"] += 1

    def restart(self) -> None:
        self.world.restart()
        self.checker.restarted()

    def is_leaving(self, broker: WatchedBroker) -> bool:
        account_id = next(number for number, each in self.world.brokers.items() if each is broker)
        open_exit = any(
            intent.purpose == "EXIT" and intent.account_id == account_id
            and (intent.state not in FINAL or intent.state == IntentState.NOT_SENT)
            for intent in self.world.rows(Intent)
        )  # fmt: skip
        return open_exit or any(request.side is not ENTERS[request.contract] for request in broker.on_their_way)

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

    def quarantined(self) -> list[Any]:
        return [each for each in self.world.rows(Intent) if (each.reason or "").startswith(QUARANTINED)]

    def is_over(self) -> bool:
        return all(run.state in {"CLOSED", "REFUSED"} for run in self.runs)

    def words(self, what: str) -> str:
        rows = [
            f"{i.id} run {i.run_id} account {i.account_id} {i.purpose} {i.generation}/{i.slice} {i.side} {i.units} "
            f"{i.symbol} {i.price_type} {i.state} {i.order_id} {i.reason}"
            for i in self.world.rows(Intent)
        ]
        there = [
            f"{account_id}: {o.order_id} {o.request.side} {o.request.contract.symbol} {o.request.units} {o.filled} "
            f"{o.status} {o.request.tag}"
            for account_id, broker in self.world.brokers.items()
            for o in broker.standing
        ]
        return "\n".join([what, " ".join(self.story), *rows, "at the broker:", *there])
