"""Which expiries a leg of each index can be given: the words that mean something today, and the listed dates."""

from collections.abc import Sequence
from datetime import date

from app.domain import wording
from app.domain.calendar import Phase, trading_date
from app.domain.contracts import UNDERLYINGS, ContractMaster, Underlying, underlying_named
from app.domain.errors import Refused, Unavailable
from app.domain.expiries import has_weeklies, resolve_expiry
from app.domain.strategy import ExpiryWord
from app.web.desk import Desk

_LABELS = {
    ExpiryWord.CURRENT_WEEK: "This week",
    ExpiryWord.NEXT_WEEK: "Next week",
    ExpiryWord.CURRENT_MONTH: "This month",
    ExpiryWord.NEXT_MONTH: "Next month",
}

_AFTER = {ExpiryWord.CURRENT_WEEK: ExpiryWord.NEXT_WEEK, ExpiryWord.CURRENT_MONTH: ExpiryWord.NEXT_MONTH}

Choice = dict[str, str]
"""`value` as sent and `label` as read; plain, because the page hands it to a script."""


def master_or_none(desk: Desk) -> ContractMaster | None:
    """Today's list; None while it is not there, which hides what depends on it and decides nothing."""
    try:
        return desk.contract_list.master()
    except Unavailable:
        return None


def closed_today(desk: Desk, underlying: Underlying) -> bool:
    """Whether today's session is known to be over, as a preview asks it."""
    return desk.hours.phase(underlying.exchange) is Phase.CLOSED


def expiry_choices(desk: Desk) -> dict[str, list[Choice]]:
    """For each index; without today's list of its exchange the words alone, whose dates nobody can say yet."""
    words = [_choice(word.value, label) for word, label in _LABELS.items()]
    master = master_or_none(desk)
    if master is None:
        return {underlying.name: words for underlying in UNDERLYINGS}
    today, missing = trading_date(desk.market_clock.now()), desk.contract_list.missing()
    return {
        one.name: words if one.exchange in missing else _of(master, one, today, closed=closed_today(desk, one))
        for one in UNDERLYINGS
    }


def usual_expiry(desk: Desk, underlying: str) -> ExpiryWord:
    """What a new leg starts with: the week where there are weeklies, else the month, which every index has."""
    master = master_or_none(desk)
    weekly = master is not None and has_weeklies(master.expiries(underlying))
    return ExpiryWord.CURRENT_WEEK if weekly else ExpiryWord.CURRENT_MONTH


def later_expiry(desk: Desk, underlying: str, expiry: ExpiryWord | date) -> ExpiryWord | date | None:
    """What a second, later leg starts with beside one of that expiry; None where none is listed, or nobody can say."""
    if isinstance(expiry, ExpiryWord) and expiry in _AFTER:
        return _AFTER[expiry]
    master = master_or_none(desk)
    if master is None:
        return None
    listed = master.expiries(underlying)
    try:
        today = trading_date(desk.market_clock.now())
        first = resolve_expiry(expiry, listed, today, closed_today(desk, underlying_named(underlying)), underlying)
    except (Refused, Unavailable):
        return None
    return next((day for day in listed if day > first), None)


def _of(master: ContractMaster, underlying: Underlying, today: date, *, closed: bool) -> list[Choice]:
    options = master.expiries(underlying.name)
    every = sorted({*options, *master.expiries(underlying.name, futures=True)})
    alive = [day for day in every if day > today or (day == today and not closed)]
    return [
        *_words(options, today, closed, underlying.name),
        *(_choice(day.isoformat(), wording.expiry(day)) for day in alive),
    ]


def _words(listed: Sequence[date], today: date, closed: bool, name: str) -> list[Choice]:
    found = []
    for word, label in _LABELS.items():
        try:
            day = resolve_expiry(word, listed, today, closed, name)
        except Refused:
            continue  # this index has no such expiry today: it is not offered
        found.append(_choice(word.value, f"{label}, {wording.expiry(day)}"))
    return found


def _choice(value: str, label: str) -> Choice:
    return {"value": value, "label": label}
