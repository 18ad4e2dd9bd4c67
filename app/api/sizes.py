"""How many lots on which account, and why: of a run, of a preview, and of whatever the calculator is asked."""

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from app.api.routes import api_bp
from app.domain.errors import InvalidInput
from app.web.calculator_input import FIELDS, reckoned
from app.web.desk import desk
from app.web.extensions import api_rate_limit, heavy_rate_limit
from app.web.run_sizes import plans_of_run, sizes_json
from app.web.signed_in import user
from app.web.size_view import sizing_json


@api_bp.get("/runs/<int:run_id>/sizes")
@api_rate_limit
def run_sizes(run_id: int) -> ResponseReturnValue:
    """Why each account of the run has its size, as it was frozen; an empty list for a run that was adopted."""
    return jsonify(sizes_json(plans_of_run(desk(), user(), run_id)))


@api_bp.get("/previews/<int:preview_id>/sizes")
@api_rate_limit
def preview_sizes(preview_id: int) -> ResponseReturnValue:
    """What the preview's owner would send, account by account, and why."""
    return jsonify(sizes_json(desk().previews.one(preview_id, user().id).plan.accounts))


@api_bp.get("/margin/calculator")
@heavy_rate_limit
def margin_calculator() -> ResponseReturnValue:
    """The calculator of the page, by the same fields; sends nothing."""
    values = {}
    for name in FIELDS:
        said = request.args.getlist(name)
        if len(said) > 1:
            raise InvalidInput(name, f"{name} must be given once.")
        values[name] = said[0] if said else ""
    found = reckoned(desk(), user(), values)
    return jsonify(
        {
            "at": found.at.isoformat(),
            "spots": {name: f"{spot:f}" for name, spot in found.spots},
            "legs": [
                {
                    "leg": leg.number,
                    "side": leg.side.value,
                    "exchange": leg.contract.key.exchange,
                    "symbol": leg.contract.key.symbol,
                    "ratio": leg.ratio,
                    "lot_size": leg.contract.lot_size,
                    "found_as": leg.note,
                }
                for leg in found.legs
            ],
            "accounts": [
                {
                    "account_id": each.account_id,
                    "account": each.account_name,
                    "structures": each.structures,
                    "reason": each.reason,
                    "sizing": None if each.sizing is None else sizing_json(each.sizing),
                }
                for each in found.accounts
            ],
        }
    )
