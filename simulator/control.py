"""The control port: how tests and people move time and prices, inject faults and see the truth. Loopback only."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any, get_args

from aiohttp import web

from simulator import control_views as views
from simulator.account import SimAccount
from simulator.control_input import Body, ControlError
from simulator.faults import Fault, FaultError
from simulator.orders import Accepted, Action, OrderRequest, PriceType, Product, Refused
from simulator.simulation import Simulation

LOOPBACK = "127.0.0.1"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Control:
    """Routes of the control port; every answer is JSON."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def start(self, port: int) -> None:
        """Raises OSError when the port is in use."""
        application = web.Application(middlewares=[readable_errors])
        application.add_routes(self._routes())
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def _routes(self) -> list[web.RouteDef]:
        return [
            web.get("/state", self._state),
            web.get("/clock", self._clock),
            web.get("/truth", self._truth),
            web.post("/speed", self._speed),
            web.post("/pause", self._pause),
            web.post("/advance", self._advance),
            web.post("/index/move", self._move_index),
            web.post("/price", self._price),
            web.get("/faults", self._faults),
            web.post("/faults", self._add_fault),
            web.delete("/faults", self._clear_faults),
            web.delete("/faults/{id}", self._remove_fault),
            web.post("/accounts/{number}/mode", self._mode),
            web.post("/accounts/{number}/logout", self._log_out),
            web.post("/accounts/{number}/relogin", self._log_in),
            web.post("/scenario", self._scenario),
            web.post("/foreign-order", self._foreign_order),
            web.post("/reset", self._reset),
        ]

    # what is

    async def _state(self, _: web.Request) -> web.Response:
        return web.json_response(views.state(self._simulation))

    async def _clock(self, _: web.Request) -> web.Response:
        return web.json_response(views.clock(self._simulation.venue))

    async def _truth(self, _: web.Request) -> web.Response:
        return web.json_response(views.truth(self._simulation.venue))

    async def _faults(self, _: web.Request) -> web.Response:
        return web.json_response(views.faults(self._simulation.venue))

    # time and prices

    async def _speed(self, request: web.Request) -> web.Response:
        body = await body_of(request, "speed")
        try:
            self._simulation.venue.clock.set_speed(body.number("speed"))
        except ValueError as error:
            raise ControlError("speed", str(error)) from error
        return await self._clock(request)

    async def _pause(self, request: web.Request) -> web.Response:
        await body_of(request)
        self._simulation.venue.clock.set_speed(0)
        return await self._clock(request)

    async def _advance(self, request: web.Request) -> web.Response:
        body = await body_of(request, "seconds")
        await self._simulation.advance(body.number("seconds", least=0))
        return await self._clock(request)

    async def _move_index(self, request: web.Request) -> web.Response:
        body = await body_of(request, "name", "percent", "points", "to", "over_seconds")
        name, over_s = body.text("name"), body.number("over_seconds", 0.0, least=0)
        given = [way for way in ("percent", "points", "to") if body.has(way)]
        if len(given) != 1:
            raise ControlError("percent", "give exactly one of percent, points, to")
        market = self._simulation.venue.market
        amount = body.number(given[0])
        try:
            if given[0] == "to":
                amount = amount - market.spot(name)
            percent = amount if given[0] == "percent" else None
            points = None if given[0] == "percent" else amount
            market.move_index(name, percent=percent, points=points, over_seconds=over_s)
        except (ValueError, KeyError) as error:
            raise ControlError("name", f"{error}") from error
        return web.json_response({"status": "success", "spot": market.spot(name)})

    async def _price(self, request: web.Request) -> web.Response:
        body = await body_of(request, "symbol", "exchange", "price")
        venue = self._simulation.venue
        contract = venue.contract(body.text("symbol"), body.text("exchange"))
        if contract is None:
            raise ControlError("symbol", "no such contract on this exchange")
        venue.market.set_price(contract, body.number("price", least=0.05))
        return web.json_response({"status": "success", "ltp": venue.market.quote(contract).ltp})

    # faults

    async def _add_fault(self, request: web.Request) -> web.Response:
        body = await body_of(
            request, "name", "account", "endpoint", "parameters", "remaining", "probability", "lasts_s"
        )
        fault = Fault(
            name=body.text("name"),
            account=body.optional_integer("account"),
            endpoint=body.optional_text("endpoint"),
            parameters=body.mapping("parameters"),
            remaining=body.optional_integer("remaining"),
            probability=body.number("probability", 1.0),
            lasts_s=body.optional_number("lasts_s"),
        )
        if fault.account is not None:
            self._account(fault.account, "account")
        try:
            added = self._simulation.venue.faults.add(fault)
        except FaultError as error:
            raise ControlError(error.field_name, error.text) from error
        return web.json_response(added.as_json())

    async def _clear_faults(self, request: web.Request) -> web.Response:
        self._simulation.venue.faults.clear()
        return await self._faults(request)

    async def _remove_fault(self, request: web.Request) -> web.Response:
        number = request.match_info["id"]
        if not number.isdigit() or not self._simulation.venue.faults.remove(int(number)):
            raise ControlError("id", f"no fault {number} on the board")
        return await self._faults(request)

    # accounts

    def _account(self, number: int, field: str = "number") -> SimAccount:
        account = self._simulation.venue.account(number)
        if account is None:
            raise ControlError(field, f"no account {number}; there are {len(self._simulation.venue.accounts)}")
        return account

    def _account_in(self, request: web.Request) -> SimAccount:
        number = request.match_info["number"]
        if not number.isdigit():
            raise ControlError("number", "accounts are numbered from 1")
        return self._account(int(number))

    async def _mode(self, request: web.Request) -> web.Response:
        account = self._account_in(request)
        body = await body_of(request, "mode")
        account.set_mode(analyze=body.choice("mode", ("live", "analyze")) == "analyze")
        return web.json_response(views.account(self._simulation, account))

    async def _log_out(self, request: web.Request) -> web.Response:
        account = self._account_in(request)
        await body_of(request)
        account.log_out()
        return web.json_response(views.account(self._simulation, account))

    async def _log_in(self, request: web.Request) -> web.Response:
        account = self._account_in(request)
        body = await body_of(request, "new_token")
        account.log_in(new_token=body.flag("new_token", True))
        return web.json_response(views.account(self._simulation, account))

    async def _foreign_order(self, request: web.Request) -> web.Response:
        names = ("account", "symbol", "exchange", "action", "quantity", "pricetype", "product", "price")
        body = await body_of(request, *names, "trigger_price")
        account = self._account(body.integer("account"), "account")
        wanted = OrderRequest(
            symbol=body.text("symbol"),
            exchange=body.text("exchange"),
            action=body.choice("action", get_args(Action)),  # type: ignore[arg-type] # checked just there
            units=body.integer("quantity"),
            pricetype=body.choice("pricetype", get_args(PriceType), "MARKET"),  # type: ignore[arg-type]
            product=body.choice("product", get_args(Product), "NRML"),  # type: ignore[arg-type]
            price=Decimal(str(body.number("price", 0.0, least=0))),
            trigger_price=Decimal(str(body.number("trigger_price", 0.0, least=0))),
        )
        if self._simulation.venue.contract(wanted.symbol, wanted.exchange) is None:
            raise ControlError("symbol", "no such contract on this exchange")
        reply = account.place_foreign(wanted)
        if isinstance(reply, Refused):
            raise ControlError("order", reply.text)
        return web.json_response({"status": "success", "orderid": reply.orderid if isinstance(reply, Accepted) else ""})

    # the whole

    async def _scenario(self, request: web.Request) -> web.Response:
        body = await body_of(request, "name")
        try:
            self._simulation.venue.load_scenario(body.text("name"))
        except ValueError as error:
            raise ControlError("name", str(error)) from error
        return await self._clock(request)

    async def _reset(self, request: web.Request) -> web.Response:
        await body_of(request)
        self._simulation.reset()
        return await self._state(request)


async def body_of(request: web.Request, *names: str) -> Body:
    """The request's object; an empty body is an empty object. Raises ControlError."""
    raw = await request.read()
    try:
        fields = json.loads(raw or b"{}")
    except ValueError as error:
        raise ControlError("body", f"is not JSON: {error}") from error
    if not isinstance(fields, dict):
        raise ControlError("body", "give a JSON object")
    body = Body(fields)
    body.only(*names)
    return body


@web.middleware
async def readable_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A wrong field is 400 and names it; an unknown path lists nothing and stays 404."""
    try:
        return await handler(request)
    except ControlError as error:
        answer: dict[str, Any] = {"status": "error", "field": error.field, "message": error.text}
        return web.json_response(answer, status=400)
