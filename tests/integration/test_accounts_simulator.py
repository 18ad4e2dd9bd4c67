"""Accounts added over the wire: the whole application, its real client, and the simulator as a process."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from app import create_app
from app.domain.errors import InvalidInput
from app.persistence.database import Table
from app.persistence.tables import TradingAccount
from app.services.accounts import AccountForm, Accounts
from app.web.desk import EXTENSION, Desk
from config import testing_settings
from tests.simulator_process import SimulatorProcess


@dataclass(frozen=True)
class Asha:
    id: int = 1
    username: str = "asha"
    is_admin: bool = True


ASHA = Asha()


@pytest.fixture
def desk(simulator: SimulatorProcess, tmp_path: Path) -> Iterator[Desk]:
    settings = testing_settings().with_(
        database_url=f"sqlite:///{tmp_path / 'desk.sqlite3'}", simulator_url=simulator.control
    )
    made: Desk = create_app(settings).extensions[EXTENSION]
    Table.metadata.create_all(made.database.engine)
    made.people.register_first(settings.setup_token, "asha", "three quiet elephants")
    yield made
    made.database.engine.dispose()


@pytest.fixture
def accounts(desk: Desk) -> Accounts:
    return desk.accounts


def form_of(simulator: SimulatorProcess, number: int = 1, /, **changes: str) -> AccountForm:
    account = simulator.accounts[number - 1]
    typed = {"name": "Mine", "host_url": account.host, "websocket_url": account.ws_url, "api_key": account.api_key}
    return replace(AccountForm("", "", "", ""), **(typed | changes))  # type: ignore[arg-type]


def test_one_click_adds_the_five(desk: Desk, simulator: SimulatorProcess) -> None:
    assert desk.accounts.simulator_offered()
    assert desk.accounts.add_simulator(ASHA) == 5
    assert not desk.accounts.simulator_offered()
    assert {account.broker for account in desk.accounts.active()} == {"simulator"}
    with desk.database.reading() as session:
        locked = [account.locked_key for account in session.query(TradingAccount)]
    for account in simulator.accounts:
        assert not any(account.api_key in text for text in locked)
    for book in (desk.book_pages.orders, desk.book_pages.positions, desk.book_pages.holdings, desk.book_pages.funds):
        assert [source.reason for source in book(ASHA).sources] == [None] * 5
    funds = desk.book_pages.funds(ASHA).summary
    assert funds is not None
    assert funds.available is not None
    assert funds.available > 0


def test_each_way_to_be_wrong_has_its_own_words(accounts: Accounts, simulator: SimulatorProcess) -> None:
    first, second = simulator.accounts[:2]
    cases: list[tuple[dict[str, str], str, str]] = [
        ({"api_key": "wrong"}, "api_key", "does not know this API key"),
        ({"host_url": "http://127.0.0.1:1"}, "host_url", "Nothing can be reached"),
        ({"host_url": "http://no-such-host.invalid"}, "host_url", "Nothing can be reached"),
        ({"host_url": simulator.control}, "host_url", "not OpenAlgo"),
        ({"websocket_url": "ws://127.0.0.1:1"}, "websocket_url", "Nothing can be reached"),
        ({"websocket_url": first.host.replace("http", "ws")}, "websocket_url", "not OpenAlgo's market data port"),
        ({"websocket_url": second.ws_url}, "websocket_url", "another gateway's"),
    ]
    for changes, field, told in cases:
        with pytest.raises(InvalidInput, match=told) as refused:
            accounts.add(ASHA, form_of(simulator, **changes))
        assert refused.value.field == field
        assert first.api_key not in str(refused.value)
    assert accounts.active() == []


def test_a_gateway_that_is_logged_out_is_told_from_a_wrong_key(accounts: Accounts, simulator: SimulatorProcess) -> None:
    simulator.post("/accounts/1/logout")
    with pytest.raises(InvalidInput, match="not logged in to its broker") as refused:
        accounts.add(ASHA, form_of(simulator))
    assert refused.value.field == "host_url"
    simulator.post("/accounts/1/relogin")
    assert accounts.add(ASHA, form_of(simulator)) == 1


def test_the_mode_is_learnt_from_the_gateway(accounts: Accounts, simulator: SimulatorProcess) -> None:
    accounts.add(ASHA, form_of(simulator, 1, name="Live"))
    simulator.post("/accounts/2/mode", mode="analyze")
    accounts.add(ASHA, form_of(simulator, 2, name="Paper"))
    assert [(account.name, account.expected_mode.name) for account in accounts.active()] == [
        ("Live", "LIVE"),
        ("Paper", "PAPER"),
    ]
