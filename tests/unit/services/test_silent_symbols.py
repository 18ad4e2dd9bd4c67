"""A contract that falls silent while its neighbours tick is named in time, and told from one that nobody trades."""

from collections.abc import Sequence
from decimal import Decimal

import pytest

from app.domain.books import Quote
from app.domain.contracts import ContractKey
from app.domain.errors import Unavailable
from app.ports.feed import Tick
from app.services.price_board import PriceBoard
from app.services.silent_symbols import Silence, SilentSymbols
from tests.unit.services.feed_desk import CALL, PUT
from tests.unit.services.market_fakes import NIFTY, FakeClock, quote

SENSEX = ContractKey("BSE_INDEX", "SENSEX")


class Market:
    """Pushed ticks of a few contracts, and a gateway that quotes."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.board = PriceBoard(self.clock)
        self.confirmed = frozenset({NIFTY, CALL, PUT})
        self.since: float | None = self.clock.monotonic()
        self.quotes: dict[ContractKey, Quote] = {}
        self.asked: list[ContractKey] = []
        self.renewed: list[ContractKey] = []
        self.away = False
        self.silent = SilentSymbols(
            self.board, lambda: self.confirmed, lambda: self.since, self._fetch, self.renewed.extend, self.clock
        )  # fmt: skip

    def _fetch(self, keys: Sequence[ContractKey]) -> dict[ContractKey, Quote]:
        self.asked += keys
        if self.away:
            raise Unavailable("no gateway answers")
        found = {key: self.quotes[key] for key in keys if key in self.quotes}
        for key, each in found.items():
            self.board.seed(key, each, "quote of Account 1", asked=self.clock.monotonic())
        return found

    def run(self, seconds: float, *ticking: ContractKey) -> float:
        """Seconds until something was found, or all of them."""
        for tenth in range(round(seconds * 10)):
            for key in ticking:
                self.board.put(Tick(key, 100.0, None, volume=10), "feed of Account 1")
            self.silent.step()
            self.silent.ask_step()
            self.clock.advance(0.1)
            if self.silent.found():
                return tenth / 10
        return seconds

    def found(self) -> dict[ContractKey, Silence]:
        return {each.key: each.silence for each in self.silent.found()}


@pytest.fixture
def market() -> Market:
    made = Market()
    made.run(2, NIFTY, CALL, PUT)
    return made


def test_row_19_a_silent_contract_is_named_within_six_seconds_and_quoted(market: Market) -> None:
    market.quotes[PUT] = quote("104")
    assert market.run(8, NIFTY, CALL) <= 6
    assert market.asked == [PUT]
    market.run(0.5, NIFTY, CALL)
    assert market.found() == {PUT: Silence.UNPUSHED}
    assert "its pushes are missing" in market.silent.found()[0].words
    price = market.board.latest(PUT)
    assert price is not None
    assert price.ltp == Decimal(104), "decisions have the quote"


def test_one_that_nobody_trades_is_only_quiet(market: Market) -> None:
    market.quotes[PUT] = quote("100", volume=10)
    market.run(8, NIFTY, CALL)
    market.run(0.5, NIFTY, CALL)
    assert market.found() == {PUT: Silence.QUIET}


def test_one_that_traded_at_the_same_price_is_not_quiet(market: Market) -> None:
    market.quotes[PUT] = quote("100", volume=11)
    market.run(8, NIFTY, CALL)
    market.run(0.5, NIFTY, CALL)
    assert market.found() == {PUT: Silence.UNPUSHED}


def test_one_that_trades_unpushed_is_subscribed_anew_three_times_and_then_only_quoted(market: Market) -> None:
    market.quotes |= {PUT: quote("104"), CALL: quote("100", volume=10)}
    for _ in range(600):
        market.run(0.1, NIFTY)
    assert market.renewed == [PUT] * 3
    assert len(market.asked) > 6, "both are quoted all the while"
    market.run(2, NIFTY, CALL, PUT)
    market.run(8, NIFTY, CALL)
    market.run(0.5, NIFTY, CALL)
    assert market.renewed == [PUT] * 4, "what came back and fell silent again begins anew"


def test_it_is_over_with_the_next_tick(market: Market) -> None:
    market.run(8, NIFTY, CALL)
    market.board.put(Tick(PUT, 101.0, None), "feed of Account 1")
    market.silent.step()
    assert market.found() == {}


def test_without_an_answer_it_stays_silent_and_is_asked_for_again(market: Market) -> None:
    market.away = True
    market.run(8, NIFTY, CALL)
    for _ in range(25):
        market.run(0.1, NIFTY, CALL)
    assert market.found() == {PUT: Silence.NEW}
    assert market.asked == [PUT, PUT], "every two seconds until there is an answer"


def test_one_whose_neighbours_paused_is_judged_anew_at_once(market: Market) -> None:
    market.quotes[PUT] = quote("104")
    market.run(8, NIFTY, CALL)
    market.run(0.5, NIFTY, CALL)
    assert market.found() == {PUT: Silence.UNPUSHED}
    market.clock.advance(3)
    market.silent.step()
    assert market.found() == {}, "the whole feed pauses"
    for _ in range(30):
        market.run(0.1, NIFTY, CALL)
    assert market.found() == {PUT: Silence.UNPUSHED}


def test_a_feed_that_is_silent_as_a_whole_is_another_fault(market: Market) -> None:
    market.run(20)
    assert market.found() == {}


def test_neighbours_are_of_the_same_market(market: Market) -> None:
    market.confirmed = frozenset({CALL, PUT, SENSEX})
    market.run(20, SENSEX)
    assert market.found() == {}


def test_a_quote_is_no_tick(market: Market) -> None:
    for _ in range(70):
        market.run(0.1, NIFTY, CALL)
        market.board.seed(PUT, quote("100"), "quote of Account 1", asked=market.clock.monotonic())
    assert PUT in market.found()


def test_a_closed_market_makes_nobody_silent_and_an_open_one_gives_time(market: Market) -> None:
    market.since = None
    market.run(60, NIFTY)
    assert market.found() == {}
    market.since = market.clock.monotonic()
    assert market.run(4.5, NIFTY, CALL) == 4.5


def test_a_contract_that_was_just_subscribed_has_its_time(market: Market) -> None:
    market.run(10, NIFTY, CALL, PUT)
    new = ContractKey("NFO", "NIFTY01DEC2625100CE")
    market.confirmed |= {new}
    assert 5 <= market.run(8, NIFTY, CALL, PUT) <= 6
    assert market.found() == {new: Silence.NEW}
