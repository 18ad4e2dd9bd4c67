"""Placing and cancelling: exactly one request with exactly the known fields, and an outcome whatever comes back."""

import json
import logging
import threading
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from app.adapters.openalgo.client import OpenAlgoGateway
from app.adapters.openalgo.connection import PATIENCE, Pace
from app.domain.contracts import ContractKey, PriceType, Product, Side
from app.domain.money import Units
from app.domain.orders import ModifyRequest, OrderRequest
from app.domain.outcomes import Verdict
from app.domain.plan import Mode
from app.ports.gateway import GatewayAddress
from tests.unit.adapters.hand_clock import HandClock
from tests.unit.adapters.recorded import RECORDED as RECORDINGS
from tests.unit.adapters.recorded import Case, rest_cases
from tests.unit.adapters.replay_server import Replay

KEY = "CANARY-0123456789abcdef"
LIMIT_ORDER = OrderRequest(
    contract=ContractKey("NFO", "NIFTY01DEC2625000CE"),
    side=Side.BUY,
    units=Units(65),
    product=Product.NRML,
    price_type=PriceType.LIMIT,
    price=Decimal("196.65"),
    trigger_price=Decimal(0),
    tag="run 7",
)
SHORT = {**PATIENCE, Pace.PLACE: 0.3, Pace.CANCEL: 0.3}  # for answers that never come
# What a real gateway takes; one more field and it refuses the order.
KNOWN = {"apikey", "strategy", "exchange", "symbol", "action", "quantity", "pricetype", "product", "price",
         "trigger_price", "disclosed_quantity", "underlying_ltp"}  # fmt: skip


def gateway_at(url: str, clock: HandClock, patience: Mapping[Pace, float] = PATIENCE) -> OpenAlgoGateway:
    return OpenAlgoGateway(GatewayAddress(url, "ws://127.0.0.1:1", KEY), clock, patience=patience)


def test_an_order_goes_out_once_with_known_fields(replay: Replay, clock: HandClock) -> None:
    replay.answers["placeorder"] = (200, b'{"orderid":"261123190000001","status":"success"}')
    outcome = gateway_at(replay.url, clock).place(LIMIT_ORDER, expected=Mode.LIVE)
    assert (outcome.verdict, outcome.order_id) == (Verdict.ACK, "261123190000001")
    ((path, body),) = replay.asked
    sent = json.loads(body)
    assert path == "placeorder"
    assert sent == {
        "apikey": KEY, "strategy": "run 7", "exchange": "NFO", "symbol": "NIFTY01DEC2625000CE", "action": "BUY",
        "quantity": 65, "pricetype": "LIMIT", "product": "NRML", "price": 196.65,
    }  # fmt: skip
    assert set(sent) <= KNOWN


RECORDED = rest_cases("placeorder")


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: case.name)
def test_every_recorded_answer_is_an_outcome(case: Case, replay: Replay, clock: HandClock) -> None:
    replay.answers["placeorder"] = (case.status, case.body)
    expected = Mode.PAPER if ".analyze" in case.name and case.answer.get("mode") == "analyze" else Mode.LIVE
    outcome = gateway_at(replay.url, clock).place(LIMIT_ORDER, expected=expected)
    has_id = case.status == 200 and bool(case.answer.get("orderid"))
    assert (outcome.verdict is Verdict.ACK) is has_id
    assert len(replay.asked) == 1


def place_with(replay: Replay, clock: HandClock, status: int, body: Any) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    replay.answers["placeorder"] = (status, raw)
    return gateway_at(replay.url, clock).place(LIMIT_ORDER, expected=Mode.LIVE)


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (200, {"orderid": 26112300000001, "status": "success"}, Verdict.ACK),
        (200, {"orderid": None, "status": "success"}, Verdict.UNKNOWN_ANSWERED),
        (200, {"status": "success", "mode": "semi_auto", "pending_order_id": 1}, Verdict.PARKED),
        (200, {"orderid": "1", "status": "success", "mode": "analyze"}, Verdict.HALT),
        (429, {"message": "10 per 1 second"}, Verdict.NOT_SENT),
        (502, b"<html>Bad Gateway</html>", Verdict.UNKNOWN_OPEN),
        (200, b"<html>hello</html>", Verdict.UNKNOWN_OPEN),
        (200, b"", Verdict.UNKNOWN_OPEN),
        (500, {"message": "Failed to place order due to internal error", "status": "error"}, Verdict.UNKNOWN_ANSWERED),
    ],
)
def test_answers_that_need_care(status: int, body: Any, verdict: Verdict, replay: Replay, clock: HandClock) -> None:
    assert place_with(replay, clock, status, body).verdict is verdict


def test_no_answer_in_time_is_unknown(replay: Replay, clock: HandClock) -> None:
    replay.hang = threading.Event()
    outcome = gateway_at(replay.url, clock, SHORT).place(LIMIT_ORDER, expected=Mode.LIVE)
    assert outcome.verdict is Verdict.UNKNOWN_OPEN
    assert len(replay.asked) == 1


def test_row_08_a_cut_reply_is_unknown_and_not_sent_again(replay: Replay, clock: HandClock) -> None:
    replay.drops = 1
    assert place_with(replay, clock, 200, {"orderid": "1", "status": "success"}).verdict is Verdict.UNKNOWN_OPEN
    assert len(replay.asked) == 1


def test_without_a_gateway_nothing_was_sent(clock: HandClock) -> None:
    outcome = gateway_at("http://127.0.0.1:1", clock).place(LIMIT_ORDER, expected=Mode.LIVE)
    assert outcome.verdict is Verdict.NOT_SENT


def test_a_message_that_repeats_the_key_is_shown_without_it(
    replay: Replay, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        outcome = place_with(replay, clock, 400, {"status": "error", "message": f"bad {KEY} at http://x/?apikey={KEY}"})
    assert KEY not in outcome.message
    assert KEY not in caplog.text


def test_the_key_is_in_no_log_when_it_is_in_a_path(
    replay: Replay, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    replay.answers["instruments"] = (500, b'{"message":"no","status":"error"}')
    gateway = gateway_at(replay.url, clock)
    with caplog.at_level(logging.DEBUG), pytest.raises(Exception, match="refused: no"):
        gateway.contracts("NFO", ["NIFTY"])
    assert KEY in replay.asked[0][0]
    assert KEY not in caplog.text
    assert KEY not in repr(gateway)


@pytest.mark.parametrize("case", rest_cases("cancelorder"), ids=lambda case: case.name)
def test_every_recorded_answer_to_a_cancel_is_an_outcome(case: Case, replay: Replay, clock: HandClock) -> None:
    replay.answers["cancelorder"] = (case.status, case.body)
    outcome = gateway_at(replay.url, clock).cancel("261123190000001", "run 7")
    assert json.loads(replay.asked[0][1]) == {"apikey": KEY, "strategy": "run 7", "orderid": "261123190000001"}
    assert (outcome.verdict is Verdict.ACK) is (case.status == 200)
    assert outcome.verdict is not Verdict.HALT
    assert "http" not in outcome.message


def recorded_request(name: str) -> dict[str, Any]:
    sent: dict[str, Any] = json.loads((RECORDINGS / "rest" / f"{name}.json").read_text())["request"]["body"]
    return sent


@pytest.mark.parametrize("name", ["modifyorder.limit_price", "modifyorder.sl_trigger"])
def test_a_change_goes_out_once_as_it_was_recorded(name: str, replay: Replay, clock: HandClock) -> None:
    recorded = recorded_request(name)
    replay.answers["modifyorder"] = (200, b'{"orderid":"261123190000010","status":"success"}')
    order = OrderRequest(
        contract=ContractKey(recorded["exchange"], recorded["symbol"]),
        side=Side(recorded["action"]),
        units=Units(recorded["quantity"]),
        product=Product(recorded["product"]),
        price_type=PriceType(recorded["pricetype"]),
        price=Decimal(str(recorded["price"])),
        trigger_price=Decimal(str(recorded["trigger_price"])),
        tag=recorded["strategy"],
    )
    outcome = gateway_at(replay.url, clock).modify(ModifyRequest(recorded["orderid"], order))
    assert outcome.verdict is Verdict.ACK
    ((path, body),) = replay.asked
    assert path == "modifyorder"
    assert json.loads(body) == {**recorded, "apikey": KEY}


CHANGE = ModifyRequest("261123190000010", LIMIT_ORDER)


@pytest.mark.parametrize("case", rest_cases("modifyorder"), ids=lambda case: case.name)
def test_every_recorded_answer_to_a_change_is_an_outcome(case: Case, replay: Replay, clock: HandClock) -> None:
    replay.answers["modifyorder"] = (case.status, case.body)
    outcome = gateway_at(replay.url, clock).modify(CHANGE)
    assert (outcome.verdict is Verdict.ACK) is (case.status == 200)
    assert outcome.verdict is not Verdict.HALT
    assert len(replay.asked) == 1


def test_a_change_whose_answer_never_comes_is_not_sent_again(replay: Replay, clock: HandClock) -> None:
    replay.hang = threading.Event()
    assert gateway_at(replay.url, clock, SHORT).modify(CHANGE).verdict is Verdict.UNKNOWN_OPEN
    assert len(replay.asked) == 1
