"""The three calls that act on an order: each sent once, each ending in an outcome and never in an exception."""

import json
from dataclasses import replace

from app.adapters.openalgo import answers
from app.adapters.openalgo.connection import GatewayConnection, Pace, Route
from app.adapters.openalgo.failures import CallFailed
from app.domain.orders import ModifyRequest, OrderRequest
from app.domain.outcomes import Answer, NoAnswer, Outcome, classify
from app.domain.plan import Mode

_PLACE = Route("placeorder", Pace.PLACE)
_CANCEL = Route("cancelorder", Pace.CANCEL)
_MODIFY = Route("modifyorder", Pace.CANCEL)


class Sending:
    """Acts at one gateway. Thread-safe. There is no second try in here, and there must never be."""

    def __init__(self, wire: GatewayConnection, api_key: str) -> None:
        self._wire = wire
        self._key = api_key

    def place(self, request: OrderRequest, *, expected: Mode) -> Outcome:
        return self._outcome(self._send(_PLACE, _order(request)), expected)

    def cancel(self, order_id: str, tag: str) -> Outcome:
        """ACK says that the gateway took the request, and no more."""
        answer = self._send(_CANCEL, {"strategy": tag, "orderid": order_id})
        return self._outcome(answer, _spoken_mode(answer))

    def modify(self, request: ModifyRequest) -> Outcome:
        """As `cancel`. An order may have ended meanwhile, and some gateways say yes all the same."""
        answer = self._send(_MODIFY, _change(request))
        return self._outcome(answer, _spoken_mode(answer))

    def _send(self, route: Route, fields: dict[str, object]) -> Answer | NoAnswer:
        try:
            reply = self._wire.post(route, json.dumps({"apikey": self._key, **fields}).encode())
        except CallFailed as failed:
            return failed.no_answer
        return Answer(reply.status, answers.decode(reply.body))

    def _outcome(self, answer: Answer | NoAnswer, expected: Mode) -> Outcome:
        outcome = classify(answer, expected)
        return replace(outcome, message=answers.safe_text(outcome.message, self._key))


def _order(request: OrderRequest) -> dict[str, object]:
    """Exactly the fields that the gateway knows: it refuses any other. Prices that are not used are left out."""
    fields: dict[str, object] = {
        "strategy": request.tag,
        "exchange": request.contract.exchange,
        "symbol": request.contract.symbol,
        "action": request.side.value,
        "quantity": request.units,
        "pricetype": request.price_type.value,
        "product": request.product.value,
    }
    if request.price:
        fields["price"] = float(request.price)
    if request.trigger_price:
        fields["trigger_price"] = float(request.trigger_price)
    return fields


def _change(request: ModifyRequest) -> dict[str, object]:
    """The gateway wants every field of a change, those not used as 0."""
    prices = {
        "price": float(request.order.price),
        "trigger_price": float(request.order.trigger_price),
        "disclosed_quantity": 0,
    }
    return {**_order(request.order), **prices, "orderid": request.order_id}


def _spoken_mode(answer: Answer | NoAnswer) -> Mode:
    """The mode that the answer speaks of. Cancels and changes are right in either: they act on what is there."""
    if isinstance(answer, Answer) and answer.body is not None and answer.body.get("mode") == Mode.PAPER.value:
        return Mode.PAPER
    return Mode.LIVE
