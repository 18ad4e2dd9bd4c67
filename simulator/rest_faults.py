"""The fault board's HTTP side: what it does to a request before, instead of and after the work."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from simulator.account import SimAccount
from simulator.faults import Fault, FaultBoard
from simulator.rest_call import TOKEN_DEAD, TOO_MANY, UNAVAILABLE, BrokerTrouble, CutConnectionError
from simulator.rest_replies import Reply, failure

Work = Callable[[], Awaitable[Reply]]

PROXY_PAGE = "<html><head><title>{0} Bad Gateway</title></head><body><h1>{0} Bad Gateway</h1></body></html>"
JITTER = random.Random(7)  # of its own, so that slow replies never move a price
TROUBLES = {"token_dead": TOKEN_DEAD, "broker_429": TOO_MANY, "broker_503": UNAVAILABLE}


@dataclass(frozen=True)
class Faulted:
    """A reply, and after how many bytes of its body the connection breaks (None: it does not)."""

    reply: Reply
    stop_after: int | None = None


@dataclass(frozen=True)
class RequestFaults:
    """Asks the board on behalf of one request of one account."""

    board: FaultBoard
    account: SimAccount
    endpoint: str

    def hit(self, name: str) -> Fault | None:
        return self.board.match(name, self.account.number, self.endpoint)

    def session_ok(self) -> bool:
        return self.account.session_ok and self.hit("session_revoked") is None

    def trouble(self) -> BrokerTrouble | None:
        if not self.account.token_ok:
            return TOKEN_DEAD
        return next((trouble for name, trouble in TROUBLES.items() if self.hit(name)), None)

    async def run(self, work: Work) -> Faulted:
        """Does the work as far as the board lets it. Raises CutConnectionError for no reply at all."""
        self._flip_switches()
        if self.hit("refuse_connection"):
            raise CutConnectionError
        await self._wait()
        reply = await self._instead(work)
        if reply is None:
            reply = self._changed(await work())
            if self.hit("lost_reply"):
                raise CutConnectionError
        broken = self.hit("truncated_body")
        return Faulted(reply, None if broken is None else broken.parameters["bytes"])

    def _flip_switches(self) -> None:
        """Things somebody else does to the gateway at this very moment."""
        switched = self.hit("mode_switch")
        if switched is not None:
            self.account.set_mode(analyze=switched.parameters["analyze"])
            self.board.remove(switched.id)
        renewed = self.hit("relogin_new_token")
        if renewed is not None:
            self.account.log_in(new_token=True)
            self.board.remove(renewed.id)

    async def _wait(self) -> None:
        slow = self.hit("latency")
        if slow is not None:
            await asyncio.sleep(slow.parameters["seconds"] + JITTER.uniform(0, slow.parameters["jitter_s"]))

    async def _instead(self, work: Work) -> Reply | None:
        """The reply that takes the place of the real one; None lets the work answer."""
        for name, reply_of in INSTEAD.items():
            fault = self.hit(name)
            if fault is not None:
                if fault.parameters.get("works"):
                    await work()
                return await reply_of(fault.parameters)
        return None

    def _changed(self, reply: Reply) -> Reply:
        if reply.content_type != "application/json":
            return reply
        for name, change in CHANGES.items():
            if self.hit(name):
                reply = replace(reply, body=change(reply.body))
        return reply


async def _hang(parameters: dict[str, Any]) -> Reply:
    await asyncio.sleep(parameters["seconds"])
    raise CutConnectionError


async def _rate_limited(parameters: dict[str, Any]) -> Reply:
    return Reply({"message": parameters["text"]}, 429)


async def _http_error(parameters: dict[str, Any]) -> Reply:
    return failure(parameters["text"], parameters["status"])


async def _html_error(parameters: dict[str, Any]) -> Reply:
    status = parameters["status"]
    return Reply(PROXY_PAGE.format(status), status, content_type="text/html")


INSTEAD: dict[str, Callable[[dict[str, Any]], Awaitable[Reply]]] = {
    "hang": _hang,
    "rate_limited": _rate_limited,
    "http_error": _http_error,
    "html_error": _html_error,
}


def _map_fields(value: Any, change: Callable[[str, Any], Any]) -> Any:
    if isinstance(value, dict):
        return {name: change(name, _map_fields(inner, change)) for name, inner in value.items()}
    if isinstance(value, list):
        return [_map_fields(inner, change) for inner in value]
    return value


def _integer_ids(body: Any) -> Any:
    def change(name: str, value: Any) -> Any:
        return int(value) if name == "orderid" and isinstance(value, str) and value.isdigit() else value

    return _map_fields(body, change)


def _averages_as_text(body: Any) -> Any:
    def change(name: str, value: Any) -> Any:
        return f"{value:.2f}" if name == "average_price" and isinstance(value, int | float) else value

    return _map_fields(body, change)


def _not_a_number(body: Any) -> Any:
    """Figures that a broker's adapter computed by dividing by nothing."""

    def change(name: str, value: Any) -> Any:
        return float("nan") if name in {"pnl", "pnlpercent", "m2munrealized", "average_price"} else value

    return _map_fields(body, change)


CHANGES: dict[str, Callable[[Any], Any]] = {
    "orderid_int": _integer_ids,
    "avg_string": _averages_as_text,
    "nan_values": _not_a_number,
}
