"""Entries that rest at a typed price: what a trader asks of them is stored for the engine, which acts."""

from decimal import Decimal

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue

from app.domain.errors import Conflict, InvalidInput
from app.services.pending_orders import Change, PendingChange
from app.trading import trading_bp
from app.trading.runs import id_in, only
from app.web.desk import desk
from app.web.idempotency import form_key
from app.web.signed_in import user
from app.web.typed_numbers import NotThat, amount

MOST_PRICE = Decimal(1_000_000)

_CHANGES = {"price": Change.MODIFY, "market": Change.MARKET, "cancel": Change.CANCEL}

_SAID = {
    Change.MODIFY: "Asked to change its price. The broker's book says below when it has it.",
    Change.MARKET: "Asked to send the rest at market: it is cancelled first, and goes when that is settled.",
    Change.CANCEL: "Asked to cancel its rest. What has filled stays.",
}


@trading_bp.post("/runs/<int:run_id>/pending")
def change_pending(run_id: int) -> ResponseReturnValue:
    """Ask to cancel, change or send at market what rests of one leg in one account."""
    form = only({"account_id", "leg_id", "change", "limit_price", "trigger_price", "idempotency_key"})
    change = _CHANGES.get(form.get("change", ""))
    if change is None:
        raise InvalidInput("change", "change must be price, market or cancel. Reload the page and try again.")
    prices: tuple[Decimal | None, Decimal | None] = (None, None)
    if change is Change.MODIFY:
        prices = (_price("limit_price", form.get("limit_price")), _price("trigger_price", form.get("trigger_price")))
        if prices == (None, None):
            raise InvalidInput("limit_price", "limit_price: Type the price that the order is to have.")
    wanted = PendingChange(
        id_in(form, "account_id", "The account is not named (account_id)."),
        id_in(form, "leg_id", "The leg is not named (leg_id)."),
        change,
        *prices,
    )
    key = form_key()
    try:
        desk().commands.change_pending(
            run_id, wanted, user_id=user().id, username=user().username, key=key, is_admin=user().is_admin
        )
    except Conflict as refused:
        flash(str(refused), "bad")
    else:
        flash(_SAID[change], "info")
    return redirect(url_for("trading.run", run_id=run_id), 303)


def _price(field: str, text: str | None) -> Decimal | None:
    if not text:
        return None
    try:
        return amount(text.strip(), MOST_PRICE, 2, "120.05")
    except NotThat as wrong:
        raise InvalidInput(field, f"{field}: {wrong}") from wrong
