"""Our client against the simulator: what a contract did minute by minute, and the days on which none trades."""

from collections.abc import Iterator
from datetime import date

import pytest

from app.adapters.clock import SystemClock
from app.adapters.openalgo.client import OpenAlgoGateway
from app.domain.calendar import IST
from app.domain.calendar_hours import judged_holidays
from app.domain.contracts import ContractKey
from app.ports.gateway import GatewayAddress, GatewayRefused
from tests.simulator_process import SimulatorProcess

NIFTY = ContractKey("NSE_INDEX", "NIFTY")
FRIDAY, SATURDAY, SUNDAY, MONDAY = (date(2026, 11, day) for day in (20, 21, 22, 23))


@pytest.fixture
def gateway(simulator: SimulatorProcess) -> Iterator[OpenAlgoGateway]:
    account = simulator.accounts[0]
    opened = OpenAlgoGateway(GatewayAddress(account.host, account.ws_url, account.api_key), SystemClock())
    yield opened
    opened.close()


def test_minutes_of_an_index_and_of_a_contract(gateway: OpenAlgoGateway) -> None:
    contract = gateway.contracts("NFO", ["NIFTY"])[0]
    for key in (NIFTY, contract.key):
        found = gateway.minute_history(key, FRIDAY, MONDAY)
        assert {bar.opens.astimezone(IST).date() for bar in found.bars} >= {FRIDAY}
        assert [bar.opens for bar in found.bars] == sorted({bar.opens for bar in found.bars})
        assert all(bar.prices.low <= bar.prices.close <= bar.prices.high for bar in found.bars)
        assert f"{found.bars[0].opens.astimezone(IST):%H:%M}" >= "09:15"
        assert found.dropped == 0


def test_a_day_off_has_no_minutes(gateway: OpenAlgoGateway) -> None:
    assert gateway.minute_history(NIFTY, SATURDAY, SUNDAY).bars == ()


def test_holidays_of_a_year_that_the_gateway_knows_and_of_one_that_it_does_not(gateway: OpenAlgoGateway) -> None:
    known = judged_holidays(2026, gateway.holidays(2026))
    assert (known.is_known, known.trouble) == (True, "")
    assert not judged_holidays(2027, gateway.holidays(2027)).is_known


def test_an_unknown_contract_has_no_history(gateway: OpenAlgoGateway) -> None:
    with pytest.raises(GatewayRefused, match="not found"):
        gateway.minute_history(ContractKey("NFO", "NOPE"), FRIDAY, FRIDAY)
