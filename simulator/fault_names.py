"""The faults by name: one sentence each, and the parameters each takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class FaultError(Exception):
    """A fault that cannot be put on the board; `field_name` says which field is wrong and the text how to fix it."""

    def __init__(self, field_name: str, text: str) -> None:
        """Keep both apart so the control port can name the field."""
        super().__init__(f"{field_name}: {text}")
        self.field_name = field_name
        self.text = text


REQUIRED = object()


@dataclass(frozen=True)
class Parameter:
    """A fault's parameter: its type, its default (REQUIRED: none), and for numbers the least value allowed."""

    kind: type[Any]
    default: Any = REQUIRED
    least: float | None = None

    def checked(self, name: str, given: Any) -> Any:
        """The value, ints widened to float where wanted. Raises FaultError."""
        value: Any = given
        if self.kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if not isinstance(value, self.kind) or isinstance(value, bool) != (self.kind is bool):
            raise FaultError(f"parameters.{name}", f"expected {self.kind.__name__}, got {type(given).__name__}")
        if self.least is not None and value < self.least:
            raise FaultError(f"parameters.{name}", f"give {self.least} or more")
        return value


@dataclass(frozen=True)
class FaultKind:
    """A known fault: what it does, where (`core` or `wire`), and its parameters."""

    sentence: str
    side: str
    parameters: Mapping[str, Parameter]


def _core(sentence: str, **parameters: Parameter) -> FaultKind:
    return FaultKind(sentence, "core", parameters)


def _wire(sentence: str, **parameters: Parameter) -> FaultKind:
    return FaultKind(sentence, "wire", parameters)


def _seconds(default: Any) -> Parameter:
    return Parameter(float, default, 0.0)


TEXT = Parameter(str, "")

FAULTS: dict[str, FaultKind] = {
    # replies over HTTP
    "latency": _wire("Every matching reply waits this many real seconds (plus up to jitter_s).",
                     seconds=_seconds(REQUIRED), jitter_s=_seconds(0.0)),
    "hang": _wire("The request is read and never answered; the work is done if `works` is true.",
                  works=Parameter(bool, False), seconds=_seconds(3600.0)),
    "lost_reply": _wire("The work is done, then the connection is cut without a reply."),
    "refuse_connection": _wire("The connection is cut before the request does anything."),
    "http_error": _wire("Answer with this status and text; the work is done first if `works` is true.",
                        status=Parameter(int, 500, 400), text=Parameter(str, "An unexpected error occurred"),
                        works=Parameter(bool, False)),
    "html_error": _wire("Answer with an HTML page of a proxy in front; the work is done first if `works` is true.",
                        status=Parameter(int, 502, 400), works=Parameter(bool, False)),
    "truncated_body": _wire("The reply is right but its body stops after `bytes` bytes.",
                            bytes=Parameter(int, 20, 0)),
    "rate_limited": _wire("Answer 429 as the gateway's limiter does, without status field.",
                          text=Parameter(str, "10 per 1 second")),
    "broker_429": _wire("The broker behind the gateway says too many requests."),
    "broker_503": _wire("The broker behind the gateway says service unavailable."),
    "session_revoked": _wire("The gateway is logged out of its broker: 403 Invalid openalgo apikey for a valid key."),
    "token_dead": _wire("The broker token has expired: books 500, funds {}, orders 403, ping fine."),
    "relogin_new_token": _wire("A login with a new token happens once: streams fall silent until authenticated again."),
    "clock_skew": _wire("server_timestamp and server_ts are off by this many seconds.", seconds=Parameter(float)),
    "timings_utc_shift": _wire("Calendar times are 5 h 30 min late, as on a gateway whose host runs in UTC."),
    "mode_switch": _wire("The account's mode flips once, as when someone presses the button on the gateway.",
                         analyze=Parameter(bool, True)),
    # the stream
    "ws_drop": _wire("The stream's connections are closed.", code=Parameter(int, 1011, 1000)),
    "ws_refuse": _wire("New stream connections are closed at once."),
    "ws_silent": _wire("Ticks stop; everything else on the stream goes on."),
    "ws_mute_symbol": _wire("One symbol's ticks stop.", symbol=Parameter(str)),
    "ws_lost_subscription": _wire("The broker forgets one symbol: confirmed, and without ticks until subscribed anew.",
                                  symbol=Parameter(str)),
    "ws_half_open": _wire("The stream neither sends nor answers anything, and stays open."),
    "ws_late": _wire("Ticks carry a time this many seconds behind.", seconds=_seconds(300.0)),
    "ws_garbage": _wire("Frames that are not the protocol are mixed in: text, binary, deep nesting, huge.",
                        kind=Parameter(str, "text")),
    "ws_invalid_price": _wire("Ticks carry this instead of the price.", value=Parameter(str, "0"), symbol=TEXT),
    "no_order_push": _wire("Order updates are not sent."),
    "duplicate_order_push": _wire("Each order update is sent twice."),
    "reorder_order_push": _wire("Each pair of order updates swaps places."),
    "chain_spot_zero": _wire("The option chain takes the spot as 0 and so the lowest strike as at the money."),
    "chain_zero_quotes": _wire("Option-chain quotes are all zero with success."),
    # orders
    "late_accept": _core("The order is accepted this many real seconds later; the reply says otherwise: `cut` cuts the "
                         "connection, `error` answers `status` and `text`.",
                         seconds=_seconds(REQUIRED), reply=Parameter(str, "cut"), status=Parameter(int, 500, 400),
                         text=Parameter(str, "Failed to place order due to internal error")),
    "accept_with_error": _core("The order is accepted at once and the reply is an error all the same.",
                               status=Parameter(int, 500, 400),
                               text=Parameter(str, "Failed to place order due to internal error")),
    "semi_auto": _core("Orders wait for approval in the gateway; modify and cancel are refused."),
    "orderid_null": _core("Success with a null order id; nothing reaches the broker unless `accepts` is true.",
                          accepts=Parameter(bool, False)),
    "orderid_int": _wire("Order ids are JSON integers."),
    "late_reject": _core("Accepted, then rejected this many real seconds later.", seconds=_seconds(0.5),
                         text=Parameter(str, "RMS:Margin Exceeds, Required:123456.00, Available:0.00"),
                         symbol=TEXT, action=TEXT),
    "reject_order": _core("The broker refuses matching orders at once.", status=Parameter(int, 400, 400),
                          text=Parameter(str, "Insufficient funds. Required margin is 187654.25 but available margin "
                                              "is 1200.50."), symbol=TEXT, action=TEXT),
    "freeze_reject": _core("Orders above this many units are accepted and rejected by the exchange a moment later.",
                           units=Parameter(int, 1, 1), symbol=TEXT),
    "partial_fills": _core("Matching orders fill only this fraction, in whole lots; the rest waits as with no_fill.",
                           fraction=Parameter(float, 0.5, 0.0), rest_s=_seconds(0.0), symbol=TEXT, action=TEXT),
    "two_fills": _core("Market orders fill in two halves at different prices."),
    "no_fill": _core(
        "Matching orders stay open until the fault is removed, or rest_s real seconds after placement if above 0.",
        rest_s=_seconds(0.0), symbol=TEXT, action=TEXT),
    "mpp_limit_orders": _core("MARKET becomes a padded LIMIT and SL-M an SL, as brokers with price protection do."),
    "cancel_fails": _core("The broker refuses to cancel.", text=Parameter(str, "Order cannot be cancelled"),
                          status=Parameter(int, 500, 400)),
    "cancel_lags": _core("A cancel is acknowledged and takes effect this many real seconds later, unless filled first.",
                         seconds=_seconds(1.0)),
    # books
    "status_bleed": _core("Working orders show the status of the row above them, in every read."),
    "unmapped_status": _core("Working orders show this word as their status.", word=Parameter(str, "PART_TRADED")),
    "stale_books": _core("Books are this many real seconds old.", seconds=_seconds(REQUIRED)),
    "reordered_books": _core("Books come in shuffled order."),
    "book_omits_row": _core("One row, the newest, is missing from each book."),
    "book_empty": _core("Books are empty with success."),
    "symbol_null": _core("Order rows have no symbol."),
    "missing_ltp_pnl": _core("Position rows have neither ltp nor pnl."),
    "avg_string": _wire("Average prices in position rows are strings even in analyze mode."),
    "avg_zero": _core("Average prices of positions and trades are 0."),
    "nan_values": _wire("Some numbers in the books are the literal NaN."),
    "lot_change": _core("The lot of an underlying is another number from now on.",
                        underlying=Parameter(str), lot=Parameter(int, REQUIRED, 1)),
}  # fmt: skip


def checked_parameters(name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """All parameters of a fault with defaults filled in. Raises FaultError for an unknown or missing one."""
    kind = FAULTS.get(name)
    if kind is None:
        raise FaultError("name", f"unknown fault {name!r}; known: {', '.join(sorted(FAULTS))}")
    unknown = sorted(set(parameters) - set(kind.parameters))
    if unknown:
        allowed = ", ".join(kind.parameters) or "none"
        raise FaultError(f"parameters.{unknown[0]}", f"{name} does not take it; allowed: {allowed}")
    return {key: _value(key, rule, parameters) for key, rule in kind.parameters.items()}


def _value(name: str, rule: Parameter, given: Mapping[str, Any]) -> Any:
    if name in given:
        return rule.checked(name, given[name])
    if rule.default is REQUIRED:
        raise FaultError(f"parameters.{name}", "is required")
    return rule.default
