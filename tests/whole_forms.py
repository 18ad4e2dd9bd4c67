"""Forms as they are filled right, with the names of things of `whole_app` where those stand."""

from typing import Any

ACCOUNT = {
    "name": "Another",
    "host_url": "http://127.0.0.1:2",
    "websocket_url": "ws://127.0.0.1:2",
    "api_key": "a-new-key",
    "orders_per_second": "5",
    "notes": "none",
}

STRATEGY = {
    "name": "Another",
    "structures": "1",
    "max_loss": "1000",
    "max_profit": "2000",
    "notes": "Two lines,\nof notes.",
    "legs-0-underlying": "NIFTY",
    "legs-0-kind": "CE",
    "legs-0-expiry": "current_week",
    "legs-0-strike_method": "STRIKE",
    "legs-0-strike_value": "26400",
    "legs-0-side": "SELL",
    "legs-0-ratio": "1",
    "legs-0-product": "MIS",
    "legs-0-price_type": "SL",
    "legs-0-limit_price": "118",
    "legs-0-trigger_price": "120",
    "max_workers": "3",
    "leg_failure": "retry",
    "retries": "2",
    "group_failure": "stop",
    "accounts": "{account_id}",
    "multiplier-{account_id}": "1",
    "action": "save",
}

TICKET = {
    **{name: text for name, text in STRATEGY.items() if name.startswith(("legs-", "multiplier-"))},
    "legs-0-expiry": "2026-12-01",
    "structures": "1",
    "accounts": "{account_id}",
}

PAYOFF = {
    **{name: text for name, text in STRATEGY.items() if name.startswith("legs-") or name == "structures"},
    "whatif_spot": "1.5",
    "whatif_days": "2",
    "whatif_iv": "-2.5",
}
SLIDERS = frozenset({"whatif_spot", "whatif_days", "whatif_iv"})
"""Numbers that may be below 0: what they refuse is tried in test_builder_payoff."""

KEY = "attack-key-0001"
KILL = {
    "target": "strategy:{strategy_id}",
    "foreign": "{account_id}/NFO/NIFTY01DEC2625000CE/MIS/-65",
    "idempotency_key": KEY,
}

PLACE = {"account_id": "{account_id}", "exchange": "NFO", "symbol": "NIFTY01DEC2625000CE", "product": "MIS"}
UNITS = {**PLACE, "side": "short", "units": "65"}
"""A foreign position, and how much of it."""

DAY = {
    "day": "{override_day}",
    "exchange": "NFO",
    "kind": "hours",
    "opens": "18:00",
    "closes": "19:15",
    "reason": "a circular",
}
"""The form of an override of the calendar."""

GROUP: dict[str, Any] = {
    "fields": {"name": "Another", "accounts": "{account_id}", "multiplier": "0.5"},
    "text": frozenset({"name"}),
    "optional": frozenset({"multiplier"}),
}
"""The form of a group of accounts, with which of its fields hold free text or may be left out."""

TYPED = frozenset({"name", "notes"})
STRATEGY_OPTIONAL = frozenset(
    {"max_loss", "max_profit", "max_workers", "leg_failure", "retries", "group_failure", "notes"}
)
NAMED = {
    "strategies.duplicate": "/strategies/{strategy_id}/duplicate",
    "strategies.keep_template": "/strategies/{strategy_id}/template",
    "strategies.rename_template": "/strategies/templates/{template_id}/rename",
}
"""Addresses that take a name and nothing else."""

REQUIREMENT_PLACE = {"underlying": "SENSEX", "need": "ce_or_pe_sell", "day": "other_days"}
REQUIREMENT = {**REQUIREMENT_PLACE, "amount": "190000", "source": "a page"}
KEY = "attack-key-0001"
KILL = {
    "target": "strategy:{strategy_id}",
    "foreign": "{account_id}/NFO/NIFTY01DEC2625000CE/MIS/-65",
    "idempotency_key": KEY,
}
ALONG = frozenset({"foreign"})
SETTLEMENT = {"contract": "NFO:NIFTY17NOV2625000CE", "price": "12.35"}
RULE = {
    "kind": "freeze", "underlying": "NIFTY", "value": "1800", "valid_from": "2027-01-01", "source": "a circular"
}  # fmt: skip
TARIFF = {"percent": "0.03", "cap": "20", "valid_from": "2027-01-01"}
