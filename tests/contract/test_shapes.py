"""The comparison behind the contract suite notices what a client would."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.shapes import differences, masked

RECORDED = {
    "status": "success",
    "message": "Found 2 rows",
    "data": [{"price": 1.5, "symbol": "A", "reason": None}, {"price": "1.50", "symbol": "B", "reason": "x"}],
}


@pytest.mark.parametrize(
    "got",
    [
        RECORDED,
        {**RECORDED, "message": "Found 17 rows"},
        {**RECORDED, "data": [{"price": 2, "symbol": "C", "reason": None}]},
    ],
)
def test_figures_may_differ(got: Any) -> None:
    assert differences(RECORDED, got) == []


@pytest.mark.parametrize(
    "got",
    [
        {**RECORDED, "status": "error"},
        {**RECORDED, "message": "Found no rows"},
        {**RECORDED, "mode": "analyze"},
        {"status": "success", "message": "Found 2 rows"},
        {**RECORDED, "data": []},
        {**RECORDED, "data": {}},
        {**RECORDED, "data": None},
        {**RECORDED, "data": [{"price": True, "symbol": "C", "reason": None}]},
        {**RECORDED, "data": [{"price": 1.0, "symbol": None, "reason": None}]},
        {**RECORDED, "data": [{"price": 1.0, "reason": None}]},
    ],
)
def test_keys_types_and_words_may_not(got: Any) -> None:
    assert differences(RECORDED, got)


def test_ids_and_figures_are_masked() -> None:
    assert masked("No active GTT with trigger_id 'GTT-261123-0d45f0cf'") == "No active GTT with trigger_id '<gtt>'"
    assert masked("Required: ₹1,398,900.0, Available: -9.5") == "Required: ₹#, Available: #"
