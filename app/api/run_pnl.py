"""What a run is worth now and was worth in each minute."""

from decimal import Decimal

from flask import jsonify
from flask.typing import ResponseReturnValue

from app.api.routes import api_bp
from app.domain.money import PAISA
from app.web.desk import desk
from app.web.extensions import api_rate_limit
from app.web.owners import mine
from app.web.run_cost import cost_of
from app.web.run_curve import curve_json
from app.web.run_words import run_state
from app.web.signed_in import user


@api_bp.get("/runs/<int:run_id>/pnl")
@api_rate_limit
def run_pnl(run_id: int) -> ResponseReturnValue:
    """Rupees since it began, as text; null where a held contract has no fresh price, and `missing` names it.

    `worst` is what the gross figure should not be below then, null where nobody can say. `curve` has a point for each
    minute in which something changed.
    """
    mine(desk(), user(), run_id)
    view = desk().run_board.view(run_id)
    found = desk().run_board.pnl(view)
    cost = cost_of(desk(), run_id, found.total)
    return jsonify(
        {
            "run_id": run_id,
            "state": run_state(view.state),
            "gross": _paise(found.total),
            "realised": _paise(found.realised),
            "unrealised": _paise(found.unrealised),
            "worst": _paise(found.pessimistic),
            "missing": [key.symbol for key in found.missing],
            "charges": _paise(cost.charges),
            "net": _paise(cost.net),
            "note": cost.note,
            "curve": curve_json(desk().days.history.run(run_id)),
        }
    )


def _paise(value: Decimal | None) -> str | None:
    return None if value is None else f"{value.quantize(PAISA):f}"
