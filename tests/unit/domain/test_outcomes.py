"""What answers prove: recorded ones, brokers' texts, and whatever else may come."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.outcomes import Answer, NoAnswer, Verdict, classify
from app.domain.plan import Mode

RECORDED = json.loads((Path(__file__).parent / "recorded_answers.json").read_text(encoding="utf-8"))
V = Verdict

# Every recorded answer without an order id. The rest are acknowledged.
EXPECTED = {
    ("afterhours_mis", "analyze"): V.REJECTED,
    ("err_bad_action_HOLD", "live"): V.REJECTED,
    ("err_bad_exchange_NSEFO", "live"): V.REJECTED,
    ("err_bad_key", "analyze"): V.NOT_SENT,
    ("err_bad_key", "live"): V.NOT_SENT,
    ("err_bad_price_neg1", "live"): V.REJECTED,
    ("err_bad_pricetype_LMT", "live"): V.REJECTED,
    ("err_bad_product", "analyze"): V.REJECTED,
    ("err_bad_product_INTRADAY", "live"): V.REJECTED,
    ("err_bad_quantity_0", "live"): V.REJECTED,
    ("err_bad_quantity_abc", "live"): V.REJECTED,
    ("err_bad_quantity_neg65", "live"): V.REJECTED,
    ("err_bad_tick", "live"): V.REJECTED,
    ("err_cnc_on_nfo", "analyze"): V.REJECTED,
    ("err_cnc_on_nfo", "live"): V.REJECTED,
    ("err_content_type_text", "live"): V.UNKNOWN_ANSWERED,
    ("err_empty_body", "live"): V.UNKNOWN_ANSWERED,
    ("err_form_encoded", "live"): V.UNKNOWN_ANSWERED,
    ("err_fractional_quantity", "live"): V.REJECTED,
    ("err_get_method", "live"): V.UNKNOWN_ANSWERED,
    ("err_index_symbol", "live"): V.REJECTED,
    ("err_json_array", "live"): V.UNKNOWN_ANSWERED,
    ("err_limit_without_price", "analyze"): V.REJECTED,
    ("err_limit_without_price", "live"): V.REJECTED,
    ("err_malformed_json", "live"): V.UNKNOWN_ANSWERED,
    ("err_missing_action", "live"): V.REJECTED,
    ("err_missing_exchange", "live"): V.REJECTED,
    ("err_missing_quantity", "live"): V.REJECTED,
    ("err_missing_strategy", "live"): V.REJECTED,
    ("err_missing_symbol", "live"): V.REJECTED,
    ("err_no_key", "live"): V.REJECTED,
    ("err_not_lot_multiple", "analyze"): V.REJECTED,
    ("err_not_lot_multiple", "live"): V.REJECTED,
    ("err_nrml_on_nse", "analyze"): V.REJECTED,
    ("err_nrml_on_nse", "live"): V.REJECTED,
    ("err_over_freeze", "live"): V.REJECTED,
    ("err_rate_limited_429", "live"): V.NOT_SENT,
    ("err_sdk_price_type_name", "live"): V.REJECTED,
    ("err_sl_wrong_side_trigger", "live"): V.REJECTED,
    ("err_slm_without_trigger", "analyze"): V.REJECTED,
    ("err_slm_without_trigger", "live"): V.REJECTED,
    ("err_unknown_field", "live"): V.REJECTED,
    ("err_unknown_symbol", "analyze"): V.REJECTED,
    ("err_unknown_symbol", "live"): V.REJECTED,
    ("fault_broker_http_429", "live"): V.UNKNOWN_ANSWERED,
    ("fault_broker_http_503", "live"): V.UNKNOWN_ANSWERED,
    ("fault_broker_refuses_400", "live"): V.REJECTED,
    ("fault_broker_token_expired", "live"): V.REJECTED,
    ("fault_logged_out", "live"): V.NOT_SENT,
    ("insufficient_funds", "analyze"): V.REJECTED,
}


@pytest.mark.parametrize("row", RECORDED, ids=lambda row: f"{row['case']}.{row['mode']}")
def test_recorded_answers(row: dict[str, object]) -> None:
    expected = EXPECTED.get((str(row["case"]), str(row["mode"])), V.ACK)
    outcome = classify(Answer(row["status"], row["body"]), Mode(row["mode"]))  # type: ignore[arg-type]
    assert outcome.verdict is expected
    assert (outcome.order_id is not None) == (expected is V.ACK)
    assert outcome.message


def test_every_expectation_has_its_recording() -> None:
    assert EXPECTED.keys() <= {(row["case"], row["mode"]) for row in RECORDED}


@pytest.mark.parametrize("row", [r for r in RECORDED if r["status"] == 200], ids=lambda r: f"{r['case']}.{r['mode']}")
def test_an_order_in_the_other_mode_halts_and_keeps_its_id(row: dict[str, object]) -> None:
    other = Mode.LIVE if row["mode"] == "analyze" else Mode.PAPER
    outcome = classify(Answer(200, row["body"]), other)  # type: ignore[arg-type]
    assert outcome.verdict is V.HALT
    assert outcome.order_id == row["body"]["orderid"]  # type: ignore[index]


BROKER_TEXTS = [
    # Certain refusals of risk systems and exchanges.
    (400, "Insufficient funds. Required margin is 187654.25 but available margin is 1200.50.", V.REJECTED),
    (400, "RMS:Margin Exceeds,Cash Available:1200.50 AdditionalCash:0 Required:187654.25", V.REJECTED),
    (400, "RMS:Rule: Check circuit limit including square off order exceeds for entity account", V.REJECTED),
    (400, "RMS: Auto Square Off Block", V.REJECTED),
    (400, "Margin shortfall of Rs 12,000", V.REJECTED),
    (400, "Order quantity exceeds freeze quantity", V.REJECTED),
    (400, "Quantity freeze limit breached", V.REJECTED),
    (500, "16387 : Security is not allowed to trade in this market", V.REJECTED),
    (400, "17070 : The Price is out of the LPP range", V.REJECTED),
    (400, "Error [16419]: Order entered has invalid price", V.REJECTED),
    (400, "Your order price is higher than the current upper circuit limit of 310.5", V.REJECTED),
    (400, "Order price is beyond LPP limit", V.REJECTED),
    (400, "The price is outside the current limit price protection range", V.REJECTED),
    (400, "Price should be in multiples of tick size 0.05", V.REJECTED),
    (400, "Quantity should be in multiple of lot size", V.REJECTED),
    (400, "The strike is blocked for trading", V.REJECTED),
    (400, "SL-M orders are discontinued for options", V.REJECTED),
    (400, "Market is closed", V.REJECTED),
    (401, "Session expired or invalid", V.REJECTED),
    (403, "Token is invalid or has expired", V.REJECTED),
    (403, "IP address is not whitelisted", V.REJECTED),
    (429, "Insufficient margin", V.REJECTED),
    # Words of doubt outweigh the status and whatever else is said.
    (400, "Order request timed out. Please check the order book and confirm before placing again.", V.UNKNOWN_ANSWERED),
    (400, "Insufficient margin check timed out", V.UNKNOWN_ANSWERED),
    (400, "RMS: request time exceeded", V.UNKNOWN_ANSWERED),
    (400, "RMS:Blocked, please check your orders", V.UNKNOWN_ANSWERED),
    (503, "Couldn't connect to the OMS. Freeze quantity unknown", V.UNKNOWN_ANSWERED),
    (500, "Gateway timeout while checking circuit limit", V.UNKNOWN_ANSWERED),
    (500, "Connection aborted. Margin required could not be read", V.UNKNOWN_ANSWERED),
    (400, "Order may have been placed; tick size not verified", V.UNKNOWN_ANSWERED),
    (400, "No response from OMS for lot size", V.UNKNOWN_ANSWERED),
    # Everything else is unknown, however final it sounds.
    (500, "Failed to place order due to internal error", V.UNKNOWN_ANSWERED),
    (500, "An unexpected error occurred in the API endpoint", V.UNKNOWN_ANSWERED),
    (400, "Order rejected", V.UNKNOWN_ANSWERED),
    (400, "Something went wrong", V.UNKNOWN_ANSWERED),
    (400, "", V.UNKNOWN_ANSWERED),
    (403, "Forbidden", V.UNKNOWN_ANSWERED),
    (404, "Not found", V.UNKNOWN_ANSWERED),
    (409, "Duplicate request", V.UNKNOWN_ANSWERED),
    (500, "'NoneType' object is not subscriptable", V.UNKNOWN_ANSWERED),
    (500, "Client error '403 Forbidden' for url", V.UNKNOWN_ANSWERED),
    (503, "Service unavailable", V.UNKNOWN_ANSWERED),
    (429, "Too many requests", V.UNKNOWN_ANSWERED),
    (400, "NIFTY 17000 order not placed", V.UNKNOWN_ANSWERED),
    (400, "Amount 16500.50", V.UNKNOWN_ANSWERED),
    (400, "{'error': ['Request failed']}", V.UNKNOWN_ANSWERED),  # a broker's dict, not the gateway's fields
    (400, "{'quantity': ['bad']} and more", V.UNKNOWN_ANSWERED),
    (500, "{'quantity': ['Not a valid number.']}", V.UNKNOWN_ANSWERED),
    (400, "Invalid openalgo apikey", V.UNKNOWN_ANSWERED),  # only its own status proves it
    # Before any broker.
    (400, "{'quantity': ['Not a valid number.'], 'foo': ['Unknown field.']}", V.REJECTED),
    (403, "Invalid openalgo apikey", V.NOT_SENT),
    (404, "Broker-specific module not found", V.NOT_SENT),
    # A proxy spoke.
    (502, "Bad Gateway", V.UNKNOWN_OPEN),
    (504, "Insufficient funds", V.UNKNOWN_OPEN),
]


@pytest.mark.parametrize(("status", "text", "expected"), BROKER_TEXTS)
def test_row_07_broker_texts(status: int, text: str, expected: Verdict) -> None:
    assert classify(Answer(status, {"status": "error", "message": text}), Mode.LIVE).verdict is expected


LOST_IDS: list[object] = ["7" * 65, None, "", "  ", "None", "null", 0, "0", False, True, [], {}, 1.5]


@pytest.mark.parametrize("lost", LOST_IDS)
def test_success_without_an_order_id_is_unknown(lost: object) -> None:
    outcome = classify(Answer(200, {"status": "success", "orderid": lost}), Mode.LIVE)
    assert outcome.verdict is V.UNKNOWN_ANSWERED
    assert outcome.order_id is None


def test_a_number_can_be_an_order_id() -> None:
    assert classify(Answer(200, {"status": "success", "orderid": 1226112300001}), Mode.LIVE).order_id == "1226112300001"


SEMI_AUTO: dict[str, object] = {"message": "Order queued", "mode": "semi_auto", "status": "success"}


@pytest.mark.parametrize("expected", Mode)
def test_an_order_held_for_approval_is_parked(expected: Mode) -> None:
    assert classify(Answer(200, {**SEMI_AUTO, "pending_order_id": 1}), expected).verdict is V.PARKED
    assert classify(Answer(200, SEMI_AUTO), expected).verdict is V.UNKNOWN_ANSWERED
    assert classify(Answer(200, {**SEMI_AUTO, "orderid": "7"}), expected).verdict is V.HALT


OTHER_ANSWERS = [
    (Answer(200, None), Mode.LIVE, V.UNKNOWN_OPEN),  # not a JSON object
    (Answer(403, None), Mode.LIVE, V.UNKNOWN_OPEN),
    (Answer(502, None), Mode.LIVE, V.UNKNOWN_OPEN),
    (Answer(302, None), Mode.LIVE, V.UNKNOWN_OPEN),
    (Answer(200, {}), Mode.LIVE, V.UNKNOWN_OPEN),
    (Answer(400, {"error": "Insufficient funds"}), Mode.LIVE, V.UNKNOWN_OPEN),
    (Answer(503, {"message": "Service Unavailable"}), Mode.LIVE, V.UNKNOWN_OPEN),  # no status: a proxy's JSON
    (Answer(408, {"message": "Request Timeout"}), Mode.LIVE, V.UNKNOWN_OPEN),
    (Answer(200, {"status": "error", "message": "Insufficient funds"}), Mode.LIVE, V.UNKNOWN_ANSWERED),
    (Answer(201, {"status": "success", "orderid": "1"}), Mode.LIVE, V.UNKNOWN_ANSWERED),
    (Answer(200, {"status": "success", "orderid": "1", "mode": "live"}), Mode.LIVE, V.ACK),
    (Answer(200, {"status": "success", "orderid": "1", "mode": "other"}), Mode.LIVE, V.HALT),
    (Answer(200, {"status": "success"}), Mode.PAPER, V.HALT),
    (Answer(400, {"status": "error", "message": "x", "mode": "analyze"}), Mode.LIVE, V.HALT),
    (Answer(400, {"status": "error", "message": "Cannot sell", "mode": "analyze", "orderid": "1"}), Mode.PAPER,
     V.UNKNOWN_ANSWERED),
    (Answer(429, {"message": "10 per 1 second"}), Mode.PAPER, V.NOT_SENT),
    (Answer(403, {"message": "Invalid API key", "status": "error", "mode": "analyze"}), Mode.PAPER,
     V.UNKNOWN_ANSWERED),
    (NoAnswer("could not connect", bytes_sent=False), Mode.LIVE, V.NOT_SENT),
    (NoAnswer("read timed out", bytes_sent=True), Mode.LIVE, V.UNKNOWN_OPEN),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "expected_mode", "verdict"), OTHER_ANSWERS)
def test_other_answers(answer: Answer | NoAnswer, expected_mode: Mode, verdict: Verdict) -> None:
    assert classify(answer, expected_mode).verdict is verdict


json_values = st.none() | st.booleans() | st.integers() | st.text(max_size=30) | st.lists(st.integers(), max_size=2)
bodies = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from(["success", "error"]) | json_values,
        "message": st.sampled_from([text for _, text, _ in BROKER_TEXTS]) | json_values,
        "mode": st.sampled_from(["live", "analyze", "semi_auto"]) | json_values,
        "orderid": st.sampled_from(["261123190000001", "None"]) | json_values,
        "pending_order_id": json_values,
    },
)


@given(st.integers(100, 599), bodies, st.sampled_from(Mode))
def test_whatever_comes_is_never_read_as_more_than_it_proves(
    status: int, body: dict[str, object] | None, expected: Mode
) -> None:
    outcome = classify(Answer(status, body), expected)
    if outcome.verdict is V.ACK:
        assert outcome.order_id
        assert status == 200
        assert (body or {}).get("status") == "success"
    elif outcome.verdict is not V.HALT:
        assert outcome.order_id is None
    if outcome.verdict in {V.REJECTED, V.NOT_SENT}:
        assert status >= 400
        text = str((body or {})["message"]).lower()
        assert "timed out" not in text
        assert "order book" not in text
    if body is None:
        assert outcome.verdict is V.UNKNOWN_OPEN
    assert outcome.http_status == status
