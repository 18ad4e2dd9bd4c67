"""The client on every recorded answer of what it asks: the right figures, or the right error, and never neither."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from app.adapters.openalgo import answers
from app.adapters.openalgo.client import OpenAlgoGateway
from app.domain.books import OrderStatus
from app.domain.calendar import IST, HoursCheck, sane_hours
from app.domain.calendar_hours import judged_holidays
from app.domain.contracts import ContractKey, Product, Side
from app.domain.money import Units
from app.domain.plan import Mode
from app.ports import gateway as port
from app.ports.gateway import GatewayAddress, GatewayError, MarginLeg
from tests.unit.adapters.hand_clock import HandClock
from tests.unit.adapters.recorded import Case, rest_case, rest_cases
from tests.unit.adapters.replay_server import Replay

KEY = "0123456789abcdef-the-key"
CALL = ContractKey("NFO", "NIFTY01DEC2625000CE")
LEG = MarginLeg(CALL, Side.SELL, Units(65), Product.NRML, Decimal(0))
MONDAY = date(2026, 11, 23)

ASKS: dict[str, tuple[str, Callable[[OpenAlgoGateway], Any]]] = {
    "ping": ("ping", OpenAlgoGateway.broker),
    "analyzer": ("analyzer", OpenAlgoGateway.mode),
    "funds": ("funds", OpenAlgoGateway.funds),
    "orderbook": ("orderbook", OpenAlgoGateway.order_book),
    "tradebook": ("tradebook", OpenAlgoGateway.trade_book),
    "positionbook": ("positionbook", OpenAlgoGateway.position_book),
    "holdings": ("holdings", OpenAlgoGateway.holdings),
    "multiquotes": ("multiquotes", lambda gateway: gateway.quotes([CALL])),
    "margin": ("margin", lambda gateway: gateway.basket_margin([LEG])),
    "search": ("search", lambda gateway: gateway.freeze_limits("NFO", "NIFTY")),
    "instruments": ("instruments", lambda gateway: gateway.contracts("NFO", ["NIFTY"])),
}
NOT_OUR_QUESTION = {
    # Asked of other exchanges, or with a verb that the client does not use.
    "instruments.nse_json", "instruments.nse_index_csv", "instruments.empty_exchange_mcx",
    "instruments.fault_logged_out", "instruments.err_post_not_allowed",
}  # fmt: skip


def gateway_at(replay: Replay, clock: HandClock) -> OpenAlgoGateway:
    return OpenAlgoGateway(GatewayAddress(replay.url, "ws://127.0.0.1:1", KEY), clock)


def expected_error(case: Case) -> type[port.GatewayError] | None:
    """The error a case must end in; None when it must be read."""
    if case.name == "multiquotes.all_unknown":
        return None
    if "err_bad_key" in case.name:
        return port.WrongKey
    if "fault_logged_out" in case.name:
        # Searching, and it alone of these, needs no broker session.
        return None if case.endpoint == "search" else port.LoggedOut
    if "fault_broker_token_expired" in case.name:
        return None if case.endpoint == "ping" else port.LoggedOut
    if case.status == 429:
        return port.RateLimited
    return None if case.status == 200 else port.GatewayRefused


ALL = [case for case in rest_cases(*ASKS) if case.name not in NOT_OUR_QUESTION]


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_every_recorded_answer(case: Case, replay: Replay, clock: HandClock) -> None:
    path, ask = ASKS[case.endpoint]
    replay.answers["expiry"] = _second_question(case)
    replay.answers[path] = (case.status, case.body)
    error = expected_error(case)
    gateway = gateway_at(replay, clock)
    if error is None:
        ask(gateway)
        return
    with pytest.raises(error) as told:
        ask(gateway)
    assert type(told.value) is error
    assert KEY not in str(told.value)
    assert "http" not in str(told.value)


def _second_question(case: Case) -> tuple[int, bytes]:
    told = rest_case("expiry.err_bad_key" if "err_bad_key" in case.name else "expiry.fault_logged_out")
    return told.status, told.body


def test_there_are_recordings() -> None:
    assert len(ALL) > 80


def answer(name: str, replay: Replay, clock: HandClock) -> Any:
    case = rest_case(name)
    path, ask = ASKS[case.endpoint]
    replay.answers[path] = (case.status, case.body)
    return ask(gateway_at(replay, clock))


def test_broker_and_mode(replay: Replay, clock: HandClock) -> None:
    assert answer("ping.ok", replay, clock) == "zerodha"
    assert answer("analyzer.status", replay, clock) is Mode.LIVE
    assert answer("analyzer.status.analyze", replay, clock) is Mode.PAPER


def test_funds_are_text_live_and_numbers_in_analyzer_mode(replay: Replay, clock: HandClock) -> None:
    live = answer("funds.with_positions", replay, clock)
    assert (live.available, live.used, live.unrealised) == (5000000, Decimal("421149.83"), Decimal("-217.80"))
    paper = answer("funds.with_positions.analyze", replay, clock)
    assert (paper.available, paper.used) == (Decimal("9770695.2"), Decimal("229304.8"))


def test_a_live_order_book_says_nothing_of_fills(replay: Replay, clock: HandClock) -> None:
    orders = answer("orderbook.fault_order_exists_after_client_timeout", replay, clock)
    first = orders[0]
    assert (first.order_id, first.contract, first.side) == ("261123190000001", CALL, Side.BUY)
    assert (first.units, first.status, first.price) == (65, OrderStatus.COMPLETE, 0)
    assert {(order.filled, order.average) for order in orders} == {(None, None)}


def test_an_analyzer_order_book_says_all(replay: Replay, clock: HandClock) -> None:
    first = answer("orderbook.end_of_session.analyze", replay, clock)[0]
    assert (first.filled, first.average, first.reject_reason) == (130, Decimal("127.7"), None)


def test_two_fills_of_one_order_are_two_trades(replay: Replay, clock: HandClock) -> None:
    trades = answer("tradebook.fault_two_fills", replay, clock)
    assert [(trade.units, trade.price) for trade in trades] == [(65, Decimal("207.05")), (65, Decimal("377.35"))]
    assert len({trade.order_id for trade in trades}) == 1


def test_a_position_closed_today_has_no_average(replay: Replay, clock: HandClock) -> None:
    held, closed, *_ = answer("positionbook.partially_filled", replay, clock)
    assert (held.contract, held.net, held.average) == (CALL, 65, Decimal("206.50"))
    assert (closed.net, closed.average, closed.pnl) == (0, None, Decimal(-130))


def test_a_short_position_is_negative(replay: Replay, clock: HandClock) -> None:
    assert [position.net for position in answer("positionbook.mixed", replay, clock)][:2] == [130, -65]


def test_an_empty_book_is_empty(replay: Replay, clock: HandClock) -> None:
    for name in ("orderbook", "tradebook", "positionbook"):
        assert answer(f"{name}.empty_or_initial", replay, clock) == []
        assert answer(f"{name}.empty_or_initial.analyze", replay, clock) == []


def test_holdings(replay: Replay, clock: HandClock) -> None:
    first = answer("holdings.basic", replay, clock)[0]
    assert (first.contract, first.units, first.average) == (ContractKey("NSE", "RELIANCE"), 50, Decimal("1301.25"))


def test_quotes_leave_out_what_has_none(replay: Replay, clock: HandClock) -> None:
    quotes = answer("multiquotes.mixed", replay, clock)
    assert ContractKey("NSE", "NOSUCH") not in quotes
    index, option = quotes[ContractKey("NSE_INDEX", "NIFTY")], quotes[CALL]
    assert (index.ltp, index.bid, index.ask) == (Decimal("25016.99"), None, None)
    assert (option.bid, option.ask) == (Decimal("215.4"), Decimal("215.7"))
    assert answer("multiquotes.all_unknown", replay, clock) == {}


def test_margin(replay: Replay, clock: HandClock) -> None:
    assert answer("margin.basket_straddle", replay, clock) == Decimal("187126.98")


def test_freeze_limits(replay: Replay, clock: HandClock) -> None:
    assert answer("search.nifty_fut", replay, clock) == 1800
    assert answer("search.sbin_all", replay, clock) is None


def test_contracts(replay: Replay, clock: HandClock) -> None:
    contracts = answer("instruments.nfo_json", replay, clock)
    first = contracts[0]
    assert (first.key, first.expiry) == (ContractKey("NFO", "NIFTY23NOV26FUT"), date(2026, 11, 23))
    assert (first.strike, first.lot_size, first.tick) == (None, 65, Decimal("0.1"))
    assert contracts[3].strike == 23500
    assert contracts[3].tick == Decimal("0.05")


@pytest.mark.parametrize("name", ["weekday", "sunday", "holiday", "muhurat_special", "afterhours_today"])
def test_trading_hours(name: str, replay: Replay, clock: HandClock) -> None:
    day = {"weekday": MONDAY, "holiday": date(2026, 11, 24), "muhurat_special": date(2026, 11, 8)}
    case = rest_case(f"market_timings.{name}")
    replay.answers["market/timings"] = (case.status, case.body)
    hours = gateway_at(replay, clock).trading_hours(day.get(name, date(2026, 11, 22)))
    assert [each.exchange for each in hours] == [row["exchange"] for row in case.answer["data"]]
    opening = {each.exchange: f"{each.opens:%H:%M}-{each.closes:%H:%M}" for each in hours}
    expected = {"weekday": "03:45-10:10", "muhurat_special": "12:30-13:45"}.get(name)
    assert opening.get("NFO") == expected


def test_trading_hours_of_a_gateway_on_the_wrong_zone_can_be_told(replay: Replay, clock: HandClock) -> None:
    case = rest_case("market_timings.weekday_server_TZ_UTC")
    replay.answers["market/timings"] = (case.status, case.body)
    hours = {each.exchange: each for each in gateway_at(replay, clock).trading_hours(MONDAY)}
    assert sane_hours(hours["NFO"].opens.astimezone(IST).time()) is HoursCheck.TIME_ZONE_FAULT


@pytest.mark.parametrize("name", ["2026", "2026_server_TZ_UTC"])
def test_holidays(name: str, replay: Replay, clock: HandClock) -> None:
    case = rest_case(f"market_holidays.{name}")
    replay.answers["market/holidays"] = (case.status, case.body)
    found = judged_holidays(2026, gateway_at(replay, clock).holidays(2026))
    assert (len(found.days), found.trouble) == (17, "")
    muhurat = found.days[date(2026, 11, 8)].special["NFO"]
    assert f"{muhurat.opens.astimezone(IST):%H:%M}-{muhurat.closes.astimezone(IST):%H:%M}" == "18:00-19:15"
    assert "NFO" in found.days[date(2026, 11, 24)].closed


def test_a_year_without_holidays_in_the_gateway_is_not_known(replay: Replay, clock: HandClock) -> None:
    case = rest_case("market_holidays.no_data_year")
    replay.answers["market/holidays"] = (case.status, case.body)
    assert not judged_holidays(2030, gateway_at(replay, clock).holidays(2030)).is_known


@pytest.mark.parametrize("name", ["today_1m", "holiday_empty", "start_after_end"])
def test_minute_history(name: str, replay: Replay, clock: HandClock) -> None:
    case = rest_case(f"history.{name}")
    replay.answers["history"] = (case.status, case.body)
    found = gateway_at(replay, clock).minute_history(ContractKey("NSE", "SBIN"), MONDAY, MONDAY)
    assert found.dropped == 0
    times = [f"{bar.opens.astimezone(IST):%H:%M}" for bar in found.bars]
    assert times[:2] == (["09:15", "09:16"] if name == "today_1m" else [])
    assert len(times) == len(case.answer["data"])


@pytest.mark.parametrize("name", ["err_interval_unsupported_by_broker", "err_unknown_symbol", "fault_logged_out"])
def test_history_that_is_refused_raises(name: str, replay: Replay, clock: HandClock) -> None:
    case = rest_case(f"history.{name}")
    replay.answers["history"] = (case.status, case.body)
    with pytest.raises(GatewayError):
        gateway_at(replay, clock).minute_history(ContractKey("NSE", "NOPE"), MONDAY, MONDAY)


@pytest.mark.parametrize(
    "case",
    [case for case in rest_cases("orderbook", "tradebook", "positionbook") if case.status == 200],
    ids=lambda case: case.name,
)
def test_every_recorded_book_tells_its_mode(case: Case) -> None:
    assert answers.mode_of_book(case.answer) is (Mode.PAPER if case.name.endswith(".analyze") else Mode.LIVE)
