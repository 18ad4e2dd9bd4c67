"""The order of accounts as sources of prices, and the one click that adds the simulator's."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from app.domain.errors import Conflict
from app.domain.plan import Mode
from app.persistence.tables import TradingAccount
from app.ports.simulator import SimulatorAccount
from tests.desk_app import Bench, PretendGateway, bench


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Bench]:
    with bench(tmp_path) as made:
        yield made


def stored(desk: Bench) -> list[TradingAccount]:
    with desk.database.reading() as session:
        return list(session.scalars(select(TradingAccount).order_by(TradingAccount.feed_rank)))


def test_the_order_of_the_feed(desk: Bench) -> None:
    ids = [desk.account(f"Account {n}", 5100 + n)[0] for n in range(4)]
    browser = desk.admin()
    order = desk.desk.accounts.feed_order
    assert order() == ids
    browser.post(f"/accounts/{ids[2]}/make_primary")
    assert order() == [ids[2], ids[0], ids[1], ids[3]]
    browser.post(f"/accounts/{ids[1]}/move", {"direction": "up", "place": "3"})
    assert order() == [ids[2], ids[1], ids[0], ids[3]]
    browser.post(f"/accounts/{ids[2]}/move", {"direction": "up", "place": "1"})
    browser.post(f"/accounts/{ids[3]}/move", {"direction": "down", "place": "4"})
    assert order() == [ids[2], ids[1], ids[0], ids[3]]
    browser.post(f"/accounts/{ids[2]}/move", {"direction": "down", "place": "1"})
    assert order() == [ids[1], ids[2], ids[0], ids[3]]
    browser.post(f"/accounts/{ids[2]}/move", {"direction": "down", "place": "1"})
    assert "Nothing was moved now" in browser.get("/accounts/").text, "the same click once more"
    assert order() == [ids[1], ids[2], ids[0], ids[3]]
    browser.post(f"/accounts/{ids[1]}/archive")
    assert [account.feed_rank for account in desk.desk.accounts.active()] == [0, 1, 2]
    assert browser.post(f"/accounts/{ids[2]}/move", {"direction": "sideways", "place": "2"}).status_code == 422


def test_one_click_adds_the_simulators_accounts_once(desk: Bench) -> None:
    for n in range(5):
        host = f"http://127.0.0.1:{6001 + n}"
        desk.net.at[host] = PretendGateway(key=f"sim-{n}")
        desk.simulator.listed.append(
            SimulatorAccount(f"Simulator {n + 1}", host, f"ws://127.0.0.1:{9001 + n}", f"sim-{n}")
        )
    browser = desk.admin()
    offer = "Add the simulator&#39;s accounts"
    assert offer in browser.get("/accounts/").text
    browser.post("/accounts/simulator")
    page = browser.get("/accounts/").text
    assert "Added 5 accounts of the simulator." in page
    assert offer not in page
    browser.post("/accounts/simulator")
    assert len(stored(desk)) == 5
    assert {account.broker for account in stored(desk)} == {"simulator"}


def test_the_simulators_accounts_come_all_or_none(desk: Bench) -> None:
    for n in range(5):
        host = f"http://127.0.0.1:{6001 + n}"
        if n < 4:
            desk.net.at[host] = PretendGateway(key=f"sim-{n}")
        desk.simulator.listed.append(
            SimulatorAccount(f"Simulator {n + 1}", host, f"ws://127.0.0.1:{9001 + n}", f"sim-{n}")
        )
    browser = desk.admin()
    browser.post("/accounts/simulator")
    assert "Nothing can be reached" in browser.get("/accounts/").text
    assert stored(desk) == []


def test_what_answers_for_the_simulator_must_be_it(desk: Bench) -> None:
    desk.net.at["http://127.0.0.1:6001"] = PretendGateway("zerodha", Mode.LIVE)
    desk.simulator.listed.append(SimulatorAccount("Simulator 1", "http://127.0.0.1:6001", "ws://127.0.0.1:9001", "sim"))
    assert desk.admin().post("/accounts/simulator").status_code == 503
    assert stored(desk) == []


def test_without_a_simulator_there_is_none_to_add(desk: Bench) -> None:
    desk.desk.accounts._simulator = None
    desk.admin()
    assert not desk.desk.accounts.simulator_offered()
    with pytest.raises(Conflict, match="No simulator"):
        desk.desk.accounts.add_simulator(desk.somebody("asha"))
