"""What a chain's window holds while the money moves, and what is subscribed first when there is not room for all."""

from datetime import date
from decimal import Decimal

import pytest

from app.domain.contracts import Kind
from app.domain.errors import NotFound
from app.ports.feed import FeedMode, Tick
from tests.unit.services.market_fakes import EXPIRY, NIFTY, chain, option
from tests.unit.services.test_option_chains import NEXT, World

HELD = option(23_500, Kind.PE)


@pytest.fixture
def world() -> World:
    world = World()
    world.load()
    return world


def strikes(world: World) -> list[Decimal]:
    return [row.strike for row in world.chains.view("NIFTY", EXPIRY).rows]


def test_the_rows_stay_while_the_money_wanders_and_move_when_it_has_gone_far(world: World) -> None:
    before, layout = strikes(world), world.chains.view("NIFTY", EXPIRY).layout
    world.put(NIFTY, 25_210.0)
    view = world.chains.view("NIFTY", EXPIRY)
    assert (strikes(world), view.layout, view.atm) == (before, layout, Decimal(25_200))
    world.put(NIFTY, 25_260.0)
    view = world.chains.view("NIFTY", EXPIRY)
    assert view.layout != layout
    assert (view.rows[0].strike, view.atm, view.rows[-1].strike) == (Decimal(24_250), Decimal(25_250), Decimal(26_250))


def test_what_is_held_stays_in_view_and_subscribed_however_far_the_money_goes(world: World) -> None:
    world.feed.want("risk", [HELD.key], FeedMode.DEPTH)
    world.chains.looked_at("NIFTY", EXPIRY)
    for spot in (25_012.0, 25_400.0, 26_000.0):
        world.put(NIFTY, spot)
        world.chains.step()
        row = world.chains.view("NIFTY", EXPIRY).rows[0]
        assert row.strike == HELD.strike
        assert row.pe is not None
        assert row.ce is not None
        assert (row.pe.in_use, row.ce.in_use) == (True, False)
        assert world.feed.wants.joined()[HELD.key] is FeedMode.DEPTH
    assert len(strikes(world)) == 32, "31 strikes of the list are at most 20 from the money, and one is held"


def test_the_chain_of_a_later_expiry_is_subscribed_when_something_of_it_is_held(world: World) -> None:
    world.feed.want("risk", [option(25_500, expiry=NEXT).key], FeedMode.DEPTH)
    world.chains.step()
    assert option(25_000, expiry=NEXT).key in world.asked("chains.quote")


def test_of_equal_distance_the_nearer_expiry_comes_first() -> None:
    world = World(budget=10)
    world.load()
    for expiry in (NEXT, EXPIRY):
        world.chains.looked_at("NIFTY", expiry)
    world.chains.step()
    chosen = world.asked("chains.depth") | world.asked("chains.quote")
    assert {contract.key for contract in chain(24_950, 25_000, 50)} <= chosen
    assert {contract.key for contract in chain(25_000, 25_000, 50, NEXT)} <= chosen
    assert len(chosen) == 6


@pytest.mark.parametrize("budget", [4, 17, 60, 200, 500])
def test_no_more_is_subscribed_than_the_budget_unless_it_is_held(budget: int) -> None:
    world = World(budget=budget)
    world.load()
    held = [contract.key for contract in chain(23_500, 23_700, 50)]
    world.feed.want("risk", held, FeedMode.DEPTH)
    for expiry in (EXPIRY, NEXT):
        world.chains.looked_at("NIFTY", expiry)
    world.chains.step()
    everything = world.feed.wants.joined()
    assert set(held) <= everything.keys()
    assert world.asked("chains.spots") <= everything.keys()
    assert len(everything) <= max(budget, len(held) + len(world.asked("chains.spots")))


def test_depth_is_subscribed_while_somebody_asks_for_it(world: World) -> None:
    far = option(25_900).key
    assert world.chains.depth(far) is None
    world.chains.step()
    assert far in world.asked("chains.depth")
    bids, asks = ((3.0, 650), (2.95, 130)), ((3.1, 65),)
    world.board.put(Tick(far, 3.05, None, bids=bids, asks=asks))
    found = world.chains.depth(far)
    assert found is not None
    assert found.bids == ((Decimal("3.0"), 650), (Decimal("2.95"), 130))
    assert (found.asks, found.received) == (((Decimal("3.1"), 65),), world.clock.monotonic())
    world.clock.advance(11)
    world.chains.step()
    assert far not in world.asked("chains.depth")


def test_depth_of_what_is_no_listed_option_is_refused(world: World) -> None:
    for key in (NIFTY, option(25_000, expiry=date(2026, 12, 9)).key):
        with pytest.raises(NotFound, match="not an option"):
            world.chains.depth(key)
