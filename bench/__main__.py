"""`make bench`: measures the rows, prints them as a table and writes them to bench/results/latest.json."""

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import chain_rows, frame_rows, peers, rows, trend_rows
from bench.stage import stage
from tools.steps import ROOT

RESULTS = ROOT / "bench" / "results"


def machine() -> dict[str, Any]:
    """What the numbers were measured on, and with."""
    load = [round(one, 1) for one in os.getloadavg()]
    return {"python": platform.python_version(), "cores": os.cpu_count(), "load": load, **peers.versions()}


def measure(
    accounts: Sequence[int], rounds: int, tick: rows.TickSize | None, settled_s: float = rows.SETTLED_S
) -> tuple[list[rows.Row], list[str]]:
    """All rows, and what went otherwise than it should have."""
    found: list[rows.Row] = []
    odd: list[str] = []
    for number in accounts:
        with stage(number) as on:
            bursts, seen = rows.fan_out(on, number, rounds, settled_s)
            found += bursts
            odd += seen.odd
            if tick is not None and number == max(accounts):
                ticks, strange = rows.tick_to_exit(on, number, max(1, rounds // 2), tick)
                found += ticks
                odd += strange
    return found, odd


PARTS = ("orders", "frames", "ticks", "chains", "trend")


def table(found: Sequence[rows.Row]) -> str:
    peers_of_all = tuple(dict.fromkeys(peer for one in found for peer in one.peers))
    head = ("row", "unit", "ours", *peers_of_all, "limit", "target", "met")
    lines = [head] + [
        (
            one.row,
            one.unit,
            _shown(one.ours),
            *(_shown(one.peers.get(peer), "missing" if peer in one.peers else "") for peer in peers_of_all),
            _shown(one.limit, ""),
            f"{'>=' if one.at_least else '<='} {one.target:g}",
            "yes" if one.met else "NO",
        )
        for one in found
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + "\n" for line in lines
    )


def _shown(value: float | None, otherwise: str = "not measured") -> str:
    if value is None:
        return otherwise
    return f"{value:,.0f}" if value >= 10_000 else f"{value:.2f}"


def write(found: Sequence[rows.Row], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "latest.json").write_text(json.dumps([one.as_json() for one in found], indent=1) + "\n")
    (folder / "machine.json").write_text(json.dumps(machine(), indent=1) + "\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """0 also when targets are missed: the table says so, and a loaded machine misses them."""
    parser = argparse.ArgumentParser("bench", description="The desk beside plain clients, in one run.")
    parser.add_argument("--accounts", type=int, nargs="+", default=[10, 50], choices=range(1, 51), metavar="1..50")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--no-ticks", action="store_true", help="leave out tick to exit")
    parser.add_argument(
        "--only",
        choices=PARTS,
        help="one part alone: orders through gateways, frames from a socket to the board, one tick to the board,"
        " updates of chain pages, or the Supertrend",
    )
    given = parser.parse_args(arguments)
    sys.stdout.write(f"{machine()}\n")
    found: list[rows.Row] = []
    odd: list[str] = []
    if given.only in {None, "orders"}:
        found, odd = measure(given.accounts, given.rounds, None if given.no_ticks else rows.TickSize())
    if given.only in {None, "frames"}:
        found += frame_rows.frames(given.rounds, frame_rows.FrameSize())
    if given.only in {None, "ticks"}:
        found += frame_rows.ticks(given.rounds, frame_rows.FrameSize())
    if given.only in {None, "chains"}:
        found += chain_rows.chains(given.rounds, chain_rows.ChainSize())
    if given.only in {None, "trend"}:
        found += trend_rows.trends(given.rounds)
    write(found, RESULTS)
    sys.stdout.write(table(found))
    sys.stdout.write("".join(f"! {line}\n" for line in odd))
    sys.stdout.write(f"load at the end: {machine()['load']}; written to bench/results/latest.json\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
