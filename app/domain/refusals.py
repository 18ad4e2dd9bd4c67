"""Texts by which gateway and broker certainly refuse an order, and those that leave doubt."""

import re

_FIELDS = (
    "apikey|strategy|exchange|symbol|action|quantity|pricetype|product|price|trigger_price|disclosed_quantity"
    "|underlying_ltp"
)
_TEXT = r"""(?:'[^']*'|"[^"]*")"""
_COMPLAINT = rf"(?:'(?:{_FIELDS})': \[{_TEXT}(?:, {_TEXT})*\]|'\w+': \['Unknown field\.'\])"
_VALIDATION = re.compile(rf"\{{{_COMPLAINT}(?:, {_COMPLAINT})*\}}")

_BEFORE_THE_BROKER = {
    (403, "invalid openalgo apikey"),
    (404, "broker-specific module not found"),
}
"""Status and text of refusals that the gateway makes before it calls a broker."""

_SANDBOX = re.compile(
    r"symbol .+ not found on \w+"
    r"|quantity must be in multiples of lot size \d+"
    r"|(?:limit|sl|sl-m) orders require (?:price|trigger_price|price and trigger_price)"
    r"|mis orders cannot be placed after square-off time .+"
    r"|(?:nrml|cnc) product not allowed for .+"
    r"|insufficient funds\. required: .+"
    r"|cannot place market order for .+ - unable to fetch current price\. .+"
)
"""The analyzer's own refusals, made before it stores an order."""

_DOUBT = re.compile(
    r"""
      time | order\s?book | check\ (?:the\ |your\ )?orders?\b | order\ status | may\ have\ been | might\ have\ been
    | unknown | no\ response | connection | unreachable | network | gateway | (?:pending|awaiting)\ confirmation
    """,
    re.VERBOSE,
)
"""Words after which an order may stand at the broker in spite of the refusal around them."""

_PRICE = re.compile(
    r"\blpp\b|limit price protection|circuit (?:limit|range|price|breaker)|price (?:band|range)"
    r"|(?:execution|operating) range"
)
"""Refusals of a price, which another price may escape."""

_IP = re.compile(r"\bip\b(?: address)?(?: [0-9a-f.:]+)?(?: is)? (?:not|mismatch)|\bstatic ip\b")
"""Refusals of the address that the order came from: every order of that account is refused until a person acts."""

_SIZE = r"freeze\ (?:limit|quantity|qty) | (?:quantity|qty)\ freeze | maximum\ (?:allowed\ )?(?:order\ )?quantity"
_TOO_LARGE = re.compile(_SIZE, re.VERBOSE)

_REFUSED = re.compile(
    rf"""
      \brms\s*: | (?:^|[\[(:\s])1[67]\d{{3}}\s*[:\])]
    | insufficient\ (?:fund|margin|balance|cash|holding|limit) | margin\ (?:exceed|shortfall|required|insufficient)
    | (?:fund|balance|limit)s?\ (?:is\ |are\ )?insufficient | (?:fund|margin)\ shortage | not\ enough\ (?:margin|fund)
    | {_SIZE}
    | circuit\ (?:limit|range|price|breaker) | price\ (?:band|range) | execution\ range | \blpp\b
    | limit\ price\ protection | operating\ range
    | tick\ size | multiples?\ of\ (?:the\ )?tick
    | multiples?\ of\ (?:the\ )?(?:lot|\d+) | lot\ size | market\ lot
    | \bblocked\b | \bban\ period\b | not\ allowed\ to\ trade | trading\ (?:is\ )?(?:suspended|not\ allowed)
    | orders?\ (?:are|is)\ (?:not\ allowed|not\ permitted|discontinued)
    | has\ either\ expired\ or\ does\ not\ exist | invalid\ product | invalid\ `(?:price|trigger_price|quantity)`
    | trigger\ price\ for\ stoploss
    | markets?\ (?:is|are)\ closed | exchange\ is\ closed | outside\ market\ hours | after\ market\ hours
    | incorrect\ `?api_key`?\ or\ `?access_token | (?:token|session)\ (?:is\ |has\ )?(?:invalid|expired)
    | invalid\ (?:access\ )?(?:token|session)
    | \bip\ (?:address\ )?(?:[0-9a-f.:]+\ )?(?:is\ )?not\ (?:whitelisted|allowed|registered)
    | \bstatic\ ip\b
    """,
    re.VERBOSE,
)
"""What brokers' and exchanges' risk checks say. Every pattern stands for an order that was not accepted."""


def before_the_broker(http_status: int, message: str) -> bool:
    """True for what the gateway answers when it refuses a key or has no broker: nothing was sent on."""
    return (http_status, message.strip().lower()) in _BEFORE_THE_BROKER


def is_validation(message: str) -> bool:
    """True for the gateway's complaint about fields of an order: a dict of known fields, written as text."""
    return _VALIDATION.fullmatch(message.strip()) is not None


def by_the_sandbox(message: str) -> bool:
    """True for a refusal in the analyzer's own words, which it gives before it stores an order."""
    return _SANDBOX.fullmatch(message.strip().lower()) is not None


def is_certain(message: str) -> bool:
    """True when a broker or exchange certainly refused: a known reason, and no word that leaves doubt."""
    text = message.lower()
    return _DOUBT.search(text) is None and _REFUSED.search(text) is not None


def is_about_size(message: str) -> bool:
    """True for a refusal of too many units in one order."""
    return _TOO_LARGE.search(message.lower()) is not None


def is_about_price(message: str) -> bool:
    """True for a refusal of the price alone."""
    return _PRICE.search(message.lower()) is not None


def is_about_address(message: str) -> bool:
    """True for a refusal of the network address that orders come from, as brokers want it registered."""
    return _IP.search(message.lower()) is not None
