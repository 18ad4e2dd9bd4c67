"""A price fit for a decision: the board's when it is fresh, else a gateway's quote, else NoFreshPrice."""

import threading
from collections.abc import Iterable, Sequence
from datetime import timedelta
from decimal import Decimal

from app.domain.books import Quote
from app.domain.contracts import ContractKey, underlying_named
from app.domain.errors import Misconfigured, NoFreshPrice, NotFound, Unavailable
from app.domain.prices import Price, Touch
from app.ports.clock import Clock
from app.ports.gateway import GatewayError
from app.services.first_answer import AccountOrder
from app.services.gateways import Gateways
from app.services.price_board import BoardPrice, PriceBoard

SPOT_MAX_AGE_S = 3.0
PREMIUM_MAX_AGE_S = 10.0
ACCOUNTS_ASKED = 2
"""Data accounts asked before giving up: a decision cannot wait for fifty time-outs."""
REST_AFTER_FAILURE_S = 10.0
"""How long an account that gave no quotes is asked last."""
QUOTES_IN_ONE_CALL = 100


class Quotes:
    """Thread-safe. Calls that find nothing fresh on the board ask a gateway and may block for its time-out."""

    def __init__(self, board: PriceBoard, gateways: Gateways, order: AccountOrder, clock: Clock) -> None:
        self._board = board
        self._gateways = gateways
        self._order = order
        self._clock = clock
        self._failed_at: dict[int, float] = {}
        self._asking: dict[ContractKey, threading.Lock] = {}
        self._refusals: dict[ContractKey, tuple[float, str]] = {}
        self._lock = threading.Lock()

    def touch(self, key: ContractKey, max_age_s: float = 3.0, account_id: int | None = None) -> Touch:
        """Best bid and ask and the last price, at most `max_age_s` seconds old.

        The data accounts are asked when the board has none, then `account_id`, whose order it is for. A contract that
        nobody bids or offers comes back with None on that side. Raises NoFreshPrice naming the contract.
        """
        found = self._board_touch(key, max_age_s)
        if found is not None:
            return found
        try:
            return self._shared_touch(key, max_age_s)
        except Unavailable as error:
            reason = str(error)
        if account_id is not None and account_id not in self._asked():
            try:
                quote = self._ask(account_id, [key]).get(key)
            except Unavailable as error:
                reason = f"{reason} {error}"
            else:
                if quote is not None:
                    return self._touch_of(quote, account_id)
        raise NoFreshPrice(f"{key.symbol} has no price younger than {max_age_s:g} s. {reason}")

    def bring(self, keys: Iterable[ContractKey], max_age_s: float = 3.0) -> None:
        """Have `touch` find these on the board: those it would ask for are asked for together. Raises NoFreshPrice."""
        lacking = [key for key in dict.fromkeys(keys) if self._board_touch(key, max_age_s) is None]
        if not lacking:
            return
        try:
            self.fetch(lacking)
        except Unavailable as error:
            named = ", ".join(key.symbol for key in lacking)
            raise NoFreshPrice(f"No price younger than {max_age_s:g} s: {named}. {error}") from error

    def from_gateway(self, key: ContractKey) -> Touch:
        """As `touch`, from a gateway whatever the board has. Raises NoFreshPrice."""
        try:
            return self._rest_touch(key)
        except Unavailable as error:
            raise NoFreshPrice(f"{key.symbol} has no price. {error}") from error

    def at_hand(self, key: ContractKey, max_age_s: float = 3.0) -> Touch:
        """As `touch`, from the board alone: never blocks. Raises NoFreshPrice."""
        found = self._board_touch(key, max_age_s)
        if found is None:
            raise NoFreshPrice(f"{key.symbol} has no price younger than {max_age_s:g} s at hand.")
        return found

    def spot(self, underlying: str) -> Decimal:
        """The index in points, at most 3 s old. Raises NoFreshPrice, NotFound for an index that is not followed."""
        key = underlying_named(underlying).spot
        price = self._fresh(key, SPOT_MAX_AGE_S)
        if price is not None:
            return price.ltp
        try:
            quote = self.fetch([key]).get(key)
        except Unavailable as error:
            raise NoFreshPrice(f"{underlying} has no spot price younger than {SPOT_MAX_AGE_S:g} s. {error}") from error
        if quote is None:
            raise NoFreshPrice(f"The gateway quotes no price for {underlying}. Wait for the index to tick.")
        return quote.ltp

    def premiums(self, keys: Iterable[ContractKey], max_age_s: float = PREMIUM_MAX_AGE_S) -> dict[ContractKey, Decimal]:
        """Last valid prices in rupees; a contract without one is left out.

        Raises NoFreshPrice when the board lacks some and no gateway answers, since nobody could say which are missing.
        """
        found: dict[ContractKey, Decimal] = {}
        wanting: list[ContractKey] = []
        for key in keys:
            price = self._fresh(key, max_age_s)
            if price is None:
                wanting.append(key)
            else:
                found[key] = price.ltp
        if wanting:
            try:
                found |= {key: quote.ltp for key, quote in self.fetch(wanting).items()}
            except Unavailable as error:
                raise NoFreshPrice(f"{len(wanting)} contracts have no fresh price. {error}") from error
        return found

    def refresh(self, keys: Iterable[ContractKey], older_than_s: float) -> None:
        """Quote again what is older, so that what is held never goes stale unseen. Raises Unavailable."""
        old = [key for key in keys if self._fresh(key, older_than_s) is None]
        if old:
            self.fetch(old)

    def fetch(self, keys: Sequence[ContractKey]) -> dict[ContractKey, Quote]:
        """Quotes from the first data account that answers; they go onto the board too. Raises Unavailable."""
        return self._first(keys)[1]

    def _first(self, keys: Sequence[ContractKey]) -> tuple[int, dict[ContractKey, Quote]]:
        reasons: list[str] = []
        for account_id in self._asked():
            try:
                return account_id, self._ask(account_id, keys)
            except (GatewayError, NotFound, Misconfigured) as error:
                reasons.append(str(error))
        raise Unavailable(" ".join(dict.fromkeys(reasons)) or "There is no account to ask for quotes.")

    def _asked(self) -> list[int]:
        now = self._clock.monotonic()
        never = now - REST_AFTER_FAILURE_S
        failed_at = self._failed_at
        ids = sorted(self._order(), key=lambda each: now - failed_at.get(each, never) < REST_AFTER_FAILURE_S)
        return ids[:ACCOUNTS_ASKED]

    def _ask(self, account_id: int, keys: Sequence[ContractKey]) -> dict[ContractKey, Quote]:
        asked = self._clock.monotonic()
        found: dict[ContractKey, Quote] = {}
        try:
            gateway = self._gateways.of(account_id)
            for start in range(0, len(keys), QUOTES_IN_ONE_CALL):
                found |= gateway.quotes(keys[start : start + QUOTES_IN_ONE_CALL])
        except GatewayError:
            self._failed_at = {**self._failed_at, account_id: self._clock.monotonic()}
            raise
        name = self._gateways.name(account_id)
        for key, quote in found.items():
            self._board.seed(key, quote, f"quote of {name}", asked=asked)
        return found

    def _shared_touch(self, key: ContractKey, max_age_s: float) -> Touch:
        """Many lanes may want the same touch at once: one asks, the others take its answer, good or bad."""
        began = self._clock.monotonic()
        with self._lock:
            asking = self._asking.setdefault(key, threading.Lock())
        with asking:
            found = self._board_touch(key, max_age_s)
            if found is not None:
                return found
            refused_at, reason = self._refusals.get(key, (began - 1.0, ""))
            if refused_at > began:
                raise Unavailable(reason)
            try:
                return self._rest_touch(key)
            except Unavailable as error:
                self._refusals[key] = (self._clock.monotonic(), str(error))
                raise

    def _rest_touch(self, key: ContractKey) -> Touch:
        account_id, quotes = self._first([key])
        if key not in quotes:
            raise Unavailable("The gateway quotes no price for it.")
        return self._touch_of(quotes[key], account_id)

    def _touch_of(self, quote: Quote, account_id: int) -> Touch:
        source = f"quote of {self._gateways.name(account_id)}"
        return Touch(quote.bid, quote.ask, Price(quote.ltp, source, None, self._clock.now()))

    def _fresh(self, key: ContractKey, max_age_s: float) -> BoardPrice | None:
        price = self._board.latest(key)
        if price is None or self._clock.monotonic() - price.received > max_age_s:
            return None
        return price

    def _board_touch(self, key: ContractKey, max_age_s: float) -> Touch | None:
        """The board's, when price, bid and ask are all there and young enough; it is as old as its oldest part."""
        price = self._fresh(key, max_age_s)
        if price is None or price.bid is None or price.ask is None or price.touch_received is None:
            return None
        if self._clock.monotonic() - price.touch_received > max_age_s:
            return None
        older_s = max(0.0, price.received - price.touch_received)
        received_at = price.received_at - timedelta(seconds=older_s)
        return Touch(price.bid, price.ask, Price(price.ltp, price.source, price.exchange_at, received_at))
