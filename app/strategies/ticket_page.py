"""What the order ticket shows: contracts found by words, the one that is chosen, and who takes part."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from app.domain.calendar import trading_date
from app.domain.contract_search import search
from app.domain.contracts import UNDERLYINGS, Contract, ContractKey, Kind
from app.domain.errors import InvalidInput, Refused, Unavailable
from app.domain.wording import contract_name
from app.strategies.builder_page import account_choices, group_choices
from app.strategies.forms import known_leg
from app.strategies.leg_now import fresh_price
from app.strategies.typed import LegText, Typed, plain
from app.web.desk import Desk
from app.web.expiry_choices import master_or_none
from app.web.forms import FormView
from app.web.signed_in import SignedIn


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractView:
    """A contract of today's list. `key` as `NFO:NIFTY01DEC2625000CE`; `ltp` None without a fresh price."""

    key: str
    name: str
    underlying: str
    kind: str
    expiry: date
    strike: Decimal | None
    lot_size: int
    ltp: Decimal | None

    @property
    def has_depth(self) -> bool:
        """Bids and offers are followed for options alone."""
        return self.kind != Kind.FUT


def found_view(desk: Desk, text: str) -> dict[str, object]:
    """The contracts that these words find. `trouble` says why there can be none."""
    try:
        contracts = desk.contract_list.master().all()
        today = trading_date(desk.market_clock.now())
    except Unavailable as why:
        return {"asked": text, "found": [], "trouble": str(why)}
    spots = {each.name: spot for each in UNDERLYINGS if (spot := fresh_price(desk, each.spot)) is not None}
    return {
        "asked": text,
        "found": [_view(desk, one) for one in search(contracts, text, today, spots)],
        "trouble": None,
    }


def ticket_page(
    desk: Desk, viewer: SignedIn, typed: Typed, wrong: tuple[Mapping[str, str], str | None], text: str = ""
) -> dict[str, object]:
    """The context of the ticket. `wrong` is a sentence for each wrong field, and one for the whole form."""
    errors, error = wrong
    leg = typed.legs[0] if typed.legs else None
    return {
        "contract": None if leg is None else _of_leg(desk, leg),
        "leg": leg,
        "lots": typed.structures,
        "form": FormView(values={}, errors=errors, error=error),
        "accounts": account_choices(desk, viewer, typed),
        "groups": group_choices(desk, viewer, typed),
        **found_view(desk, text),
    }


def leg_of(desk: Desk, text: str, side: str) -> LegText:
    """The leg that an address asks for by `contract` and `side`. Raises InvalidInput, NotFound, Unavailable."""
    if side not in {"BUY", "SELL"}:
        raise InvalidInput("side", "The side must be BUY or SELL.")
    contract = _named(desk, text)
    return LegText(
        number=0,
        underlying=contract.underlying,
        kind=contract.kind.value,
        expiry=contract.expiry.isoformat(),
        strike_method="" if contract.strike is None else "STRIKE",
        strike_value="" if contract.strike is None else plain(contract.strike),
        side=side,
        ratio="1",
        product="MIS",
    )


def contract_view(desk: Desk, text: str) -> ContractView:
    """Of a contract named as `NFO:NIFTY01DEC2625000CE`. Raises InvalidInput, NotFound, Unavailable."""
    return _view(desk, _named(desk, text))


def ticket_name(desk: Desk, leg: LegText) -> str:
    """As `Sell NIFTY 01 DEC 26 26,400 CE`; the side alone while nobody can say which contract it is."""
    view = _of_leg(desk, leg)
    verb = {"BUY": "Buy", "SELL": "Sell"}.get(leg.side, "Order")
    return verb if view is None else f"{verb} {view.name}"


def _of_leg(desk: Desk, leg: LegText) -> ContractView | None:
    """None when the leg cannot be read, names no contract of today, or there is no list."""
    sound = replace(leg, side="BUY", ratio="1", product="MIS", price_type="MARKET", limit_price="", trigger_price="")
    master, spec = master_or_none(desk), known_leg(sound)
    if master is None or spec is None or not isinstance(spec.expiry, date):
        return None
    strike = None if spec.strike is None else spec.strike.value
    try:
        if spec.kind is Kind.FUT:
            return _view(desk, master.future(spec.underlying, spec.expiry))
        return None if strike is None else _view(desk, master.option(spec.underlying, spec.expiry, spec.kind, strike))
    except Refused:
        return None


def _named(desk: Desk, text: str) -> Contract:
    exchange, _, symbol = text.partition(":")
    if not exchange or not symbol:
        raise InvalidInput("contract", "The contract must be like NFO:NIFTY01DEC2625000CE.")
    return desk.contract_list.master().contract(ContractKey(exchange, symbol))


def _view(desk: Desk, contract: Contract) -> ContractView:
    return ContractView(
        key=f"{contract.key.exchange}:{contract.key.symbol}",
        name=contract_name(contract),
        underlying=contract.underlying,
        kind=contract.kind.value,
        expiry=contract.expiry,
        strike=contract.strike,
        lot_size=contract.lot_size,
        ltp=fresh_price(desk, contract.key),
    )
