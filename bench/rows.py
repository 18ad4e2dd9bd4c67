"""What is measured, in rounds: ours and the plain clients in turn, medians at the end."""

import contextlib
import math
import sqlite3
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic_ns
from typing import Any

from bench.gateway import DELAY_S, PEER
from bench.stage import PartFailedError, Stage

IDEAL_MS = 2 * DELAY_S * 1000
"""Two answers one after the other: the hedges, then what they hedge."""

PEERS = ("http.client", "urllib3", "sdk")
LIMIT = "epoll"
CPU_TARGET_MS = 1.5
BESIDE_TICKS = 1.2
SETTLED_S = 20.0
"""Books of a run that has just closed are read until they are quiet; rest is what comes after, looked at as long."""

TICK_TARGETS = {50: 10.0, 99: 50.0}

_STRIKES = ((26600, "CE", "BUY"), (26000, "PE", "BUY"), (26300, "CE", "SELL"), (26300, "PE", "SELL"))
_ALIKE = {"exchange": "NFO", "quantity": "65", "pricetype": "LIMIT", "product": "MIS", "price": "100.5"}
LEGS = [{"symbol": f"NIFTY08DEC26{strike}{kind}", "action": action, **_ALIKE} for strike, kind, action in _STRIKES]


@dataclass
class Row:
    """One line of the result. `ours` None: it could not be measured. A peer's None: it is missing here.

    `at_least`: more is better, and the target is the least that will do.
    """

    row: str
    unit: str
    ours: float | None
    peers: dict[str, float | None]
    limit: float | None
    target: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        if self.ours is None:
            return False
        return self.ours >= self.target if self.at_least else self.ours <= self.target

    def as_json(self) -> dict[str, Any]:
        return {**vars(self), "met": self.met}


@dataclass
class Bursts:
    """Milliseconds to the last answer and CPU milliseconds for each order, by client, of all rounds."""

    last_ms: dict[str, list[float]] = field(default_factory=dict)
    cpu_ms: dict[str, list[float]] = field(default_factory=dict)
    written_ms: list[float] = field(default_factory=list)
    """Until the rows of a run were committed; ours alone."""
    missing: set[str] = field(default_factory=set)
    odd: list[str] = field(default_factory=list)
    """What went otherwise than it should have, in our own rounds."""

    def take(self, name: str, last_ms: float, cpu_ms: float) -> None:
        self.last_ms.setdefault(name, []).append(last_ms)
        self.cpu_ms.setdefault(name, []).append(cpu_ms)


def fan_out(on: Stage, accounts: int, rounds: int, settled_s: float) -> tuple[list[Row], Bursts]:
    """Four legs in every account, the clients one after the other in each round."""
    found = Bursts()
    for _ in range(rounds):
        _ours(on, found)
        with on.desk.held():
            for kind in (*PEERS, LIMIT):
                _peer(on, kind, found)
    at_rest = _at_rest(on, accounts, settled_s)
    busy = _beside_ticks(on, rounds, found)
    target = IDEAL_MS * (1.7 if accounts > 10 else 1.3)
    what = f"fan-out 4 legs x {accounts} accounts"
    return [
        _row(f"{what}: last answer", "ms", found.last_ms, target, found.missing),
        _row(f"{what}: CPU for each order", "ms", found.cpu_ms, CPU_TARGET_MS, found.missing),
        _of_itself(f"{what}: beside {TickSize().per_second} ticks/s, of itself", found, busy),
        _written(found, accounts),
        at_rest,
    ], found


def _beside_ticks(on: Stage, rounds: int, found: Bursts) -> Bursts:
    """Our rounds again while depth frames arrive; what goes otherwise stands with the quiet ones."""
    busy, size = Bursts(odd=found.odd), TickSize()
    on.desk.ask({"do": "follow", "followed": size.followed})
    on.gateway.ask("flow", per_second=size.per_second)
    for _ in range(rounds):
        _ours(on, busy)
    on.gateway.ask("flow", per_second=0)
    return busy


def _of_itself(name: str, quiet: Bursts, busy: Bursts) -> Row:
    """How many times as long as the quiet median."""
    alone, beside = quiet.last_ms.get("ours"), busy.last_ms.get("ours")
    ratio = round(statistics.median(beside) / statistics.median(alone), 3) if alone and beside else None
    return Row(name, "x", ratio, {}, None, BESIDE_TICKS)


def _written(found: Bursts, accounts: int) -> Row:
    """Executions and intents, beside the bare rows of a database file in one commit."""
    orders = len(LEGS) * accounts
    ours = round(statistics.median(found.written_ms), 3) if found.written_ms else None
    limit = round(statistics.median(bare_rows_ms(orders) for _ in range(5)), 3)
    return Row(f"durable order rows, {orders} orders", "ms", ours, {}, limit, 10.0)


def bare_rows_ms(count: int) -> float:
    """Milliseconds for so many rows of an intent's width in one commit of SQLite's own library, WAL as the desk's."""
    columns = 24
    with tempfile.TemporaryDirectory() as folder, contextlib.closing(sqlite3.connect(f"{folder}/rows")) as bare:
        bare.execute("pragma journal_mode=wal")
        bare.execute(f"create table intents (id integer primary key, {', '.join(f'c{n}' for n in range(columns))})")
        insert = f"insert into intents values (null, {', '.join('?' * columns)})"  # noqa: S608  question marks alone
        begun = monotonic_ns()
        with bare:
            bare.executemany(insert, [[f"word {n}"] * columns for n in range(count)])
        return (monotonic_ns() - begun) / 1e6


def _at_rest(on: Stage, accounts: int, settled_s: float) -> Row:
    share = on.desk.ask({"do": "rest", "seconds": settled_s})["cpu"]
    return Row(f"at rest, {accounts} accounts: CPU", "% of a core", round(100 * share, 1), {}, None, 25.0)


def _ours(on: Stage, found: Bursts) -> None:
    on.gateway.ask("reset")
    on.desk.tell({"do": "fan_out"})
    said = on.desk.hear()
    # Its way out stands on the log too, behind the entries.
    log = sorted(on.gateway.ask("log"), key=lambda placed: placed["received"])[: said["wanted"]]
    if min(said["answered"], said["committed"]) < said["wanted"] or not all(placed["answered"] for placed in log):
        found.odd.append(f"{said['answered']} of {said['wanted']} orders were answered: {said['not_sent']}")
        return
    last_ms = (max(placed["answered"] for placed in log) - said["begun"]) / 1e6
    found.take("ours", last_ms, said["cpu_s"] * 1000 / said["wanted"])
    found.written_ms.append(said["written_ms"])
    twice = _twice(log)
    if twice:
        found.odd.append(f"sent more than once: {twice}")


def _twice(log: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    """Orders of one account, contract and side beyond the first."""
    seen: set[tuple[Any, ...]] = set()
    again = []
    for placed in log:
        one = (placed["account"], placed["symbol"], placed["action"])
        if one in seen:
            again.append(one)
        seen.add(one)
    return again


def _peer(on: Stage, kind: str, found: Bursts) -> None:
    if kind in found.missing:
        return
    on.gateway.ask("reset")
    said = on.peers.ask({"kind": kind, "hosts": on.gateway.hosts, "legs": LEGS})
    if "missing" in said:
        found.missing.add(kind)
        return
    log = [placed for placed in on.gateway.ask("log") if placed["tag"] == PEER]
    if len(log) != len(LEGS) * len(on.gateway.hosts):
        raise PartFailedError(f"{kind} sent {len(log)} orders")
    last_ms = (max(placed["answered"] for placed in log) - said["begun"]) / 1e6
    found.take(kind, last_ms, said["cpu_s"] * 1000 / len(log))


def _row(name: str, unit: str, found: Mapping[str, list[float]], target: float, missing: set[str]) -> Row:
    def median(kind: str) -> float | None:
        return round(statistics.median(found[kind]), 3) if found.get(kind) and kind not in missing else None

    return Row(name, unit, median("ours"), {kind: median(kind) for kind in PEERS}, median(LIMIT), target)


@dataclass(frozen=True)
class TickSize:
    """How much stands while a stop is hit: runs, accounts in each, contracts followed, frames a second."""

    runs: int = 20
    accounts: int = 5
    followed: int = 82
    per_second: int = 1640
    points: float = 15.0
    """How far the price of each run is from its max loss, rupees; the tick moves it somewhat further."""


def tick_to_exit(on: Stage, accounts: int, rounds: int, size: TickSize) -> tuple[list[Row], list[str]]:
    """From the frame's leaving the relay's socket to the first exit order complete at the gateway, in one process."""
    took: list[float] = []
    odd: list[str] = []
    for _ in range(rounds):
        opened = on.desk.ask({"do": "positions", **vars(size)})["runs"]
        on.gateway.ask("flow", per_second=size.per_second)
        for one in opened:
            _hit(on, one, size, took, odd)
        on.gateway.ask("flow", per_second=0)
        on.gateway.ask("free")
        on.desk.ask({"do": "leave", "runs": [one["run"] for one in opened]})
    what = f"tick to exit, {accounts} accounts, {size.runs} runs, {size.per_second} ticks/s, n={len(took)}"
    rows = [
        Row(f"{what}: p{share}", "ms", percentile(took, share), {}, None, target)
        for share, target in TICK_TARGETS.items()
    ]
    return rows, odd


def _hit(on: Stage, one: Mapping[str, Any], size: TickSize, took: list[float], odd: list[str]) -> None:
    """One stop, from the open run to the closed one: what it leaves to do is not measured with the next."""
    if on.desk.ask({"do": "state", "run": one["run"]})["state"] != "OPEN":
        odd.append(f"run {one['run']} was taken out by the market itself")
        return
    how = {"symbol": one["symbol"], "points": size.points + 4.0, "orders": one["orders"], "within_s": 10.0}
    hit = on.gateway.ask("strike", **how)
    on.gateway.ask("free")
    if len(hit["received"]) < one["orders"]:
        odd.append(f"run {one['run']}: {len(hit['received'])} of {one['orders']} exits came")
    if hit["received"]:
        took.append((hit["received"][0] - hit["sent"]) / 1e6)
        on.desk.ask({"do": "closed", "runs": [one["run"]]})


def percentile(values: Sequence[float], share: int) -> float | None:
    """The smallest value that this share of them keeps to."""
    if not values:
        return None
    return round(sorted(values)[max(0, math.ceil(len(values) * share / 100) - 1)], 3)
