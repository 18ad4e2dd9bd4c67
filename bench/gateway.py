"""A gateway for many accounts that does as little as it can: `python -m bench.gateway`, a process of its own.

It answers an order after 50 ms and fills it in the same moment, so what is measured beyond 50 ms is the client's. Every
order is on its log with the moments it came and was answered (CLOCK_MONOTONIC, ns). Ends when its input ends.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from time import monotonic_ns
from typing import Any

import msgspec

from bench.books import Books, MarketTime, Row
from bench.stream import OrderStream, PriceRelay
from bench.wire import Reply, listen

DELAY_S = 0.05

PEER = "peer"
"""The strategy tag of orders that are answered and logged, and in no book."""

_decode = msgspec.json.decode
_encode = msgspec.json.encode


@dataclass
class Placed:
    """An order on the log. Moments in ns; `answered` is 0 until it is."""

    account: int
    tag: str
    symbol: str
    action: str
    received: int
    answered: int = 0


@dataclass
class Account:
    """One account: its books and who is told of its orders."""

    number: int
    books: Books
    stream: OrderStream
    host: str = ""


@dataclass
class Gateway:
    """All accounts, the log, and the feed that the desk takes prices from."""

    accounts: list[Account]
    relay: PriceRelay
    log: list[Placed] = field(default_factory=list)
    prices: dict[str, float] = field(default_factory=dict)
    delay_s: float = DELAY_S
    _ids: int = 0
    _watchers: list[tuple[Callable[[], bool], asyncio.Future[None]]] = field(default_factory=list)

    def answer(self, account: Account, path: str, body: bytes, received: int, reply: Reply) -> None:
        name = path.partition("?")[0].removeprefix("/api/v1/")
        if name == "placeorder":
            self._place(account, _decode(body), received, reply)
            return
        reply(_encode(account.books.answer(name) or {"status": "error", "message": f"{name} is not measured"}))

    def _place(self, account: Account, asked: Row, received: int, reply: Reply) -> None:
        placed = Placed(account.number, str(asked["strategy"]), asked["symbol"], asked["action"], received)
        self.log.append(placed)
        asyncio.get_running_loop().call_later(self.delay_s, self._answer_order, account, asked, placed, reply)
        self._look()

    def _answer_order(self, account: Account, asked: Row, placed: Placed, reply: Reply) -> None:
        self._ids += 1
        order_id = f"26112900{self._ids:06d}"
        reply(b'{"status":"success","orderid":"%s"}' % order_id.encode())
        placed.answered = monotonic_ns()
        if placed.tag != PEER:
            asked["quantity"] = int(asked["quantity"])
            price = self.prices.get(placed.symbol) or float(asked.get("price", 0.0)) or 100.0
            account.stream.push(_encode(account.books.fill(order_id, asked, price)))
        self._look()

    # what the measuring process asks

    def control(self, path: str, body: bytes, _received: int, reply: Reply) -> None:
        task = asyncio.get_running_loop().create_task(self._control(path.strip("/"), _decode(body or b"{}")))
        task.add_done_callback(lambda done: reply(json.dumps(_result(done)).encode()))

    async def _control(self, name: str, asked: Row) -> Any:
        match name:
            case "reset":
                self.log.clear()
            case "log":
                return [asdict(placed) for placed in self.log]
            case "prices":
                self.prices |= asked
            case "flow":
                self.relay.flow(asked["per_second"])
            case "free":
                self.relay.free()
            case "wait":
                await self._until(lambda: self._answered() >= asked["answered"], asked["within_s"])
                return {"answered": self._answered()}
            case "strike":
                return await self._strike(asked)
        return {}

    async def _strike(self, asked: Row) -> Row:
        """Push one tick that moves a contract by `points`; when it left and when the orders it caused came in."""
        begun = len(self.log)

        def caused() -> list[int]:
            return [one.received for one in self.log[begun:] if one.symbol == asked["symbol"]]

        await self.relay.seen(asked["symbol"], asked["within_s"])
        sent = await self.relay.strike(asked["symbol"], asked["points"])
        if sent:
            await self._until(lambda: len(caused()) >= asked["orders"], asked["within_s"])
        return {"sent": sent, "received": caused()}

    def _answered(self) -> int:
        return sum(placed.answered > 0 for placed in self.log)

    async def _until(self, wanted: Callable[[], bool], within_s: float) -> None:
        future = asyncio.get_running_loop().create_future()
        self._watchers.append((wanted, future))
        self._look()
        await asyncio.wait([future], timeout=within_s)
        self._watchers = [watcher for watcher in self._watchers if watcher[1] is not future]

    def _look(self) -> None:
        for wanted, future in self._watchers:
            if not future.done() and wanted():
                future.set_result(None)


def _result(done: asyncio.Task[Any]) -> Any:
    error = done.exception()
    return {"error": repr(error)} if error else done.result()


async def serve(count: int, market_ms: int, upstream: str) -> None:
    """Runs until the input ends."""
    time = MarketTime(market_ms)
    relay = PriceRelay(upstream)
    accounts = [
        Account(number, Books(f"bench{number}", time), OrderStream(time.now_ms)) for number in range(1, count + 1)
    ]
    gateway = Gateway(accounts, relay)
    for account in accounts:
        port = await listen(lambda *request, to=account: gateway.answer(to, *request))
        account.host = f"http://127.0.0.1:{port}"
    ready = {
        "control": await listen(gateway.control),
        "feed": await relay.start(),
        "accounts": [{"host": account.host, "ws_url": await account.stream.start()} for account in accounts],
    }
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def main() -> None:
    parser = argparse.ArgumentParser("bench.gateway")
    parser.add_argument("--accounts", type=int, required=True)
    parser.add_argument("--market-ms", type=int, required=True, help="the simulator's time now")
    parser.add_argument("--upstream", required=True, help="the feed that is passed on")
    given = parser.parse_args()
    asyncio.run(serve(given.accounts, given.market_ms, given.upstream))


if __name__ == "__main__":
    main()
