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
def settings(world: OrderWorld) -> PaceSettings:
    return PaceSettings(world.database, 8, 4)


def test_what_nobody_set_is_as_the_settings_say(settings: PaceSettings) -> None:
    paces = settings.now()
    assert (paces.rate_of(1), paces.width_of(1), paces.width_of(None)) == (8, 4, 4)


def test_an_accounts_own_rate_is_its_own(world: OrderWorld, settings: PaceSettings) -> None:
    with world.database.transaction() as session:
        session.get_one(TradingAccount, 2).orders_per_second = 3
    paces = settings.now()
    assert (paces.rate_of(1), paces.rate_of(2)) == (8, 3)


def test_a_strategys_own_width_holds_in_every_account(world: OrderWorld, settings: PaceSettings) -> None:
    with world.database.transaction() as session:
        session.get_one(Strategy, 1).max_workers = 1
    assert settings.now().width_of(1) == 1


@pytest.mark.parametrize("most", [0, 11])
def test_no_figure_outside_what_exchanges_take_is_stored(world: OrderWorld, most: int) -> None:
    with pytest.raises(IntegrityError), world.database.transaction() as session:
        session.get_one(TradingAccount, 1).orders_per_second = most
