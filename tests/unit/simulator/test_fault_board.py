"""The fault board: rules are checked when put up, matched by scope, and spent."""

from typing import Any

import pytest

from simulator.fault_names import FAULTS, FaultError, Parameter, checked_parameters
from simulator.faults import Fault, FaultBoard

SAMPLES: dict[type, Any] = {float: 1.0, int: 500, str: "x", bool: True}


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_every_known_fault_can_be_put_up_with_its_required_parameters(name: str) -> None:
    kind = FAULTS[name]
    needed = {key: SAMPLES[p.kind] for key, p in kind.parameters.items() if p.default is not None and _required(p)}
    rule = FaultBoard(1).add(Fault(name, parameters=needed))
    assert set(rule.parameters) == set(kind.parameters)
    assert kind.sentence.endswith(".")
    assert kind.side in {"core", "wire"}


def _required(parameter: Parameter) -> bool:
    return not isinstance(parameter.default, bool | int | float | str)


@pytest.mark.parametrize(
    ("fault", "field"),
    [
        (Fault("no_such_thing"), "name"),
        (Fault("latency"), "parameters.seconds"),
        (Fault("latency", parameters={"seconds": "3"}), "parameters.seconds"),
        (Fault("latency", parameters={"seconds": True}), "parameters.seconds"),
        (Fault("latency", parameters={"seconds": -1}), "parameters.seconds"),
        (Fault("latency", parameters={"seconds": 1, "minutes": 2}), "parameters.minutes"),
        (Fault("hang", parameters={"works": 1}), "parameters.works"),
        (Fault("ws_drop", account=0), "account"),
        (Fault("ws_drop", remaining=0), "remaining"),
        (Fault("ws_drop", probability=0), "probability"),
        (Fault("ws_drop", probability=1.5), "probability"),
        (Fault("ws_drop", lasts_s=0), "lasts_s"),
    ],
)
def test_a_wrong_rule_is_refused_and_the_field_named(fault: Fault, field: str) -> None:
    board = FaultBoard(1)
    with pytest.raises(FaultError) as refusal:
        board.add(fault)
    assert refusal.value.field_name == field
    assert refusal.value.text
    assert board.list() == []


def test_whole_numbers_serve_as_seconds_and_defaults_are_filled_in() -> None:
    assert checked_parameters("latency", {"seconds": 2}) == {"seconds": 2.0, "jitter_s": 0.0}


def test_scope_by_account_and_endpoint() -> None:
    board = FaultBoard(1)
    board.add(Fault("broker_429", account=2, endpoint="quotes"))
    assert board.match("broker_429", 2, "quotes") is not None
    assert board.match("broker_429", 1, "quotes") is None
    assert board.match("broker_429", 2, "funds") is None
    assert board.match("broker_503", 2, "quotes") is None


def test_remaining_is_spent_by_match_and_not_by_standing() -> None:
    board = FaultBoard(1)
    rule = board.add(Fault("lost_reply", remaining=2))
    assert board.standing("lost_reply", 1, "placeorder") is not None
    assert [board.match("lost_reply", 1, "placeorder") is not None for _ in range(3)] == [True, True, False]
    assert not board.has(rule.id)


def test_a_rule_with_an_end_leaves_after_real_time() -> None:
    board = FaultBoard(1)
    board.add(Fault("ws_silent", lasts_s=5))
    board.pass_real(4.9)
    assert board.standing("ws_silent") is not None
    board.pass_real(0.2)
    assert board.list() == []


def test_probability_is_a_share_of_the_matches_and_the_same_for_the_same_seed() -> None:
    def strikes(seed: int) -> list[bool]:
        board = FaultBoard(seed)
        board.add(Fault("lost_reply", probability=0.3))
        return [board.match("lost_reply") is not None for _ in range(500)]

    assert strikes(1) == strikes(1) != strikes(2)
    assert 110 < sum(strikes(1)) < 190


def test_remove_clear_and_the_row_for_the_control_port() -> None:
    board = FaultBoard(1)
    rule = board.add(Fault("latency", account=3, parameters={"seconds": 1}))
    assert rule.as_json() == {
        "id": rule.id, "name": "latency", "account": 3, "endpoint": None, "remaining": None, "probability": 1.0,
        "lasts_s": None, "parameters": {"seconds": 1.0, "jitter_s": 0.0},
    }  # fmt: skip
    assert board.remove(rule.id)
    assert not board.remove(rule.id)
    board.add(Fault("ws_drop"))
    board.clear()
    assert board.list() == []


def test_orders_can_be_picked_by_symbol_pattern_and_action() -> None:
    board = FaultBoard(1)
    board.add(Fault("reject_order", parameters={"symbol": "NIFTY*CE", "action": "sell"}))
    assert board.match_order("reject_order", 1, "NIFTY01DEC2625000CE", "SELL") is not None
    assert board.match_order("reject_order", 1, "NIFTY01DEC2625000CE", "BUY") is None
    assert board.match_order("reject_order", 1, "NIFTY01DEC2625000PE", "SELL") is None


def test_the_first_name_asked_for_wins() -> None:
    board = FaultBoard(1)
    board.add(Fault("broker_503"))
    board.add(Fault("broker_429"))
    hit = board.match_any(("broker_429", "broker_503"))
    assert hit is not None
    assert hit.name == "broker_429"
    assert board.match_any(("ws_drop",)) is None
