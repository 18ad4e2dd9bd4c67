"""Compares an answer with a recorded one by what a client relies on: keys, JSON types, words; not figures."""

from __future__ import annotations

import re
from typing import Any

EXACT = {
    "status",
    "mode",
    "order_status",
    "type",
    "code",
    "action",
    "pricetype",
    "price_type",
    "product",
    "analyze_mode",
}
"""Fields whose value is compared when both sides are single objects; rows of a list may come in any order."""
SENTENCES = {"message", "error"}

_MASKS = (
    (re.compile(r"for url '[^']+'"), "for url <broker>"),
    (re.compile(r"GTT-\d+-[0-9a-f]+"), "<gtt>"),
    (re.compile(r"TRADE-[\w-]+"), "<trade>"),
    (re.compile(r"-?\d[\d,]*(?:\.\d+)?"), "#"),
)


def masked(text: str) -> str:
    """The sentence without its figures and ids."""
    for pattern, mark in _MASKS:
        text = pattern.sub(mark, text)
    return text


def kind_of(value: Any) -> str:
    """The JSON type; a boolean is not a number."""
    names = ((type(None), "null"), (bool, "boolean"), ((int, float), "number"), (str, "string"), (list, "list"))
    return next((name for kind, name in names if isinstance(value, kind)), "object")


def differences(recorded: Any, got: Any, at: str = "", *, in_list: bool = False) -> list[str]:
    """What a client would notice, one sentence each; empty when the answers are alike."""
    if kind_of(recorded) != kind_of(got):
        return [f"{at or 'answer'}: {kind_of(recorded)} recorded, {kind_of(got)} got: {got!r:.120}"]
    if isinstance(recorded, dict):
        return _object_differences(recorded, got, at, in_list=in_list)
    if isinstance(recorded, list):
        return _list_differences(recorded, got, at)
    name = at.rpartition(".")[2]
    if name in EXACT and not in_list and recorded != got:
        return [f"{at}: {recorded!r} recorded, {got!r} got"]
    if name in SENTENCES and not in_list and masked(recorded) != masked(got):
        return [f"{at}: {recorded!r} recorded, {got!r} got"]
    return []


def _object_differences(recorded: dict[str, Any], got: dict[str, Any], at: str, *, in_list: bool) -> list[str]:
    missing, extra = sorted(recorded.keys() - got.keys()), sorted(got.keys() - recorded.keys())
    found = [f"{at or 'answer'}: missing {missing}"] if missing else []
    found += [f"{at or 'answer'}: extra {extra}"] if extra else []
    for name in recorded.keys() & got.keys():
        found += differences(recorded[name], got[name], f"{at}.{name}", in_list=in_list)
    return found


def _list_differences(recorded: list[Any], got: list[Any], at: str) -> list[str]:
    """Each row must be like one of the recorded rows, and there must be rows where there were some."""
    if bool(recorded) != bool(got):
        return [f"{at}: {len(recorded)} rows recorded, {len(got)} got"]
    found = []
    for place, row in enumerate(got):
        best = min((differences(one, row, f"{at}[{place}]", in_list=True) for one in recorded), key=len)
        found += best
    return found[:5]
