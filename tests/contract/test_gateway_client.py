"""Our client against the simulator, a real gateway's stand-in: every read, and every way an order can go astray."""

import http.server
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from app.adapters.clock import SystemClock
from app.adapters.openalgo.client import OpenAlgoGateway
from app.adapters.openalgo.connection import PATIENCE, Pace
from app.domain.books import OrderStatus
from app.domain.calendar import IST, HoursCheck, sane_hours
from app.domain.contracts import Contract, ContractKey, Kind, PriceType, Product, Side
from app.domain.money import Units
from app.domain.orders import ModifyRequest, OrderRequest
from app.domain.outcomes import Outcome, Verdict
from app.domain.plan import Mode
from app.ports.gateway import (
    GatewayAddress,
    GatewayRefused,
    LoggedOut,
    MarginLeg,
    NotOpenAlgo,
    OtherMode,
    RateLimited,
    TimedOut,
    Unreachable,
    WrongKey,
)
from tests.contract.orders import market_buy
from tests.simulator_process import SimulatorProcess

NIFTY = ContractKey("NSE_INDEX", "NIFTY")
SHORT = {**PATIENCE, Pace.PLACE: 1.5, Pace.BOOKS: 1.5}
"""For answers that never come; all others may take their time on a busy machine."""


def gateway_of(
    simulator: SimulatorProcess, number: int = 1, patience: Mapping[Pace, float] = PATIENCE, **change: str
) -> OpenAlgoGateway:
    account = simulator.accounts[number - 1]
    address = GatewayAddress(change.get("host", account.host), account.ws_url, change.get("api_key", account.api_key))
    return OpenAlgoGateway(address, SystemClock(), patience=patience)


@pytest.fixture
def gateway(simulator: SimulatorProcess) -> Iterator[OpenAlgoGateway]:
    opened = gateway_of(simulator)
    yield opened
    opened.close()


@pytest.fixture
def call(gateway: OpenAlgoGateway) -> Contract:
    """The nearest call at the money."""
    spot = gateway.quotes([NIFTY])[NIFTY].ltp
    calls = [c for c in gateway.contracts("NFO", ["NIFTY"]) if c.kind is Kind.CE and c.strike is not None]
    return min(calls, key=lambda c: (c.expiry, abs((c.strike or 0) - spot)))


def order(contract: Contract, **change: Any) -> OrderRequest:
    return replace(market_buy(contract.key, contract.lot_size), **change)


def place(gateway: OpenAlgoGateway, contract: Contract, **change: Any) -> Outcome:
    return gateway.place(order(contract, **change), expected=Mode.LIVE)


def test_the_gateway_names_itself(gateway: OpenAlgoGateway) -> None:
    assert gateway.broker() == "simulator"
    assert gateway.mode() is Mode.LIVE


def test_mode_follows_the_switch(simulator: SimulatorProcess, gateway: OpenAlgoGateway) -> None:
    simulator.post("/accounts/1/mode", mode="analyze")
    assert gateway.mode() is Mode.PAPER
    assert gateway.funds().available > 0


def test_a_book_is_refused_where_the_other_mode_is_meant(simulator: SimulatorProcess, gateway: OpenAlgoGateway) -> None:
    reads = (gateway.order_book, gateway.trade_book, gateway.position_book)
    assert [read(Mode.LIVE) for read in reads] == [[], [], []]
    simulator.post("/accounts/1/mode", mode="analyze")
    assert [read(Mode.PAPER) for read in reads] == [[], [], []]
    for read in reads:
        with pytest.raises(OtherMode):
            read(Mode.LIVE)


def test_fresh_books_are_empty(gateway: OpenAlgoGateway) -> None:
    assert gateway.order_book() == []
    assert gateway.trade_book() == []
    assert gateway.position_book() == []
    assert gateway.holdings() is not None
    assert gateway.funds().available > 0


def test_quotes_of_an_index_and_of_nothing(gateway: OpenAlgoGateway, call: Contract) -> None:
    quotes = gateway.quotes([NIFTY, call.key, ContractKey("NFO", "NOSUCH"), call.key])
    assert set(quotes) == {NIFTY, call.key}
    assert quotes[NIFTY].bid is None
    option = quotes[call.key]
    assert option.bid is not None
    assert option.ask is not None
    assert option.bid < option.ask
    assert gateway.quotes([ContractKey("NFO", "NOSUCH")]) == {}
    assert gateway.quotes([]) == {}


@pytest.mark.parametrize(("exchange", "names"), [("NFO", {"NIFTY", "BANKNIFTY"}), ("BFO", {"SENSEX"})])
def test_contracts(exchange: str, names: set[str], gateway: OpenAlgoGateway) -> None:
    contracts = gateway.contracts(exchange, sorted(names))
    assert {contract.underlying for contract in contracts} == names
    assert {contract.kind for contract in contracts} == set(Kind)
    assert all(contract.lot_size > 1 for contract in contracts)
    assert all((contract.strike is None) == (contract.kind is Kind.FUT) for contract in contracts)


def test_contracts_of_an_unlisted_index_are_refused(gateway: OpenAlgoGateway) -> None:
    with pytest.raises(GatewayRefused, match="master contracts"):
        gateway.contracts("BFO", ["NIFTY"])


def test_freeze_limits_known_and_unknown(gateway: OpenAlgoGateway) -> None:
    assert gateway.freeze_limits("NFO", "NIFTY") == 1800
    assert gateway.freeze_limits("BFO", "SENSEX") is None


def test_margin_of_a_basket(gateway: OpenAlgoGateway, call: Contract) -> None:
    short = MarginLeg(call.key, Side.SELL, Units(call.lot_size), Product.NRML, Decimal(0))
    assert gateway.basket_margin([short]) > 10_000
    with pytest.raises(GatewayRefused):
        gateway.basket_margin([MarginLeg(ContractKey("NFO", "NOSUCH"), *_rest(short))])


def _rest(leg: MarginLeg) -> tuple[Side, Units, Product, Decimal]:
    return leg.side, leg.units, leg.product, leg.price


def test_trading_hours(simulator: SimulatorProcess, gateway: OpenAlgoGateway) -> None:
    today = date.fromisoformat(simulator.get("/clock")["trading_date"])
    hours = {each.exchange: each for each in gateway.trading_hours(today)}
    assert f"{hours['NFO'].opens:%H:%M}-{hours['NFO'].closes:%H:%M}" == "03:45-10:10"
    assert isinstance(hours["NFO"].opens, datetime)
    assert "NFO" not in {each.exchange for each in gateway.trading_hours(date(2026, 11, 22))}


def test_trading_hours_of_the_wrong_zone(simulator: SimulatorProcess, gateway: OpenAlgoGateway) -> None:
    simulator.fault("timings_utc_shift")
    hours = {each.exchange: each for each in gateway.trading_hours(date(2026, 11, 23))}
    assert sane_hours(hours["NFO"].opens.astimezone(IST).time()) is HoursCheck.TIME_ZONE_FAULT


def test_an_order_becomes_an_order_a_trade_and_a_position(
    simulator: SimulatorProcess, gateway: OpenAlgoGateway, call: Contract
) -> None:
    outcome = place(gateway, call)
    assert outcome.verdict is Verdict.ACK
    simulator.advance(2)
    (row,) = gateway.order_book()
    assert (row.order_id, row.contract, row.side) == (outcome.order_id, call.key, Side.BUY)
    assert row.status is OrderStatus.COMPLETE
    trades = gateway.trade_book()
    assert sum(trade.units for trade in trades) == call.lot_size
    (position,) = gateway.position_book()
    assert (position.contract, position.net, position.product) == (call.key, call.lot_size, "NRML")
    assert position.average is not None


def test_a_resting_order_is_cancelled(simulator: SimulatorProcess, gateway: OpenAlgoGateway, call: Contract) -> None:
    quote = gateway.quotes([call.key])[call.key]
    far = (quote.ltp * Decimal("0.8")).quantize(Decimal(1))
    outcome = place(gateway, call, price_type=PriceType.LIMIT, price=far)
    assert outcome.verdict is Verdict.ACK
    assert outcome.order_id is not None
    (row,) = gateway.order_book()
    assert (row.status, row.price) == (OrderStatus.OPEN, far)
    assert gateway.cancel(outcome.order_id, "contract test").verdict is Verdict.ACK
    assert gateway.order_book()[0].status is OrderStatus.CANCELLED
    assert gateway.cancel(outcome.order_id, "contract test").verdict is not Verdict.ACK


def test_the_prices_of_a_resting_order_are_changed(
    simulator: SimulatorProcess, gateway: OpenAlgoGateway, call: Contract
) -> None:
    last = gateway.quotes([call.key])[call.key].ltp
    low, lower = ((last * part).quantize(Decimal(1)) for part in (Decimal("0.8"), Decimal("0.75")))
    resting = order(call, price_type=PriceType.LIMIT, price=low)
    placed = gateway.place(resting, expected=Mode.LIVE)
    assert placed.order_id is not None
    change = ModifyRequest(placed.order_id, replace(resting, price=lower))
    assert gateway.modify(change).verdict is Verdict.ACK
    (row,) = gateway.order_book()
    assert (row.order_id, row.status, row.price, row.units) == (
        placed.order_id, OrderStatus.OPEN, lower, call.lot_size,
    )  # fmt: skip
    gateway.cancel(placed.order_id, "contract test")
    assert gateway.modify(change).verdict is not Verdict.ACK
    assert gateway.order_book()[0].price == lower


def test_a_stop_waits_for_its_trigger_and_takes_another(
    simulator: SimulatorProcess, gateway: OpenAlgoGateway, call: Contract
) -> None:
    last = gateway.quotes([call.key])[call.key].ltp
    trigger, limit = ((last * part).quantize(Decimal(1)) for part in (Decimal("1.2"), Decimal("1.25")))
    stop = order(call, price_type=PriceType.SL, price=limit, trigger_price=trigger)
    placed = gateway.place(stop, expected=Mode.LIVE)
    assert placed.order_id is not None
    (row,) = gateway.order_book()
    assert (row.status, row.price, row.trigger_price) == (OrderStatus.TRIGGER_PENDING, limit, trigger)
    moved = replace(stop, trigger_price=trigger + 1)
    assert gateway.modify(ModifyRequest(placed.order_id, moved)).verdict is Verdict.ACK
    (row,) = gateway.order_book()
    assert (row.status, row.price, row.trigger_price) == (OrderStatus.TRIGGER_PENDING, limit, trigger + 1)


def test_an_analyzer_order_is_acknowledged_only_where_it_is_expected(
    simulator: SimulatorProcess, gateway: OpenAlgoGateway, call: Contract
) -> None:
    simulator.post("/accounts/1/mode", mode="analyze")
    paper = gateway.place(order(call), expected=Mode.PAPER)
    assert paper.verdict is Verdict.ACK
    assert gateway.order_book()[0].filled is not None
    assert place(gateway, call).verdict is Verdict.HALT


@dataclass(frozen=True)
class Astray:
    """A fault, what the order must end as, and how many orders may stand at the broker then."""

    fault: str
    verdict: Verdict
    stands: int
    parameters: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.fault}-{self.verdict}-{self.stands}"


ASTRAY = [
    Astray("lost_reply", Verdict.UNKNOWN_OPEN, 1),
    Astray("refuse_connection", Verdict.UNKNOWN_OPEN, 0),
    Astray("hang", Verdict.UNKNOWN_OPEN, 0),
    Astray("hang", Verdict.UNKNOWN_OPEN, 1, {"works": True}),
    Astray("html_error", Verdict.UNKNOWN_OPEN, 0),
    Astray("html_error", Verdict.UNKNOWN_OPEN, 1, {"works": True}),
    Astray("truncated_body", Verdict.UNKNOWN_OPEN, 1),
    Astray("http_error", Verdict.UNKNOWN_ANSWERED, 1, {"works": True}),
    Astray(
        "http_error", Verdict.UNKNOWN_ANSWERED, 0, {"status": 400, "text": "Timed out, please check the order book"}
    ),
    Astray("accept_with_error", Verdict.UNKNOWN_ANSWERED, 1),
    Astray("late_accept", Verdict.UNKNOWN_OPEN, 0, {"seconds": 30}),
    Astray("late_accept", Verdict.UNKNOWN_ANSWERED, 0, {"seconds": 30, "reply": "error"}),
    Astray("rate_limited", Verdict.NOT_SENT, 0),
    Astray("broker_429", Verdict.UNKNOWN_ANSWERED, 0),
    Astray("broker_503", Verdict.UNKNOWN_ANSWERED, 0),
    Astray("session_revoked", Verdict.NOT_SENT, 0),
    Astray("orderid_null", Verdict.UNKNOWN_ANSWERED, 0),
    Astray("orderid_null", Verdict.UNKNOWN_ANSWERED, 1, {"accepts": True}),
    Astray("orderid_int", Verdict.ACK, 1),
    Astray("semi_auto", Verdict.PARKED, 0),
    Astray("mode_switch", Verdict.HALT, 0),
    Astray("reject_order", Verdict.REJECTED, 0),
]


@pytest.mark.parametrize("case", ASTRAY, ids=str)
def test_an_order_that_goes_astray(case: Astray, simulator: SimulatorProcess, call: Contract) -> None:
    gateway = gateway_of(simulator, patience=SHORT if case.fault == "hang" else PATIENCE)
    simulator.fault(case.fault, account=1, parameters=dict(case.parameters))
    assert place(gateway, call).verdict is case.verdict
    gateway.close()
    assert len(simulator.truth(1)["orders"]) == case.stands


def test_a_rejection_by_the_broker(simulator: SimulatorProcess, gateway: OpenAlgoGateway, call: Contract) -> None:
    outcome = place(gateway, call, price_type=PriceType.LIMIT, price=Decimal("100.03"))
    assert outcome.verdict is Verdict.REJECTED
    assert "ick size" in outcome.message
    assert gateway.order_book() == []


def test_a_wrong_key_and_a_logged_out_gateway_are_told_apart(simulator: SimulatorProcess) -> None:
    with pytest.raises(WrongKey):
        gateway_of(simulator, api_key="f" * 64).funds()
    simulator.post("/accounts/1/logout")
    gateway = gateway_of(simulator)
    for ask in (gateway.broker, gateway.funds, gateway.order_book, gateway.mode):
        with pytest.raises(LoggedOut):
            ask()
    simulator.post("/accounts/1/relogin")
    assert gateway.broker() == "simulator"


def test_a_dead_broker_token_is_never_an_empty_book(simulator: SimulatorProcess, gateway: OpenAlgoGateway) -> None:
    simulator.fault("token_dead", account=1)
    assert gateway.broker() == "simulator"
    for ask in (gateway.funds, gateway.order_book, gateway.trade_book, gateway.position_book, gateway.holdings):
        with pytest.raises((LoggedOut, GatewayRefused)):
            ask()


@pytest.mark.parametrize(
    ("fault", "expected"),
    [("hang", TimedOut), ("truncated_body", Unreachable), ("rate_limited", RateLimited)],
)
def test_a_book_that_cannot_be_read(fault: str, expected: type[Exception], simulator: SimulatorProcess) -> None:
    gateway = gateway_of(simulator, patience=SHORT if fault == "hang" else PATIENCE)
    simulator.fault(fault, account=1, endpoint="orderbook")
    with pytest.raises(expected):
        gateway.order_book()
    simulator.clear_faults()
    assert gateway.order_book() == []
    gateway.close()


def test_an_html_answer_is_no_book(simulator: SimulatorProcess, gateway: OpenAlgoGateway) -> None:
    simulator.fault("html_error", account=1, endpoint="orderbook")
    with pytest.raises((NotOpenAlgo, Unreachable)):
        gateway.order_book()


@pytest.mark.parametrize("fault", ["symbol_null", "missing_ltp_pnl", "avg_string", "nan_values", "reordered_books"])
def test_odd_rows_are_read(fault: str, simulator: SimulatorProcess, gateway: OpenAlgoGateway, call: Contract) -> None:
    assert place(gateway, call).verdict is Verdict.ACK
    simulator.advance(2)
    simulator.fault(fault, account=1)
    (order_row,), (position,) = gateway.order_book(), gateway.position_book()
    assert order_row.contract == (None if fault == "symbol_null" else call.key)
    assert position.net == call.lot_size


def test_a_fill_at_no_price_is_no_fill_at_zero(
    simulator: SimulatorProcess, gateway: OpenAlgoGateway, call: Contract
) -> None:
    assert place(gateway, call).verdict is Verdict.ACK
    simulator.advance(2)
    simulator.fault("avg_zero", account=1)
    (position,) = gateway.position_book()
    assert (position.net, position.average, position.pnl) == (call.lot_size, None, None)
    with pytest.raises(NotOpenAlgo, match="trade book"):
        gateway.trade_book()


def test_a_status_that_nobody_knows_is_open(
    simulator: SimulatorProcess, gateway: OpenAlgoGateway, call: Contract
) -> None:
    simulator.fault("no_fill", account=1)
    simulator.fault("unmapped_status", account=1)
    assert place(gateway, call).verdict is Verdict.ACK
    assert gateway.order_book()[0].status is OrderStatus.OPEN


@contextmanager
def another_server() -> Iterator[str]:
    """A plain web server that has never heard of OpenAlgo."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Plain", (_Plain,), {}))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)  # noqa: TID251 - a test's server
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


class _Plain(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>It works!</html>")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing on the console."""


def test_hosts_that_are_no_gateway(simulator: SimulatorProcess, call: Contract) -> None:
    with pytest.raises(Unreachable):
        gateway_of(simulator, host="http://127.0.0.1:1").broker()
    with another_server() as url:
        lost = gateway_of(simulator, host=url)
        with pytest.raises(NotOpenAlgo):
            lost.broker()
        assert place(lost, call).verdict is Verdict.UNKNOWN_OPEN
    stream = simulator.accounts[0].ws_url.replace("ws://", "http://")
    with pytest.raises((NotOpenAlgo, Unreachable)):
        gateway_of(simulator, host=stream).broker()
