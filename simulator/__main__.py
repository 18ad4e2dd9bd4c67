"""`python -m simulator`: pretend OpenAlgo gateways on ports of their own, until interrupted."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Sequence
from datetime import date, time
from pathlib import Path

from simulator import control_views as views
from simulator.control import LOOPBACK, Control
from simulator.simulation import Options, PortInUseError, Simulation, port_sentence


def _rupees(text: str) -> tuple[int, ...]:
    """Raises ArgumentTypeError for anything but whole rupees between commas."""
    parts = text.split(",")
    if not all(part.isascii() and part.isdigit() and len(part) <= 12 for part in parts):
        raise argparse.ArgumentTypeError("give whole rupees, with commas between accounts: 5000000,620000")
    return tuple(int(part) for part in parts)


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("simulator", description="Pretend OpenAlgo gateways with a market of their own.")
    parser.add_argument("--accounts", type=int, default=5, choices=range(1, 51), metavar="1..50")
    parser.add_argument("--seed", type=int, default=7, help="the same seed gives the same market")
    parser.add_argument("--speed", type=float, default=1.0, help="virtual seconds per real second, 0 pauses")
    parser.add_argument("--host", default=LOOPBACK, help="address of the gateways; the control port is loopback only")
    parser.add_argument("--rest-port", type=int, default=5001, help="first account's; the others follow; 0 takes any")
    parser.add_argument("--ws-port", type=int, default=8765, help="first account's; the others follow; 0 takes any")
    parser.add_argument("--control-port", type=int, default=5000)
    parser.add_argument("--date", type=date.fromisoformat, default=Options.day, metavar="YYYY-MM-DD")
    parser.add_argument("--start", type=time.fromisoformat, default=Options.at, metavar="HH:MM", help="Indian time")
    parser.add_argument("--scenario", help="a scripted day by name")
    parser.add_argument(
        "--cash", type=_rupees, default=Options.cash, metavar="R,R,...", help="of each account; the last for the others"
    )
    parser.add_argument("--limits", choices=("openalgo", "off"), default="openalgo", help="request limits")
    parser.add_argument("--state", type=Path, metavar="FILE", help="keep market and books here, and go on from there")
    parser.add_argument("--quiet", action="store_true", help="print the ready line only")
    return parser.parse_args(given)


def options_of(given: argparse.Namespace) -> Options:
    return Options(
        accounts=given.accounts,
        seed=given.seed,
        speed=given.speed,
        host=given.host,
        rest_port=given.rest_port,
        ws_port=given.ws_port,
        control_port=given.control_port,
        day=given.date,
        at=given.start,
        scenario=given.scenario,
        limits=given.limits == "openalgo",
        cash=given.cash,
        state=given.state,
    )


async def serve(options: Options, *, quiet: bool) -> None:
    """Runs until SIGINT or SIGTERM. Raises PortInUseError or ValueError before anything is announced."""
    simulation = Simulation(options)
    control = Control(simulation)
    stopped = asyncio.Event()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signal_number, stopped.set)
    try:
        await simulation.start()
        await _start_control(control, options.control_port)
        _announce(simulation, control, quiet=quiet)
        driver = asyncio.create_task(simulation.run())
        stopping = asyncio.create_task(stopped.wait())
        await asyncio.wait({driver, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if driver.done():
            driver.result()  # the market broke: show why
        driver.cancel()
    finally:
        await asyncio.gather(simulation.stop(), control.stop())


async def _start_control(control: Control, port: int) -> None:
    try:
        await control.start(port)
    except OSError as error:
        raise PortInUseError(port_sentence(port, error)) from error


def _announce(simulation: Simulation, control: Control, *, quiet: bool) -> None:
    address = f"http://{LOOPBACK}:{control.port}"
    shown = views.state(simulation)
    ready = {"ready": True, "control": address, "continued": simulation.continued, "accounts": shown["accounts"]}
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    if quiet:
        return
    lines = [f"Virtual time {shown['now']}, speed {shown['speed']:g}, control port {address}"]
    lines += [f"  {row['name']}: {row['host']}  {row['ws_url']}  key {row['api_key']}" for row in shown["accounts"]]
    sys.stderr.write("\n".join(lines) + "\n")
    sys.stderr.flush()


def main() -> int:
    given = arguments()
    try:
        asyncio.run(serve(options_of(given), quiet=given.quiet))
    except (PortInUseError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
