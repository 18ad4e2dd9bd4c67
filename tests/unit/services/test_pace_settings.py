"""How fast and wide an account is sent to: its own figure, a strategy's own, else the settings'."""

from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from app.persistence.tables import Strategy, TradingAccount
from app.services.pace_settings import PaceSettings
from tests.unit.services.order_world import OrderWorld


@pytest.fixture
def world(tmp_path: Path) -> OrderWorld:
    return OrderWorld(tmp_path, accounts=2)


@pytest.fixture
def paces(world: OrderWorld) -> PaceSettings:
    return PaceSettings(world.database, 8, 4)


def test_what_nobody_set_is_as_the_settings_say(paces: PaceSettings) -> None:
    assert (paces.rate(1), paces.max_workers(1)) == (8, 4)


def test_an_accounts_own_rate_is_its_own(world: OrderWorld, paces: PaceSettings) -> None:
    with world.database.transaction() as session:
        session.get_one(TradingAccount, 2).orders_per_second = 3
    assert (paces.rate(1), paces.rate(2)) == (8, 3)


def test_a_strategys_own_width_holds_in_every_account(world: OrderWorld, paces: PaceSettings) -> None:
    with world.database.transaction() as session:
        session.get_one(Strategy, 1).max_workers = 1
    assert paces.max_workers(1) == 1


@pytest.mark.parametrize("most", [0, 11])
def test_no_figure_outside_what_exchanges_take_is_stored(world: OrderWorld, most: int) -> None:
    with pytest.raises(IntegrityError), world.database.transaction() as session:
        session.get_one(TradingAccount, 1).orders_per_second = most
