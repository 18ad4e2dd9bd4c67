"""One request on its way through a gateway, and what an endpoint declares about itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from marshmallow import Schema

from simulator.account import SimAccount
from simulator.contracts import Contract
from simulator.orders import Accepted, OrderReply, OrderRequest, Queued, Refused, Unanswered
from simulator.rest_gtt_book import GttBook
from simulator.rest_limits import READS, Limit, MovingWindow
from simulator.rest_replies import INVALID_KEY, ErrorShape, RefusedError, Reply, failure, success
from simulator.venue import Venue


class CutConnectionError(Exception):
    """The connection ends here without a reply."""


@dataclass(frozen=True)
class BrokerTrouble:
    """What the broker behind the gateway answers instead of working."""

    status: int
    reason: str
    text: str


TOKEN_DEAD = BrokerTrouble(403, "Forbidden", "Incorrect `api_key` or `access_token`.")
TOO_MANY = BrokerTrouble(429, "Too Many Requests", "Too many requests")
UNAVAILABLE = BrokerTrouble(503, "Service Unavailable", "Service unavailable")


@dataclass
class Gateway:
    """One account's OpenAlgo: what it keeps besides the account itself."""

    venue: Venue
    account: SimAccount
    window: MovingWindow
    gtt: GttBook
    preferences: dict[str, Any] = field(default_factory=dict)
    analyze_calls: int = 0

    def restart(self, venue: Venue, account: SimAccount) -> None:
        """A fresh start in a fresh market; nothing of the old one is kept."""
        self.venue, self.account = venue, account
        self.window.forget()
        self.gtt.clear()
        self.preferences.clear()
        self.analyze_calls = 0


@dataclass
class Call:
    """A request whose body the schema has accepted; `body` holds the loaded fields."""

    gateway: Gateway
    body: dict[str, Any]
    trouble: BrokerTrouble | None = None

    @property
    def account(self) -> SimAccount:
        return self.gateway.account

    @property
    def venue(self) -> Venue:
        return self.gateway.venue

    @property
    def analyze(self) -> bool:
        return self.account.analyze_mode

    @property
    def mode(self) -> dict[str, str]:
        """The field that only replies of the sandbox carry."""
        return {"mode": "analyze"} if self.analyze else {}

    def success(self, **fields: Any) -> Reply:
        """A reply of an endpoint that has both a live and a sandbox face."""
        return success(**fields, **self.mode)

    def failure(self, message: Any, status: int = 400, **fields: Any) -> Reply:
        return failure(message, status, **fields, **self.mode)

    def place(self, request: OrderRequest) -> OrderReply:
        """Places an order unless the live broker is in trouble. Raises CutConnectionError for no reply at all."""
        if self.trouble is not None and not self.analyze:
            return Refused(self.trouble.text, self.trouble.status)
        return answered(self.account.place(request))

    def contract(self, symbol: str, exchange: str) -> Contract:
        """The listed contract. Raises RefusedError with the words of the price endpoints."""
        found = self.venue.contract(symbol, exchange)
        if found is None:
            raise RefusedError(failure(unknown_symbol(symbol, exchange)))
        return found


def answered(reply: OrderReply) -> Accepted | Refused | Queued:
    if isinstance(reply, Unanswered):
        raise CutConnectionError
    return reply


def unknown_symbol(symbol: str, exchange: str) -> str:
    return (
        f"Symbol '{symbol}' not found for exchange '{exchange}'. Please verify the symbol name and ensure master "
        "contracts are downloaded."
    )


class KeyRule(Enum):
    """How far an endpoint looks at the key."""

    SESSION = "the key is known and its broker session is logged in"
    KNOWN = "the key is known"
    ANY = "any non-empty key passes"


Answer = Callable[[Call], Reply | Awaitable[Reply]]
TroubleReply = Callable[[dict[str, Any], BrokerTrouble], Reply]
KeyReply = Callable[[dict[str, Any]], Reply]


def invalid_key(_: dict[str, Any]) -> Reply:
    return failure(INVALID_KEY, 403)


@dataclass(frozen=True)
class Endpoint:
    """What the request pipeline needs to know; `name` is the path under /api/v1/ and the name on the fault board."""

    name: str
    schema: type[Schema]
    answer: Answer
    shape: ErrorShape = ErrorShape.OBJECT
    limit: Limit = READS
    key: KeyRule = KeyRule.SESSION
    method: str = "POST"
    refuse_key: KeyReply = invalid_key
    trouble: TroubleReply | None = None
    """How trouble at the broker shows; None when the endpoint itself asks (or never asks) the broker."""
    sandboxed: bool = False
    """In analyze mode it does not touch the broker."""
    sort_keys: bool = True
    crash_text: str = "An unexpected error occurred"


def direct(_: dict[str, Any], trouble: BrokerTrouble) -> Reply:
    """The broker's status and words, unchanged."""
    return failure(trouble.text, trouble.status)


def fixed(text: str) -> TroubleReply:
    return lambda _body, _trouble: failure(text, 500)


def http_text(trouble: BrokerTrouble, path: str) -> str:
    """What the gateway's HTTP library says of a broker's error answer, broker address included."""
    side = "Client" if trouble.status < 500 else "Server"
    return (
        f"{side} error '{trouble.status} {trouble.reason}' for url 'https://api.simulator.invalid{path}'\n"
        f"For more information check: https://developer.mozilla.org/en-US/docs/Web/HTTP/Status/{trouble.status}"
    )


def fetching(path: str, prefix: str = "") -> TroubleReply:
    """A 500 with the library's words; `{orderid}` in the path is filled from the body."""
    return lambda body, trouble: failure(prefix + http_text(trouble, path.format(**body)), 500)


def reading(what: str) -> TroubleReply:
    return lambda _body, trouble: failure(f"Error fetching {what}: API Error: {trouble.text}", 500)
