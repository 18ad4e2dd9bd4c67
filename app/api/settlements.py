"""What expired contracts were settled at, for scripts: listed, and typed by admins."""

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from app.api.routes import api_bp, once_each
from app.domain.errors import InvalidInput
from app.services.settlement_prices import SettledContract
from app.web.desk import desk
from app.web.extensions import api_rate_limit
from app.web.roles import admins_only
from app.web.settlement_fields import SettlementFields
from app.web.signed_in import user


@api_bp.get("/settlements")
@api_rate_limit
def settlements() -> ResponseReturnValue:
    """Contracts that expired while runs held them, the newest expiry first; `price` is null until somebody typed it."""
    return jsonify([_as_json(each) for each in desk().settlements.listed(user())])


@api_bp.post("/settlements")
@api_rate_limit
@admins_only
def type_settlement() -> ResponseReturnValue:
    """What a `contract` of the list was settled at: `price`, rupees of one unit. Typing it again corrects it."""
    once_each()
    fields = SettlementFields(request.form)
    if not fields.validate():
        name, said = next(iter(fields.view().errors.items()))
        raise InvalidInput(name, f"{name}: {said}")
    typed = desk().settlements.type(user(), *fields.typed())
    return jsonify(
        {"contract": _name(typed.contract.key.exchange, typed.contract.key.symbol), "price": f"{typed.price:f}"}
    )


def _as_json(each: SettledContract) -> dict[str, object]:
    key = each.contract.key
    return {
        "contract": _name(key.exchange, key.symbol),
        "expiry": each.contract.expiry.isoformat(),
        "runs": list(each.runs),
        "long": each.long,
        "short": each.short,
        "price": None if each.price is None else f"{each.price:f}",
        "by": each.by,
        "at": None if each.at is None else each.at.isoformat(),
    }


def _name(exchange: str, symbol: str) -> str:
    return f"{exchange}:{symbol}"
