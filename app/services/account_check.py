"""Trying a gateway before an account is saved: each way it can fail names the field that is wrong, and the fix."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from app.domain.books import Funds, OrderUpdate
from app.domain.errors import InvalidInput
from app.domain.plan import Mode
from app.ports.clock import Clock
from app.ports.feed import Drop, FeedFactory, Tick
from app.ports.gateway import (
    GatewayAddress,
    GatewayError,
    GatewayFactory,
    LoggedOut,
    NotOpenAlgo,
    RateLimited,
    TimedOut,
    Unreachable,
    WrongKey,
)

LONGEST_ADDRESS = 255


@dataclass(frozen=True, slots=True)
class GatewayFacts:
    """What a gateway says of itself: its broker, the mode it is in, the funds of its account."""

    broker: str
    mode: Mode
    funds: Funds
    latency_ms: int


class AccountCheck:
    """Calls a gateway as it will be called later: ping, funds, mode, then the feed. Thread-safe."""

    def __init__(self, gateways: GatewayFactory, feeds: FeedFactory, clock: Clock) -> None:
        self._gateways = gateways
        self._feeds = feeds
        self._clock = clock

    def try_out(self, address: GatewayAddress) -> GatewayFacts:
        """Raises InvalidInput naming `host_url`, `api_key` or `websocket_url`, with a sentence that says the fix."""
        gateway = self._gateways(address)
        try:
            begun = self._clock.monotonic()
            broker = gateway.broker()
            latency_ms = round((self._clock.monotonic() - begun) * 1000)
            funds = gateway.funds()
            mode = gateway.mode()
        except GatewayError as error:
            raise _of_gateway(error, address.host_url) from error
        finally:
            gateway.close()
        self._try_feed(address)
        return GatewayFacts(broker, mode, funds, latency_ms)

    def _try_feed(self, address: GatewayAddress) -> None:
        try:
            self._feeds(address, _Deaf()).close()
        except GatewayError as error:
            raise _of_feed(error, address.websocket_url) from error


class _Deaf:
    """Listens to a feed that is only opened to see whether it opens."""

    def ticks(self, ticks: Sequence[Tick]) -> None:
        """Nobody asked."""

    def order_update(self, update: OrderUpdate) -> None:
        """Nobody asked."""

    def dropped_frame(self, kind: Drop, reason: str) -> None:
        """Nobody asked."""


def _of_gateway(error: GatewayError, host_url: str) -> InvalidInput:
    match error:
        case WrongKey():
            return InvalidInput(
                "api_key", "The gateway does not know this API key. Copy it again from OpenAlgo's API key page."
            )
        case LoggedOut():
            return InvalidInput(
                "host_url",
                "The key is right, but the gateway is not logged in to its broker. Log in there, then save again.",
            )
        case TimedOut():
            return InvalidInput(
                "host_url",
                f"{host_url} took the connection but did not answer in time. See whether OpenAlgo is well there.",
            )
        case Unreachable():
            return InvalidInput(
                "host_url", f"Nothing can be reached at {host_url}. Check host and port, and that OpenAlgo is running."
            )
        case NotOpenAlgo():
            return InvalidInput(
                "host_url", f"Something answers at {host_url}, but it is not OpenAlgo. Check host and port."
            )
        case RateLimited():
            return InvalidInput("host_url", "The gateway says it is asked too often. Wait a second and save again.")
    return InvalidInput("host_url", f"The gateway answered with an error: {error}")


def _of_feed(error: GatewayError, websocket_url: str) -> InvalidInput:
    match error:
        case WrongKey():
            return InvalidInput(
                "websocket_url",
                "The market data port is another gateway's: it does not know the key that the gateway address took.",
            )
        case LoggedOut():
            return InvalidInput(
                "websocket_url", "The market data port has no broker session. Log in to the broker in OpenAlgo first."
            )
        case TimedOut():
            return InvalidInput("websocket_url", f"{websocket_url} did not answer in time. Check host and port.")
        case Unreachable():
            return InvalidInput(
                "websocket_url",
                f"Nothing can be reached at {websocket_url}. OpenAlgo's market data port is usually 8765.",
            )
        case NotOpenAlgo():
            return InvalidInput(
                "websocket_url", f"Something answers at {websocket_url}, but it is not OpenAlgo's market data port."
            )
    return InvalidInput("websocket_url", f"The market data port answered with an error: {error}")


def checked_address(field: str, text: str, schemes: tuple[str, str]) -> str:
    """`text` as scheme, host and port in one spelling. Raises InvalidInput naming `field` for anything else."""
    parts = _split(field, text)
    if parts.scheme not in schemes or not parts.hostname:
        raise InvalidInput(field, f"Begin with {schemes[0]}:// or {schemes[1]}://, then host and port.")
    if parts.username or parts.password or "@" in parts.netloc:
        raise InvalidInput(field, "Leave out user name and password: the key is sent in another way.")
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise InvalidInput(field, "Stop after host and port: nothing may follow them.")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{_port(field, parts)}"


def _split(field: str, text: str) -> SplitResult:
    if not text or len(text) > LONGEST_ADDRESS:
        raise InvalidInput(field, f"Type an address of at most {LONGEST_ADDRESS} characters.")
    if not text.isascii() or any(
        letter.isspace() or not letter.isprintable() or letter in "\\<>\"'`" for letter in text
    ):
        raise InvalidInput(field, "Use plain letters, digits, dots, dashes and colons only.")
    try:
        return urlsplit(text)
    except ValueError:
        raise InvalidInput(field, "This is not an address. It looks like http://127.0.0.1:5000.") from None


def _port(field: str, parts: SplitResult) -> str:
    try:
        port = parts.port
    except ValueError:
        raise InvalidInput(field, "The port must be a number from 1 to 65535.") from None
    if port == 0:
        raise InvalidInput(field, "The port must be a number from 1 to 65535.")
    usual = {"http": 80, "ws": 80, "https": 443, "wss": 443}[parts.scheme]
    return "" if port in {None, usual} else f":{port}"
