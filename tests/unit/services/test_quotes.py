"""A price for a decision: fresh from the board, else quoted by a gateway, else refused by name."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest

from app.domain.contracts import ContractKey
from app.domain.errors import NoFreshPrice, NotFound
from app.ports.feed import Tick
from app.ports.gateway import TimedOut, Unreachable
from app.services.price_board import PriceBoard
from app.services.quotes import Quotes
from tests.unit.services.market_fakes import MONDAY_1030, NIFTY, FakeClock, FakeGateways, quote

CALL = ContractKey("NFO", "NIFTY01DEC2625000CE")
PUT = ContractKey("NFO", "NIFTY01DEC2625000PE")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def board(clock: FakeClock) -> PriceBoard:
    return PriceBoard(clock)


@pytest.fixture
def gateways() -> FakeGateways:
    gateways = FakeGateways(1, 2, 3, 9)
    for number, gateway in gateways.gateways.items():
        gateway.priced = {CALL: quote(f"{200 + number}", bid="199", ask="201"), NIFTY: quote("25012.40")}
    return gateways


@pytest.fixture
def quotes(board: PriceBoard, gateways: FakeGateways, clock: FakeClock) -> Quotes:
    return Quotes(board, gateways, lambda: [1, 2, 3], clock)  # type: ignore[arg-type]


def put(board: PriceBoard, key: ContractKey = CALL, ltp: float = 150.0, *, touch: bool = True) -> None:
    bids, asks = (((ltp - 0.5, 65),), ((ltp + 0.5, 65),)) if touch else ((), ())
    board.put(Tick(key, ltp, None, bids=bids, asks=asks), "feed of Sim 1")


def asked(gateways: FakeGateways) -> list[int]:
    return [number for number, gateway in gateways.gateways.items() if gateway.calls]


def test_a_fresh_touch_comes_from_the_board_without_a_call(
    quotes: Quotes, board: PriceBoard, gateways: FakeGateways, clock: FakeClock
) -> None:
    put(board)
    clock.advance(2.9)
    touch = quotes.touch(CALL)
    assert (touch.bid, touch.ask, touch.last.value) == (Decimal("149.5"), Decimal("150.5"), Decimal("150.0"))
    assert (touch.last.source, touch.last.received_at) == ("feed of Sim 1", MONDAY_1030)
    assert asked(gateways) == []


def test_an_old_price_is_quoted_anew_and_put_on_the_board(
    quotes: Quotes, board: PriceBoard, gateways: FakeGateways, clock: FakeClock
) -> None:
    put(board)
    clock.advance(3.1)
    touch = quotes.touch(CALL)
    assert (touch.bid, touch.last.value, touch.last.source) == (Decimal(199), Decimal(201), "quote of Account 1")
    assert board.age_s(CALL) == 0
    quotes.touch(CALL)
    assert gateways.of(1).calls == ["quotes 1"], "the second time the board has it"


def test_a_gateway_is_asked_whatever_the_board_has(quotes: Quotes, board: PriceBoard, gateways: FakeGateways) -> None:
    put(board)
    assert quotes.from_gateway(CALL).last.value == Decimal(201)
    for gateway in gateways.gateways.values():
        gateway.broken = Unreachable("It cannot be reached.")
    with pytest.raises(NoFreshPrice, match=f"{CALL.symbol} has no price. It cannot be reached"):
        quotes.from_gateway(CALL)


def test_a_young_price_with_an_old_touch_is_quoted_anew(quotes: Quotes, board: PriceBoard, clock: FakeClock) -> None:
    put(board)
    clock.advance(4)
    put(board, touch=False)
    assert quotes.touch(CALL).bid == Decimal(199)


def test_a_touch_is_as_old_as_its_oldest_part(quotes: Quotes, board: PriceBoard, clock: FakeClock) -> None:
    put(board)
    clock.advance(2)
    put(board, touch=False)
    assert quotes.touch(CALL).last.received_at == clock.now() - timedelta(seconds=2)


def test_one_without_anybody_bidding_comes_back_without_a_bid(quotes: Quotes, gateways: FakeGateways) -> None:
    gateways.of(1).priced[PUT] = quote("80", ask="80.5")
    touch = quotes.touch(PUT)
    assert (touch.bid, touch.ask) == (None, Decimal("80.5"))


def test_the_next_data_account_is_asked_and_the_failed_one_rests(
    quotes: Quotes, gateways: FakeGateways, clock: FakeClock
) -> None:
    gateways.of(1).broken = Unreachable("Account 1 cannot be reached.")
    assert quotes.touch(CALL).last.value == Decimal(202)
    clock.advance(5)
    assert quotes.touch(CALL).last.value == Decimal(202)
    assert gateways.of(1).calls == ["quotes 1"], "no second time-out so soon"
    gateways.of(1).broken = None
    clock.advance(6)
    assert quotes.touch(CALL).last.value == Decimal(201)


def test_the_account_the_order_is_for_is_asked_last(quotes: Quotes, gateways: FakeGateways) -> None:
    for number in (1, 2, 3):
        gateways.of(number).broken = TimedOut("slow")
    assert quotes.touch(CALL, account_id=9).last.value == Decimal(209)
    assert asked(gateways) == [1, 2, 9], "two data accounts and its own, not fifty time-outs"


def test_without_any_price_it_refuses_naming_the_contract_and_the_reason(
    quotes: Quotes, gateways: FakeGateways
) -> None:
    for gateway in gateways.gateways.values():
        gateway.broken = TimedOut("The gateway did not answer in time.")
    with pytest.raises(NoFreshPrice, match=r"NIFTY01DEC2625000CE.*did not answer in time"):
        quotes.touch(CALL, account_id=9)
    with pytest.raises(NoFreshPrice, match="NIFTY01DEC2625000PE"):
        quotes.touch(PUT)


def test_a_contract_the_gateway_does_not_quote_is_refused(quotes: Quotes) -> None:
    with pytest.raises(NoFreshPrice, match="quotes no price"):
        quotes.touch(PUT)


def test_many_lanes_that_want_one_touch_make_one_call(
    quotes: Quotes, gateways: FakeGateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()
    inner = gateways.of(1).quotes

    def slow(keys: list[ContractKey]) -> object:
        released.wait(5)
        return inner(keys)

    monkeypatch.setattr(gateways.of(1), "quotes", slow)
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(quotes.touch, CALL) for _ in range(8)]
        released.set()
        values = {future.result().last.value for future in waiting}
    assert values == {Decimal(201)}
    assert gateways.of(1).calls == ["quotes 1"]


def test_spot_is_the_index_fresh_or_quoted(quotes: Quotes, board: PriceBoard, clock: FakeClock) -> None:
    put(board, NIFTY, 24_990.5, touch=False)
    assert quotes.spot("NIFTY") == Decimal("24990.5")
    clock.advance(3.5)
    assert quotes.spot("NIFTY") == Decimal("25012.40")


def test_no_spot_is_refused_and_an_unknown_index_named(quotes: Quotes, gateways: FakeGateways) -> None:
    for gateway in gateways.gateways.values():
        gateway.broken = TimedOut("slow")
    with pytest.raises(NoFreshPrice, match="NIFTY has no spot price"):
        quotes.spot("NIFTY")
    with pytest.raises(NotFound):
        quotes.spot("GOLD")


def test_premiums_take_the_board_first_and_quote_the_rest_in_one_call(
    quotes: Quotes, board: PriceBoard, gateways: FakeGateways
) -> None:
    put(board, PUT, 80.0)
    assert quotes.premiums([CALL, PUT]) == {CALL: Decimal(201), PUT: Decimal("80.0")}
    assert gateways.of(1).calls == ["quotes 1"]


def test_a_contract_nobody_quotes_is_left_out_of_the_premiums(quotes: Quotes) -> None:
    assert quotes.premiums([CALL, PUT]) == {CALL: Decimal(201)}


def test_premiums_nobody_could_read_are_an_error_and_not_an_empty_answer(
    quotes: Quotes, gateways: FakeGateways
) -> None:
    for gateway in gateways.gateways.values():
        gateway.broken = TimedOut("slow")
    with pytest.raises(NoFreshPrice, match="2 contracts"):
        quotes.premiums([CALL, PUT])


def test_refresh_quotes_only_what_is_older(
    quotes: Quotes, board: PriceBoard, gateways: FakeGateways, clock: FakeClock
) -> None:
    put(board)
    clock.advance(1)
    quotes.refresh([CALL], older_than_s=2)
    assert asked(gateways) == []
    clock.advance(2)
    quotes.refresh([CALL], older_than_s=2)
    assert board.age_s(CALL) == 0


def test_long_lists_are_asked_in_parts(quotes: Quotes, gateways: FakeGateways) -> None:
    quotes.premiums([ContractKey("NFO", f"C{number}") for number in range(230)])
    assert gateways.of(1).calls == ["quotes 100", "quotes 100", "quotes 30"]


def test_without_accounts_it_says_so(board: PriceBoard, clock: FakeClock) -> None:
    quotes = Quotes(board, FakeGateways(), list, clock)  # type: ignore[arg-type]
    with pytest.raises(NoFreshPrice, match="no account to ask"):
        quotes.touch(CALL)


def test_touches_that_are_not_on_the_board_are_brought_by_one_question(
    quotes: Quotes, board: PriceBoard, gateways: FakeGateways, clock: FakeClock
) -> None:
    gateways.of(1).priced[PUT] = quote("150", bid="149", ask="151")
    put(board, NIFTY)
    quotes.bring([CALL, PUT, NIFTY, CALL])
    assert gateways.of(1).calls == ["quotes 2"], "and not for the one that is there"
    assert (quotes.at_hand(CALL).bid, quotes.at_hand(PUT).ask) == (Decimal(199), Decimal(151))
    quotes.bring([CALL, PUT])
    assert gateways.of(1).calls == ["quotes 2"]


def test_touches_that_no_gateway_brings_are_named(quotes: Quotes, gateways: FakeGateways) -> None:
    for gateway in gateways.gateways.values():
        gateway.broken = Unreachable("not reached")
    with pytest.raises(NoFreshPrice, match=f"{CALL.symbol}, {PUT.symbol}.*not reached"):
        quotes.bring([CALL, PUT])
