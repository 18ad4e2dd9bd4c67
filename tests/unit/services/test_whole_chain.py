"""Totals of a whole expiry: quotes of the strikes that no page shows, and on how many strikes the figures rest."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.contracts import Kind
from app.ports.feed import FeedMode
from app.ports.gateway import TimedOut
from app.services.chain_view import ChainTotals
from app.services.chain_whole import whole_interest
from tests.unit.services.market_fakes import EXPIRY, chain, option, quote
from tests.unit.services.test_option_chains import World, side

PAGE = "quotes 84"
"""What the page of a chain shows: 41 strikes, the index and its future."""


@pytest.fixture
def world() -> World:
    world = World()
    world.load()
    return world


def quoted(world: World, **units: int) -> None:
    """Let the gateway say so much open interest, and the same volume, of CE25000, PE25000 and the like."""
    world.gateways.of(1).priced |= {
        option(int(name[2:]), Kind(name[:2])).key: quote("100", open_interest=each, volume=each)
        for name, each in units.items()
    }


def look(world: World, seconds: float = 0.5, *, every_s: float = 0.5) -> None:
    """Somebody looks for so long, and each step has its time."""
    for _ in range(round(seconds / every_s)):
        world.chains.looked_at("NIFTY", EXPIRY)
        world.chains.step()
        world.clock.advance(every_s)


def totals(world: World) -> ChainTotals:
    found = world.chains.view("NIFTY", EXPIRY).totals
    assert found is not None
    return found


def asked(world: World) -> list[str]:
    return [call for call in world.gateways.of(1).calls if call.startswith("quotes")]


def test_totals_are_of_the_whole_expiry_and_say_on_how_many_strikes_they_rest(world: World) -> None:
    quoted(world, CE25000=100, PE25000=100, CE23500=50, PE23500=650, CE26500=1_000, PE26500=0, CE26450=70_000)
    look(world)
    assert (totals(world).oi_strikes, totals(world).listed, totals(world).pcr) == (1, 61, Decimal(1))
    look(world)
    found = totals(world)
    assert (found.oi_strikes, found.volume_strikes) == (3, 3), "of 26450 nobody knows the puts"
    assert (found.call_oi, found.put_oi) == (1_150, 750)
    assert found.pcr == found.pcr_volume == Decimal(750) / Decimal(1_150)
    assert found.max_pain == Decimal(25_000)


def test_a_side_that_is_not_listed_has_no_open_interest_and_hides_none() -> None:
    world = World()
    listed = world.gateways.of(1).listed
    listed["NFO"] = [each for each in listed["NFO"] if each.key != option(25_050, Kind.PE).key]
    world.load()
    quoted(world, CE25050=200, CE25000=100, PE25000=150)
    look(world)
    assert (totals(world).oi_strikes, totals(world).call_oi, totals(world).put_oi) == (2, 300, 150)


def test_far_strikes_are_quoted_each_minute_in_small_lots() -> None:
    world = World()
    world.gateways.of(1).listed["NFO"] += chain(20_500, 23_450, 50)
    world.load()
    look(world, 60)
    first = asked(world)
    assert [call for call in first if call != PAGE] == ["quotes 60", "quotes 60", "quotes 40"]
    assert first.count(PAGE) >= 10, "those near the money do not wait for them"
    look(world, 20)
    assert "quotes 60" in asked(world)[len(first) :]


def test_a_lot_that_could_not_be_quoted_is_asked_again(world: World) -> None:
    quoted(world, CE23500=50, PE23500=650)
    look(world)
    gateway = world.gateways.of(1)
    gateway.broken = TimedOut("The gateway did not answer in time.")
    look(world, 2)
    gateway.broken = None
    look(world, 30)
    assert totals(world).oi_strikes == 1


def test_while_time_is_short_far_strikes_of_a_watched_chain_are_not_quoted(world: World) -> None:
    """Those that are held, watched or shown in depth are."""
    held, shown = option(24_050, Kind.CE).key, option(25_900, Kind.PE).key
    world.feed.want("risk", [held], FeedMode.DEPTH)
    world.chains.limit(reach=3)
    world.chains.depth(shown)
    look(world, 8)
    assert set(asked(world)) == {f"quotes {2 * 7 + 2 * 2 + 2}"}
    assert {held, shown} <= world.gateways.of(1).asked
    world.chains.limit()
    look(world, 8)
    assert PAGE in asked(world)


def test_open_interest_that_nobody_says_any_more_is_forgotten(world: World) -> None:
    quoted(world, CE25000=100, PE25000=100)
    look(world)
    world.gateways.of(1).priced.clear()
    look(world, 590, every_s=5.0)
    assert totals(world).oi_strikes == 1
    look(world, 60, every_s=5.0)
    [row] = [row for row in world.chains.view("NIFTY", EXPIRY).rows if row.is_atm]
    assert side(row, Kind.CE).oi is None
    assert (totals(world).oi_strikes, totals(world).volume_strikes, totals(world).pcr) == (0, 0, None)


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 10_000)), min_size=1, max_size=20))
def test_max_pain_is_where_holders_are_paid_the_least(open_interest: list[tuple[int, int]]) -> None:
    strikes = [25_000 + 50 * place for place in range(len(open_interest))]

    def paid(at: int) -> int:
        return sum(
            calls * max(0, at - strike) + puts * max(0, strike - at)
            for strike, (calls, puts) in zip(strikes, open_interest, strict=True)
        )

    known = [(Decimal(strike), *units) for strike, units in zip(strikes, open_interest, strict=True)]
    found = whole_interest(known).max_pain
    if not any(calls or puts for calls, puts in open_interest):
        assert found is None
    else:
        assert found is not None
        assert int(found) == min(strikes, key=lambda strike: (paid(strike), strike))
