"""The running simulator: one market, its gateways and their ports, and the one loop that moves virtual time."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import date
from datetime import time as wall_time
from pathlib import Path

from simulator.account import SimAccount
from simulator.calendar import CASH_OPEN
from simulator.clock import DEFAULT_DATE, STEP_S
from simulator.keeping import DRAIN_S, Keeper, Kept
from simulator.rest import RestSide
from simulator.rest_call import Gateway
from simulator.rest_gtt_book import GttBook
from simulator.rest_limits import MovingWindow
from simulator.stream import StreamSide
from simulator.stream_hub import TickHub
from simulator.venue import DEFAULT_CASH, Venue

BEAT_S = 0.25
"""Real seconds between two moves of the market."""
STEPS_AT_ONCE = 8
"""After so many steps other work gets its turn, so high speed does not stall replies."""


@dataclass(frozen=True)
class Options:
    """How the simulator was asked to run. Port 0 takes any free port."""

    accounts: int = 5
    seed: int = 7
    speed: float = 1.0
    host: str = "127.0.0.1"
    rest_port: int = 5001
    ws_port: int = 8765
    control_port: int = 5000
    day: date = DEFAULT_DATE
    at: wall_time = CASH_OPEN
    scenario: str | None = None
    limits: bool = True
    cash: tuple[int, ...] = (DEFAULT_CASH,)
    state: Path | None = None
    """Where market and books are kept for the next start; None keeps nothing."""

    @property
    def shape(self) -> tuple[object, ...]:
        """What must be the same at a next start for the books to be taken over."""
        return self.accounts, self.seed, self.day, self.at, self.scenario, self.cash


class PortInUseError(Exception):
    """The sentence says which port and what to do."""


@dataclass
class Port:
    """One account's two addresses."""

    gateway: Gateway
    rest: RestSide
    stream: StreamSide
    rest_port: int = 0
    ws_port: int = 0


class Simulation:
    """Owns everything; all of it lives on one event loop."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self._keeper = Keeper(options.state, options.shape) if options.state else None
        kept = self._keeper.load() if self._keeper else None
        self.continued = kept is not None
        self.venue = kept.venue if kept else self._fresh_venue()
        self.hub = TickHub(self.venue, time.monotonic)
        self.venue.on_tick(self.hub.note)
        books = kept.gtt if kept else [GttBook() for _ in self.venue.accounts]
        self.ports = [self._port(account, book) for account, book in zip(self.venue.accounts, books, strict=True)]
        self.hub.receivers.extend(port.stream for port in self.ports)
        self._debt_s = 0.0
        self._serves = False
        if self._keeper:
            self._keeper.watch(self.venue)

    def _fresh_venue(self) -> Venue:
        """Raises ValueError for an unknown scenario."""
        venue = Venue(self.options.seed, self.options.accounts, self.options.day, self.options.at, self.options.cash)
        venue.clock.set_speed(self.options.speed)
        if self.options.scenario is not None:
            venue.load_scenario(self.options.scenario)
        return venue

    def _port(self, account: SimAccount, book: GttBook) -> Port:
        gateway = Gateway(self.venue, account, MovingWindow(time.monotonic, self.options.limits), book)
        return Port(gateway, RestSide(gateway), StreamSide(gateway, self.hub))

    async def start(self) -> None:
        """Opens every account's ports. Raises PortInUseError and leaves what is open to `stop`."""
        for place, port in enumerate(self.ports):
            rest = self.options.rest_port and self.options.rest_port + place
            stream = self.options.ws_port and self.options.ws_port + place
            port.rest_port = await listen(port.rest, self.options.host, rest)
            port.ws_port = await listen(port.stream, self.options.host, stream)
        self._serves = True

    async def stop(self) -> None:
        await asyncio.gather(*(side.stop() for port in self.ports for side in (port.rest, port.stream)))
        if self._keeper and self._serves:  # who never served writes over nothing: another may, with the same file
            self.venue.timers.pass_real(DRAIN_S)
            self._keeper.save(self._kept())

    def reset(self) -> None:
        """Everything as at the start, on the same ports; stream clients are sent away."""
        self.venue = self._fresh_venue()
        self.venue.on_tick(self.hub.note)
        self.hub.venue = self.venue
        self.hub.forget()
        self._debt_s = 0.0
        if self._keeper:
            self._keeper.watch(self.venue)
        for port, account in zip(self.ports, self.venue.accounts, strict=True):
            port.gateway.restart(self.venue, account)
            port.stream.restart()

    async def run(self) -> None:
        """Moves the market until cancelled. Time lost to a busy machine is not made up for."""
        before = time.monotonic()
        while True:
            await asyncio.sleep(max(0.0, BEAT_S - (time.monotonic() - before)))
            now = time.monotonic()
            passed, before = min(now - before, 2 * BEAT_S), now
            self.venue.pass_real(passed)
            self._debt_s += passed * self.venue.clock.speed
            whole = int(self._debt_s / STEP_S)
            self._debt_s -= whole * STEP_S
            await self._steps(whole)
            self.hub.publish()
            if self._keeper:
                self._keeper.pass_real(passed, self._kept())

    async def advance(self, seconds: float) -> None:
        """Moves virtual time at once, whatever the speed; rounded down to whole steps."""
        await self._steps(int(seconds / STEP_S))
        self.hub.publish()

    def _kept(self) -> Kept:
        return Kept(self.venue, [port.gateway.gtt for port in self.ports])

    async def _steps(self, count: int) -> None:
        venue = self.venue
        while count > 0 and venue is self.venue:  # a reset in between ends the move
            now = min(count, STEPS_AT_ONCE)
            venue.step(now * STEP_S)
            count -= now
            await asyncio.sleep(0)


async def listen(side: RestSide | StreamSide, host: str, port: int) -> int:
    try:
        return await side.start(host, port)
    except OSError as error:
        raise PortInUseError(port_sentence(port, error)) from error


def port_sentence(port: int, error: OSError) -> str:
    return f"Port {port} cannot be used ({error.strerror}): stop what holds it, or choose other ports."
