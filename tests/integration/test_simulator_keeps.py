"""A simulator that is started again goes on where it stopped: same books, same moment, same prices."""

import contextlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live_desk import eventually
from tests.simulator_process import SimulatorFailedError, SimulatorProcess, start_simulator


def books(simulator: SimulatorProcess) -> list[dict[str, Any]]:
    return [simulator.truth(number) for number in (1, 2)]


def spot(simulator: SimulatorProcess) -> float:
    quote = simulator.api(1, "quotes", {"symbol": "NIFTY", "exchange": "NSE_INDEX"})[1]
    return float(quote["data"]["ltp"])


def trade(simulator: SimulatorProcess) -> None:
    """A filled order in the first account, one that rests in the second."""
    symbol = symbol_of(simulator)
    order = {"strategy": "test", "exchange": "NFO", "symbol": symbol, "product": "NRML", "quantity": 65}
    filled = simulator.api(1, "placeorder", {**order, "action": "SELL", "pricetype": "MARKET", "price": 0})
    resting = simulator.api(2, "placeorder", {**order, "action": "BUY", "pricetype": "LIMIT", "price": 0.05})
    assert (filled[0], resting[0]) == (200, 200), (filled, resting)
    eventually(lambda: simulator.truth(1)["positions"], "the order is filled")


def symbol_of(simulator: SimulatorProcess) -> str:
    found = simulator.api(1, "optionsymbol", {
        "underlying": "NIFTY", "exchange": "NSE_INDEX", "expiry_date": "23NOV26", "offset": "ATM", "option_type": "CE",
    })  # fmt: skip
    assert found[0] == 200, found
    return str(found[1]["symbol"])


@contextlib.contextmanager
def killed_in_the_end(*arguments: str) -> Iterator[SimulatorProcess]:
    """Its context says of a process that was killed that it did not end when asked."""
    with contextlib.suppress(SimulatorFailedError), start_simulator(*arguments, accounts=2) as simulator:
        yield simulator
        simulator.process.kill()
        simulator.process.wait()


def test_what_was_killed_or_stopped_goes_on(tmp_path: Path) -> None:
    state = tmp_path / "simulator.state"
    how = ("--state", str(state), "--speed", "0")
    with killed_in_the_end(*how) as first:
        trade(first)
        before, traded = books(first), time.time_ns()
        eventually(lambda: state.exists() and state.stat().st_mtime_ns > traded, "it is written down", 15)
    with start_simulator(*how, accounts=2) as second:
        assert books(second) == before
        second.move_index("NIFTY", percent=1.0)
        moment, price = second.get("/clock")["now"], spot(second)
        before = books(second)
    with start_simulator(*how, accounts=2) as third:
        assert books(third) == before
        assert (third.get("/clock")["now"], spot(third)) == (moment, price)
        assert [account.api_key for account in third.accounts] == [account.api_key for account in first.accounts]


def test_a_file_that_cannot_be_read_is_said_and_kept(tmp_path: Path) -> None:
    state = tmp_path / "simulator.state"
    state.write_bytes(b"not what it wrote")
    with pytest.raises(SimulatorFailedError, match="Delete it"), start_simulator("--state", str(state), accounts=2):
        pass
    assert state.read_bytes() == b"not what it wrote"


def test_one_that_finds_its_port_taken_writes_over_nothing(tmp_path: Path) -> None:
    state = tmp_path / "simulator.state"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        how = ("--state", str(state), "--rest-port", str(port))
        with pytest.raises(SimulatorFailedError, match="cannot be used"), start_simulator(*how, accounts=1):
            pass
    assert not state.exists()
