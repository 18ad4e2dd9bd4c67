"""From an underlying, an expiry and an offset to listed option contracts, as the gateway resolves them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from simulator.calendar import ist
from simulator.contracts import Contract
from simulator.rest_call import Call, unknown_symbol
from simulator.rest_replies import INVALID_KEY, RefusedError, Reply, failure

CUT_OFF = time(15, 30)
EXPIRY_FORMAT = "%d%b%y"
_FUTURE = re.compile(r"^(?P<base>.+?)(?P<expiry>\d{2}[A-Z]{3}\d{2})FUT$")
_OPTION = re.compile(r"^(?P<base>.+?)(?P<expiry>\d{2}[A-Z]{3}\d{2})(?P<strike>\d+(?:\.\d+)?)(?P<side>CE|PE)$")
_OFFSET = re.compile(r"^(?P<word>ATM|ITM|OTM)(?P<steps>\d*)$")
_DERIVATIVES = {"NSE_INDEX": "NFO", "NSE": "NFO", "NFO": "NFO", "BSE_INDEX": "BFO", "BSE": "BFO", "BFO": "BFO"}
_CASH = {"NFO": ("NSE_INDEX", "NSE"), "BFO": ("BSE_INDEX", "BSE")}


@dataclass(frozen=True)
class Strike:
    """Both sides of one strike; a side without a listed contract is None."""

    price: float
    ce: Contract | None
    pe: Contract | None


@dataclass(frozen=True)
class Ladder:
    """The strikes of one expiry around the underlying's price at one moment; strikes ascend."""

    underlying: Contract
    base: str
    exchange: str
    expiry_text: str
    expiry: date
    spot: float
    strikes: tuple[Strike, ...]
    atm: int

    @property
    def expires_at(self) -> datetime:
        """The cut-off of the expiry day, aware UTC."""
        return ist(self.expiry, CUT_OFF)


def parse_expiry(text: str) -> date | None:
    """`01DEC26`; None when it is anything else."""
    if not re.fullmatch(r"\d{2}[A-Za-z]{3}\d{2}", text):
        return None
    try:
        return datetime.strptime(text, EXPIRY_FORMAT).replace(tzinfo=UTC).date()
    except ValueError:
        return None


def parse_option(symbol: str) -> tuple[str, str, float, str] | None:
    """Base, expiry text, strike and side of an option symbol; None when it is not one."""
    parts = _OPTION.match(symbol)
    if parts is None:
        return None
    return parts["base"], parts["expiry"], float(parts["strike"]), parts["side"]


def resolve(call: Call, underlying: str, exchange: str, expiry_text: str | None) -> Ladder:
    """Raises RefusedError for an unknown underlying, a missing expiry or one without strikes."""
    embedded = _FUTURE.match(underlying)
    base = embedded["base"] if embedded else underlying
    expiry_text = embedded["expiry"] if embedded else expiry_text
    priced = _priced(call, underlying if embedded else base, exchange, future=embedded is not None)
    if not expiry_text:
        raise RefusedError(
            failure(
                "Expiry date required. Provide via expiry_date parameter or embed in underlying "
                "(e.g., NIFTY28OCT25FUT)."
            )
        )
    listed_on = _DERIVATIVES.get(exchange, exchange)
    expiry = parse_expiry(expiry_text)
    strikes = _strikes(call, base, listed_on, expiry)
    if expiry is None or not strikes:
        text = f"No strikes found for {base} expiring {expiry_text}. "
        text += "Please check expiry date or update master contract."
        raise RefusedError(failure(text, 404))
    spot = _spot(call, priced)
    return Ladder(priced, base, listed_on, expiry_text, expiry, spot, strikes, _nearest(strikes, spot))


def _priced(call: Call, name: str, exchange: str, *, future: bool) -> Contract:
    places = (exchange,) if future or exchange not in _CASH else _CASH[exchange]
    found = next((hit for place in places if (hit := call.venue.contract(name, place)) is not None), None)
    if found is None:
        raise RefusedError(failure(f"Failed to fetch LTP for {name}: {unknown_symbol(name, places[0])}"))
    return found


def _spot(call: Call, underlying: Contract) -> float:
    if call.venue.faults.match("chain_spot_zero", call.account.number):
        return 0.0
    return call.venue.market.quote(underlying).ltp


def _strikes(call: Call, base: str, exchange: str, expiry: date | None) -> tuple[Strike, ...]:
    if expiry is None:
        return ()
    sides: dict[float, dict[str, Contract]] = {}
    for contract in call.venue.contracts.options(base, exchange, expiry):
        sides.setdefault(contract.strike, {})[contract.kind] = contract
    return tuple(Strike(price, pair.get("CE"), pair.get("PE")) for price, pair in sorted(sides.items()))


def _nearest(strikes: tuple[Strike, ...], spot: float) -> int:
    """Index of the strike nearest to the spot; a tie goes to the lower one."""
    return min(range(len(strikes)), key=lambda n: (abs(strikes[n].price - spot), strikes[n].price))


def option_at(ladder: Ladder, offset: str, side: str) -> Contract:
    """The option so many listed strikes in or out of the money. Raises RefusedError beyond the ladder's ends."""
    parts = _OFFSET.match(offset.upper())
    if parts is not None and (parts["word"] == "ATM") == (parts["steps"] == ""):
        steps = int(parts["steps"] or 0)
        up = (parts["word"] == "OTM") == (side == "CE")
        place = ladder.atm + (steps if up else -steps)
        if 0 <= place < len(ladder.strikes):
            strike = ladder.strikes[place]
            contract = strike.ce if side == "CE" else strike.pe
            if contract is not None:
                return contract
    raise RefusedError(failure(f"Offset {offset} is out of range for available strikes. Please use a smaller offset."))


def no_underlying_price(body: dict[str, object]) -> Reply:
    return failure(f"Failed to fetch LTP for {body['underlying']}: {INVALID_KEY}", 403)
