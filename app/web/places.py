"""A foreign position as forms and scripts name it: account, contract, product, side, units, average, rules; or as the
kill switch does, in one word.
"""

import re
from collections.abc import Sequence
from decimal import Decimal

from werkzeug.datastructures import MultiDict

from app.domain.contracts import ContractKey
from app.domain.errors import InvalidInput
from app.services.book_ledger import Place
from app.services.given_rules import Chosen
from app.services.taken_along import Ticked

PLACE_FIELDS = frozenset({"account_id", "exchange", "symbol", "product"})
UNITS_FIELDS = frozenset({"side", "units"})
RULES_FIELDS = frozenset({"strategy_id", "rules"})

_ID = re.compile(r"[0-9]{1,9}")
_WORD = re.compile(r"(?=.*[A-Z])[A-Z0-9][A-Z0-9&_.-]{0,63}")
_UNITS = re.compile(r"[0-9]{1,9}")
_SIGNS = {"long": 1, "short": -1}
_PRICE = re.compile(r"[0-9]{1,7}(?:\.[0-9]{1,4})?")
_SIGNED = re.compile(r"[+-]?0*[1-9][0-9]{0,8}")
_TICKED = (_ID, _WORD, _WORD, _WORD, _SIGNED)
_DIGEST = re.compile(r"[0-9a-f]{64}")
_RELOAD = "Reload the page and try again."


def place_in(form: MultiDict[str, str]) -> Place:
    """Raises InvalidInput naming the field."""
    account_id = form.get("account_id", "")
    if not _ID.fullmatch(account_id):
        raise InvalidInput("account_id", f"The account is not named (account_id). {_RELOAD}")
    exchange, symbol, product = (_word(form, name) for name in ("exchange", "symbol", "product"))
    return int(account_id), ContractKey(exchange, symbol), product


def units_in(form: MultiDict[str, str]) -> int:
    """Signed, not 0, from `side` and `units`. Raises InvalidInput."""
    sign = _SIGNS.get(form.get("side", ""))
    if sign is None:
        raise InvalidInput("side", f"side must be long or short. {_RELOAD}")
    text = form.get("units", "")
    if not _UNITS.fullmatch(text) or not int(text):
        raise InvalidInput("units", f"units must be the whole number that was shown. {_RELOAD}")
    return sign * int(text)


def average_in(form: MultiDict[str, str]) -> Decimal | None:
    """None when it is left out. Raises InvalidInput for what is no price above 0."""
    text = form.get("average", "").strip()
    if not text:
        return None
    if not _PRICE.fullmatch(text) or not Decimal(text) > 0:
        raise InvalidInput("average", "Type the average as a price above 0 without commas, such as 101.25.")
    return Decimal(text)


def chosen_rules_in(form: MultiDict[str, str]) -> Chosen | None:
    """The strategy and what was shown of its rules; None where neither is given. Raises InvalidInput."""
    strategy_id, digest = form.get("strategy_id", ""), form.get("rules", "")
    if not strategy_id and not digest:
        return None
    if not _ID.fullmatch(strategy_id):
        raise InvalidInput("strategy_id", f"strategy_id must be the number of a strategy. {_RELOAD}")
    if not _DIGEST.fullmatch(digest):
        raise InvalidInput("rules", f"rules must be the 64 letters and digits that were shown with them. {_RELOAD}")
    return Chosen(int(strategy_id), digest)


def ticked_in(texts: Sequence[str]) -> tuple[Ticked, ...]:
    """Foreign positions as the kill switch names them, such as `3/NFO/NIFTY01DEC2626400CE/MIS/-130`.

    Raises InvalidInput for another text.
    """
    return tuple(_ticked(text) for text in texts)


def _ticked(text: str) -> Ticked:
    parts = text.split("/")
    if len(parts) == len(_TICKED) and all(form.fullmatch(part) for form, part in zip(_TICKED, parts, strict=True)):
        account_id, exchange, symbol, product, units = parts
        return Ticked(int(account_id), exchange, symbol, product, int(units))
    words = "foreign must name account, exchange, symbol, product and signed units, as they are shown."
    raise InvalidInput("foreign", f"{words} {_RELOAD}")


def _word(form: MultiDict[str, str], name: str) -> str:
    text = form.get(name, "")
    if not _WORD.fullmatch(text):
        raise InvalidInput(name, f"{name} must be the word that was shown. {_RELOAD}")
    return text
