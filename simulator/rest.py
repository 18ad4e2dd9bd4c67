"""The REST side of one gateway: an HTTP port whose every request runs through one pipeline."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable
from typing import Any

from aiohttp import web
from marshmallow import ValidationError

from simulator import rest_books, rest_calendar, rest_gtt, rest_market, rest_options, rest_options_orders, rest_orders
from simulator.rest_call import Call, CutConnectionError, Endpoint, Gateway, KeyRule
from simulator.rest_faults import Faulted, RequestFaults
from simulator.rest_market import TICKER_PATH
from simulator.rest_replies import BAD_JSON, RefusedError, Reply, failure, invalid, not_found

PREFIX = "/api/v1/"
IDLE_S = 2.0
"""Idle connections are closed after this long, without a word: the original's server does so."""

_MODULES = (rest_orders, rest_books, rest_market, rest_calendar, rest_options, rest_options_orders, rest_gtt)


def all_endpoints() -> Iterable[Endpoint]:
    for module in _MODULES:
        yield from module.endpoints()


ROUTES = {(endpoint.method, endpoint.name): endpoint for endpoint in all_endpoints()}


class RestSide:
    """Answers the HTTP requests of one gateway. Lives on one event loop."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._runner: web.ServerRunner | None = None

    async def start(self, host: str, port: int) -> int:
        """Listens and answers the port really taken. Raises OSError when it is in use."""
        server = web.Server(self.serve, keepalive_timeout=IDLE_S, access_log=None)
        self._runner = web.ServerRunner(server, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port, reuse_address=True)
        await site.start()
        taken: int = self._runner.addresses[0][1]
        return taken

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        endpoint, path_fields = find(request.method, request.path)
        if endpoint is None:
            return respond(not_found(request.path))
        faults = RequestFaults(self._gateway.venue.faults, self._gateway.account, endpoint.name)

        async def work() -> Reply:
            return await self._answer(request, endpoint, path_fields, faults)

        try:
            outcome = await faults.run(work)
        except CutConnectionError:
            return cut(request)
        if outcome.stop_after is None:
            return respond(outcome.reply, sort_keys=endpoint.sort_keys)
        return await break_off(request, outcome, sort_keys=endpoint.sort_keys)

    async def _answer(
        self, request: web.BaseRequest, endpoint: Endpoint, path_fields: dict[str, str], faults: RequestFaults
    ) -> Reply:
        window = self._gateway.window
        if not window.admits(request.remote or "", f"{endpoint.method} {endpoint.name}", endpoint.limit):
            return Reply({"message": endpoint.limit.text}, 429)
        try:
            raw = await body_of(request, endpoint) if endpoint.method == "POST" else query_of(request, endpoint)
            body = load(endpoint, raw | path_fields, analyze=self._gateway.account.analyze_mode)
            self._check_key(endpoint, body, faults)
            return await self._work(endpoint, body, faults)
        except RefusedError as refusal:
            return refusal.reply

    def _check_key(self, endpoint: Endpoint, body: dict[str, Any], faults: RequestFaults) -> None:
        if endpoint.key is KeyRule.ANY:
            return
        known = body["apikey"] == self._gateway.account.api_key
        if not known or (endpoint.key is KeyRule.SESSION and not faults.session_ok()):
            raise RefusedError(endpoint.refuse_key(body))

    async def _work(self, endpoint: Endpoint, body: dict[str, Any], faults: RequestFaults) -> Reply:
        analyze = self._gateway.account.analyze_mode
        self._gateway.analyze_calls += int(analyze)
        trouble = faults.trouble()
        if trouble is not None and endpoint.trouble is not None and not (endpoint.sandboxed and analyze):
            return endpoint.trouble(body, trouble)
        reply = endpoint.answer(Call(self._gateway, body, trouble))
        return await reply if inspect.isawaitable(reply) else reply


def find(method: str, path: str) -> tuple[Endpoint | None, dict[str, str]]:
    """The endpoint of a request and what its path says; a slash at the end is optional."""
    if not path.startswith(PREFIX):
        return None, {}
    name = path.removeprefix(PREFIX).rstrip("/")
    in_path = TICKER_PATH.match(name)
    if in_path is not None:
        return ROUTES.get((method, "ticker")), in_path.groupdict()
    return (None if name == "ticker" else ROUTES.get((method, name))), {}


async def body_of(request: web.BaseRequest, endpoint: Endpoint) -> dict[str, Any]:
    """The JSON object of a POST. Raises RefusedError as the original's web framework would."""
    if request.content_type != "application/json":
        raise RefusedError(failure(endpoint.crash_text, 500))
    try:
        body = json.loads(await request.read())
    except ValueError:
        raise RefusedError(Reply({"message": BAD_JSON}, 400)) from None
    if not isinstance(body, dict):
        raise RefusedError(Reply({"message": "Internal Server Error"}, 500))
    return body


def query_of(request: web.BaseRequest, endpoint: Endpoint) -> dict[str, Any]:
    """The query string of a GET; instruments passes its two main fields on as null when absent."""
    asked: dict[str, Any] = dict(request.query)
    if endpoint.name == "instruments":
        return {"apikey": None, "exchange": None} | asked
    return asked


def load(endpoint: Endpoint, raw: dict[str, Any], *, analyze: bool) -> dict[str, Any]:
    """The body by the endpoint's schema. Raises RefusedError in the endpoint's error shape."""
    try:
        loaded: dict[str, Any] = endpoint.schema().load(raw)
    except ValidationError as error:
        raise RefusedError(invalid(endpoint.shape, error.messages, analyze=analyze)) from None
    return loaded


def respond(reply: Reply, *, sort_keys: bool = True) -> web.Response:
    return web.Response(
        text=reply.text(sort_keys=sort_keys),
        status=reply.status,
        content_type=reply.content_type,
        headers=reply.headers,
    )


def cut(request: web.BaseRequest) -> web.Response:
    """Ends the connection at once; the response object returned never arrives."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def break_off(request: web.BaseRequest, outcome: Faulted, *, sort_keys: bool) -> web.StreamResponse:
    """Promises the whole body, sends the first bytes of it, and closes."""
    body = outcome.reply.text(sort_keys=sort_keys).encode()
    response = web.StreamResponse(status=outcome.reply.status, headers=outcome.reply.headers)
    response.content_type = outcome.reply.content_type
    response.content_length = len(body)
    await response.prepare(request)
    await response.write(body[: outcome.stop_after])
    if request.transport is not None:
        request.transport.close()
    return response
