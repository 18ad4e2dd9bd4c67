"""What the simulator keeps between two starts, and what it does not take over."""

from datetime import time
from pathlib import Path

from simulator.keeping import SAVE_EVERY_S, SAVE_WITHIN_S, Keeper, Kept
from simulator.rest_gtt_book import GttBook
from simulator.venue import Venue
from tests.unit.simulator.desk_parts import CALL, MONDAY, ask, first, listed, open_venue, placed

SHAPE = (1, 7)


def kept_in(path: Path, venue: Venue) -> Venue:
    Keeper(path, SHAPE).save(Kept(venue, [GttBook()]))
    found = Keeper(path, SHAPE).load()
    assert found is not None
    return found.venue


def test_books_prices_and_the_day_go_on_alike(tmp_path: Path) -> None:
    venue = open_venue(at=time(15, 38))
    placed(first(venue), ask(action="SELL"))
    placed(first(venue), ask(pricetype="LIMIT", price="1"))
    venue.market.move_index("NIFTY", percent=0.7, over_seconds=30)
    venue.market.scale_wandering(3)
    venue.market.set_price(listed(venue, CALL), 500.0)
    other = kept_in(tmp_path / "state", venue)
    for each in (venue, other):
        each.step(180)  # over the close at 15:40, into the next day
    assert other.clock.trading_date > MONDAY
    assert other.clock.now == venue.clock.now
    assert first(other).orders() == first(venue).orders()
    assert first(other).positions() == first(venue).positions()
    assert other.market.quote(listed(other, CALL)) == venue.market.quote(listed(venue, CALL))
    assert other.market.spot("NIFTY") == venue.market.spot("NIFTY")


def test_a_price_set_by_hand_is_kept_within_the_day(tmp_path: Path) -> None:
    venue = open_venue()
    venue.market.set_price(listed(venue, CALL), 500.0)
    venue.step(30)
    other = kept_in(tmp_path / "state", venue)
    assert other.market.quote(listed(other, CALL)) == venue.market.quote(listed(venue, CALL))
    assert other.market.quote(listed(other, CALL)).ltp > 450


def test_another_shape_or_nothing_is_not_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "state"
    assert Keeper(path, SHAPE).load() is None
    Keeper(path, SHAPE).save(Kept(open_venue(), [GttBook()]))
    assert Keeper(path, (2, 7)).load() is None


def test_a_change_is_saved_soon_the_moment_now_and_then_and_nothing_in_the_middle(tmp_path: Path) -> None:
    path, venue = tmp_path / "state", open_venue()
    keeper, kept = Keeper(path, SHAPE), Kept(venue, [GttBook()])
    keeper.watch(venue)
    keeper.pass_real(SAVE_EVERY_S - 0.1, kept)
    assert not path.exists()
    placed(first(venue), ask())
    venue.timers.after(5, lambda: None)
    keeper.pass_real(SAVE_WITHIN_S, kept)
    assert not path.exists(), "something is under way"
    venue.timers.pass_real(5)
    keeper.pass_real(SAVE_WITHIN_S, kept)
    assert path.exists()
