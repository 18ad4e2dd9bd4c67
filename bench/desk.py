"""The desk under measurement: `python -m bench.desk`, a process of its own with the whole engine on a SQLite file.

Commands come as lines of JSON and are answered as such. Ends when its input ends.
"""

import contextlib
import json
import logging
import os
import resource
import sys
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from time import monotonic_ns
from typing import Any

import urllib3
from flask import Flask
from flask_migrate import upgrade

from app import create_app
from app.domain.contracts import UNDERLYINGS, ContractKey, Kind, Side
from app.domain.errors import Conflict, Unavailable
from app.domain.strategy import LegSpec
from app.persistence.tables import TradingAccount, User
from app.ports.feed import FeedMode
from app.services.preview_maker import FrozenPreview
from config import testing_settings
from tests.live_desk import IRON_FLY, LiveDesk, eventually, leg

SLOW_S = 90.0
"""Everything takes as long as the machine makes it: this is only the end of patience."""

READS_S = 2.0
"""A trader reads a preview before sending it; what the round before has left to write down is over by then."""

DATA = 1
"""The id of the account that brings prices; the others trade."""


class BenchDesk(LiveDesk):
    """The desk with one account for prices and many at the bench gateway."""

    def __init__(self, app: Flask, given: Mapping[str, Any]) -> None:
        nowhere: Any = None  # what asks the simulator is not used here
        super().__init__(app, nowhere)
        self._control = f"http://127.0.0.1:{given['control']}"
        self._http = urllib3.PoolManager(retries=False, timeout=SLOW_S)
        self._numbers = count(1)
        self._furnish(given)
        self._started_ms: list[float] = []
        self._time_starts()
        self.runtime.start()
        eventually(self._is_ready, "contracts, hours and books are there", SLOW_S)

    @property
    def traders(self) -> list[int]:
        return [account for account in self.account_ids if account != DATA]

    def fan_out(self, _: Mapping[str, Any]) -> dict[str, Any]:
        """Enter an iron fly in every account and leave again. The start, CPU seconds until the last answer, counts."""
        strategy = self.strategy(IRON_FLY, name=self._name("Fly"), accounts=self.traders)
        preview = eventually(
            lambda: self._previewed(strategy), "prices have come since this process was last held", SLOW_S
        )
        assert preview is not None
        threading.Event().wait(READS_S)
        eventually(self._is_warm, "all accounts are ready to be sent to, as while a trader reads the preview", SLOW_S)
        wanted = 4 * len(self.traders)
        before, begun = _cpu_s(), monotonic_ns()
        run_id = self.send(preview)
        answered = self._ask("wait", {"answered": wanted, "within_s": 60})["answered"]
        cpu_s = _cpu_s() - before
        intents = self.intents(run_id)
        self._leave([run_id])
        return {
            "begun": begun,
            "cpu_s": cpu_s,
            "written_ms": self._started_ms[-1],
            "answered": answered,
            "wanted": wanted,
            "committed": len(intents),
            "not_sent": dict(Counter(intent.reason for intent in intents if intent.reason)),
        }

    def follow(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Have depth frames of so many options around the money."""
        self.runtime.market.feed.want("bench", self._near(asked["followed"]), FeedMode.DEPTH)
        return {}

    def positions(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Open one short option each in some accounts, with a max loss `points` away; symbols by run."""
        self.follow(asked)
        runs, traders = {}, self.traders
        width = min(asked["accounts"], len(traders))
        for number in range(asked["runs"]):
            accounts = [traders[(number * width + step) % len(traders)] for step in range(width)]
            spec = _short(number)
            loss = round(asked["points"] * 65 * width)
            strategy = self.strategy((spec,), name=self._name("Short"), accounts=accounts, max_loss=loss)
            run_id = self.send(self.preview(strategy))
            runs[run_id] = len(accounts)
        for run_id in runs:
            self.until(run_id, "OPEN", within_s=SLOW_S)
        return {"runs": [self._opened(run_id, orders) for run_id, orders in runs.items()]}

    def state(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        return {"state": self.view(asked["run"]).state}

    def closed(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Wait until these runs have closed by themselves."""
        for run_id in asked["runs"]:
            self.until(run_id, "CLOSED", within_s=SLOW_S)
        return {}

    def leave(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        self._leave(asked["runs"])
        return {}

    def rest(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """CPU share of one core while nothing is asked of it, once that has been so for as long."""
        threading.Event().wait(asked["seconds"])
        before, begun = _cpu_s(), monotonic_ns()
        threading.Event().wait(asked["seconds"])
        return {"cpu": (_cpu_s() - before) / ((monotonic_ns() - begun) / 1e9)}

    def stop(self) -> None:
        self.runtime.stop()

    def _time_starts(self) -> None:
        """From now on `_started_ms` says how long the rows of each run took, from its frozen plan to the commit."""
        executor: Any = self.runtime.trade.executor
        start = executor.start

        def timed(run_id: int) -> str:
            begun = monotonic_ns()
            try:
                said: str = start(run_id)
                return said
            finally:
                self._started_ms.append((monotonic_ns() - begun) / 1e6)

        executor.start = timed

    def _opened(self, run_id: int, orders: int) -> dict[str, Any]:
        (symbol,) = {intent.symbol for intent in self.intents(run_id)}
        return {"run": run_id, "symbol": symbol, "orders": orders}

    def _leave(self, run_ids: Sequence[int]) -> None:
        for run_id in run_ids:
            with contextlib.suppress(Conflict):  # closed by itself meanwhile
                self.exit(run_id)
        for run_id in run_ids:
            self.until(run_id, "CLOSED", within_s=SLOW_S)

    def _near(self, wanted: int) -> list[ContractKey]:
        """The options of next week's expiry that are nearest to the money."""
        spot = self.runtime.market.quotes.spot("NIFTY")
        master = self.runtime.market.contracts.master()
        expiry = master.expiries("NIFTY")[1]
        strikes = sorted(master.strikes("NIFTY", expiry, Kind.CE), key=lambda strike: abs(strike - spot))
        return [
            master.option("NIFTY", expiry, kind, strike).key
            for strike in strikes[: wanted // 2]
            for kind in (Kind.CE, Kind.PE)
        ]

    def _name(self, what: str) -> str:
        return f"{what} {next(self._numbers)}"

    def _ask(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self._http.request("POST", f"{self._control}/{path}", json=body).json()
        return answer

    def _is_ready(self) -> bool:
        market = self.runtime.market
        try:
            market.contracts.master_with(underlying.name for underlying in UNDERLYINGS)
        except Unavailable:
            return False
        read = [self.runtime.trade.reconciler.known(account) for account in self.account_ids]
        fed = market.feed.state()
        return (
            all(read)
            and fed.account_id == DATA
            and fed.last_tick_age_s is not None
            and market.hours.phase("NFO").value in {"live", "closing"}
        )

    def _previewed(self, strategy: int) -> FrozenPreview | None:
        """None while a leg has no fresh price."""
        try:
            return self.preview(strategy)
        except Unavailable:
            return None

    def _is_warm(self) -> bool:
        """What the desk does while a preview is shown: young order ids, and pushed updates."""
        trade = self.runtime.trade
        return all(
            trade.order_feeds.is_open(account) and (trade.warm_books.age_s(account) or SLOW_S) < 1.0
            for account in self.traders
        )

    def _furnish(self, given: Mapping[str, Any]) -> None:
        ground = self.runtime.ground
        with ground.database.transaction() as session:
            user = User(username="trader", password_hash="none", role="admin", created_at=ground.clock.now())  # noqa: S106 - nobody signs in
            session.add(user)
            session.flush()
            for rank, told in enumerate([given["data"], *given["accounts"]]):
                account = TradingAccount(
                    owner_id=user.id,
                    name="Prices" if rank == 0 else f"Bench {rank}",
                    broker="simulator",
                    host_url=told["host"],
                    websocket_url=told["ws_url"],
                    locked_key="",
                    expected_mode="live",
                    state="ACTIVE",
                    feed_rank=rank,
                    created_at=ground.clock.now(),
                )
                session.add(account)
                session.flush()
                account.locked_key = ground.vault.lock(told.get("api_key", "bench"), owner=f"account:{account.id}")


def _short(number: int) -> LegSpec:
    return leg(1, (Kind.CE, Kind.PE)[number % 2], Side.SELL, number // 2)


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _app(given: Mapping[str, Any]) -> Flask:
    folder = Path(given["folder"])
    settings = testing_settings().with_(
        database_url=f"sqlite:///{folder / 'desk.sqlite3'}",
        simulator_url=given["simulator"],
        engine="auto",
        lock_path=str(folder / "engine.lock"),
        preview_life_s=600,
    )
    app = create_app(settings)
    with app.app_context():
        upgrade()
    return app


def main() -> None:
    given = json.loads(sys.stdin.readline())
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever else prints does not stand between the answers
    logging.basicConfig(level=logging.WARNING)
    desk = BenchDesk(_app(given), given)
    commands = {
        "fan_out": desk.fan_out,
        "positions": desk.positions,
        "state": desk.state,
        "closed": desk.closed,
        "leave": desk.leave,
        "rest": desk.rest,
        "follow": desk.follow,
    }
    try:
        _say(answers, {"ready": True})
        for line in sys.stdin:
            asked = json.loads(line)
            _say(answers, commands[asked["do"]](asked))
    finally:
        desk.stop()


def _say(answers: Any, answer: Mapping[str, Any]) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
