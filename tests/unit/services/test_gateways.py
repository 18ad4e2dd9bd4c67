"""One gateway object per account and address, however many threads ask for it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from app.domain.errors import Misconfigured, NotFound
from app.persistence.database import Database, Table, prepare_sqlite
from app.persistence.tables import TradingAccount, User
from app.ports.gateway import GatewayAddress
from app.services.gateways import Gateways
from tests.unit.services.market_fakes import FakeGateway

NOW = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)


class PlainVault:
    """Locks by writing the owner in front, which is enough to see that the right owner is asked for."""

    def lock(self, plain: str, *, owner: str) -> str:
        return f"{owner}|{plain}"

    def unlock(self, locked: str, *, owner: str) -> str:
        known, _, plain = locked.partition("|")
        if known != owner:
            raise Misconfigured("This key belongs to another account.")
        return plain


class Factory:
    def __init__(self) -> None:
        self.made: list[tuple[GatewayAddress, FakeGateway]] = []

    def __call__(self, address: GatewayAddress) -> FakeGateway:
        gateway = FakeGateway()
        self.made.append((address, gateway))
        return gateway


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    engine = create_engine(f"sqlite:///{tmp_path / 'desk.sqlite3'}")
    prepare_sqlite(engine)
    Table.metadata.create_all(engine)
    database = Database(engine)
    with database.transaction() as session:
        session.add(User(id=1, username="asha", password_hash="x", role="admin", active=True, created_at=NOW))
        session.flush()
        session.add(account(1))
    yield database
    engine.dispose()


def account(number: int) -> TradingAccount:
    return TradingAccount(
        id=number,
        owner_id=1,
        name=f"Sim {number}",
        broker="simulator",
        host_url=f"http://127.0.0.1:{5000 + number}",
        websocket_url=f"ws://127.0.0.1:{8764 + number}",
        locked_key=f"account:{number}|secret-{number}",
        expected_mode="live",
        state="ACTIVE",
        feed_rank=0,
        created_at=NOW,
    )


@pytest.fixture
def factory() -> Factory:
    return Factory()


@pytest.fixture
def gateways(database: Database, factory: Factory) -> Gateways:
    return Gateways(database, PlainVault(), factory)  # type: ignore[arg-type]


def test_the_address_holds_the_unlocked_key_and_does_not_show_it(gateways: Gateways) -> None:
    address = gateways.address(1)
    assert (address.host_url, address.websocket_url) == ("http://127.0.0.1:5001", "ws://127.0.0.1:8765")
    assert address.api_key == "secret-1"
    assert "secret-1" not in repr(address)
    assert gateways.name(1) == "Sim 1"


def test_many_threads_get_one_gateway(gateways: Gateways, factory: Factory) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(gateways.of, [1] * 40))
    assert len({id(gateway) for gateway in found}) == 1
    assert len(factory.made) == 1


def test_an_unknown_account_is_named(gateways: Gateways) -> None:
    with pytest.raises(NotFound, match="number 9"):
        gateways.of(9)


def test_forgetting_makes_a_new_gateway_from_the_new_address(
    gateways: Gateways, factory: Factory, database: Database
) -> None:
    old = gateways.of(1)
    with database.transaction() as session:
        session.get_one(TradingAccount, 1).host_url = "http://127.0.0.1:6001"
    assert gateways.of(1) is old
    gateways.forget(1)
    assert gateways.address(1).host_url == "http://127.0.0.1:6001"
    assert factory.made[0][1].closed


def test_a_change_by_another_process_is_noticed(gateways: Gateways, factory: Factory, database: Database) -> None:
    gateways.of(1)
    assert gateways.step() > 0
    assert len(factory.made) == 1
    with database.transaction() as session:
        session.get_one(TradingAccount, 1).locked_key = "account:1|another"
    gateways.step()
    assert gateways.address(1).api_key == "another"


def test_a_key_that_cannot_be_unlocked_is_said_and_not_kept(gateways: Gateways, database: Database) -> None:
    with database.transaction() as session:
        session.get_one(TradingAccount, 1).locked_key = "account:2|stolen"
    with pytest.raises(Misconfigured):
        gateways.of(1)
    with database.transaction() as session:
        session.get_one(TradingAccount, 1).locked_key = "account:1|right"
    assert gateways.address(1).api_key == "right"
