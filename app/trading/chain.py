"""The option chain of an index and expiry."""

from datetime import date
from itertools import zip_longest

from flask import render_template, request
from flask.typing import ResponseReturnValue

from app.domain import wording
from app.domain.contracts import UNDERLYINGS, ContractKey
from app.domain.errors import InvalidInput, Unavailable
from app.trading import trading_bp
from app.web.desk import desk


@trading_bp.get("/chain")
@trading_bp.get("/chain/<underlying>")
def chain(underlying: str | None = None) -> ResponseReturnValue:
    """The nearest expiry where none is named, the first index where none is. Looking keeps its prices coming."""
    name = underlying or request.args.get("underlying") or UNDERLYINGS[0].name
    chains = desk().chains
    view = chains.view(name, _expiry(request.args.get("expiry")))
    if view.expiry is not None:
        chains.looked_at(view.underlying, view.expiry)
    return render_template("trading/chain.html", chain=view, any_account=bool(desk().accounts.active()))


@trading_bp.get("/chain/<underlying>/live")
def chain_live(underlying: str) -> ResponseReturnValue:
    """Rows and totals alone, of a named expiry or the nearest. Nothing where there are no rows: the page stays."""
    chains = desk().chains
    view = chains.view(underlying, _expiry(request.args.get("expiry")))
    if not view.rows or view.expiry is None:
        raise Unavailable(view.note or "There are no strikes to show.")
    chains.looked_at(view.underlying, view.expiry)
    return render_template("trading/fragments/chain_live.html", chain=view)


@trading_bp.get("/chain/depth")
def chain_depth() -> ResponseReturnValue:
    """Bids and offers of `contract`, as `NFO:NIFTY01DEC2625000CE`. Asking keeps it subscribed in depth.

    `still` asks for a part of a page: it cannot be closed.
    """
    exchange, _, symbol = request.args.get("contract", "").partition(":")
    if not exchange or not symbol:
        raise InvalidInput("contract", "The contract must be like NFO:NIFTY01DEC2625000CE.")
    key = ContractKey(exchange, symbol)
    depth = desk().chains.depth(key)
    return render_template(
        "trading/fragments/chain_depth.html",
        name=wording.contract_name(desk().contract_list.master().contract(key)),
        leg=f"{exchange}:{symbol}",
        closes="still" not in request.args,
        depth=depth,
        levels=[] if depth is None else list(zip_longest(depth.bids, depth.asks)),
        age_s=None if depth is None else max(0.0, desk().clock.monotonic() - depth.received),
    )


def _expiry(text: str | None) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput("expiry", "The expiry must be a date such as 2026-12-29.") from None
