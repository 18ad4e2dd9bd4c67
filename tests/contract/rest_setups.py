"""What must have happened before a recorded HTTP case makes sense, as a table; and which cases cannot apply."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from tests.contract.recordings import RestCase
from tests.simulator_process import SimulatorProcess

OPTION = {"symbol": "NIFTY01DEC2625000CE", "exchange": "NFO", "product": "NRML"}
PUT = {**OPTION, "symbol": "NIFTY01DEC2625000PE"}
SETTLE_S = 5.0
PATIENCE_S = 5.0
FIRST = 1


@dataclass
class Stage:
    """The simulator before one case; `changes` replaces fields of the recorded request's body."""

    simulator: SimulatorProcess
    changes: dict[str, Any] = field(default_factory=dict)

    def ask(self, endpoint: str, **body: Any) -> dict[str, Any]:
        _, answer = self.simulator.api(FIRST, endpoint, {"strategy": "contract", **body})
        reply: dict[str, Any] = answer
        return reply

    def order(self, **fields: Any) -> str:
        """Places an order, keeps its id for the request, lets it settle."""
        body = {**OPTION, "pricetype": "MARKET", "action": "BUY", "quantity": 65, **fields}
        reply = self.ask("placeorder", **body)
        assert reply["status"] == "success", reply
        self.changes["orderid"] = reply["orderid"]
        self.simulator.advance(SETTLE_S)
        return str(reply["orderid"])

    def resting(self) -> str:
        return self.order(pricetype="LIMIT", price=100.0)

    def waiting(self, pricetype: str = "SL-M") -> str:
        prices = {"trigger_price": 120.0} | ({"price": 110.0} if pricetype == "SL" else {})
        return self.order(action="SELL", pricetype=pricetype, **prices)

    def wait_for(self, status: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while self.ask("orderstatus", orderid=self.changes["orderid"])["data"]["order_status"] != status:
            assert time.monotonic() < deadline, f"the order never became {status}"
            threading.Event().wait(0.05)

    def cancel(self) -> None:
        reply = self.ask("cancelorder", orderid=self.changes["orderid"])
        assert reply["status"] == "success", reply

    def shares(self, quantity: int) -> None:
        self.order(symbol="TCS", exchange="NSE", product="MIS", quantity=quantity)

    def gtt(self) -> None:
        body = {"symbol": "SBIN", "exchange": "NSE", "action": "BUY", "product": "CNC", "quantity": 1}
        reply = self.ask("placegttorder", **body, trigger_type="SINGLE", price=770.0, triggerprice_sl=780.0)
        self.changes["trigger_id"] = reply["trigger_id"]

    def fault(self, name: str, **parameters: Any) -> None:
        self.simulator.fault(name, account=FIRST, parameters=parameters)


Step = Callable[[Stage], Any]


def fault(name: str, **parameters: Any) -> Step:
    return lambda stage: stage.fault(name, **parameters)


def log_out(stage: Stage) -> None:
    stage.simulator.post(f"/accounts/{FIRST}/logout")


def log_in(stage: Stage) -> None:
    stage.simulator.post(f"/accounts/{FIRST}/relogin")


def market_order(stage: Stage) -> None:
    stage.order()


def big_order(stage: Stage) -> None:
    stage.order(quantity=130)


def resting_order(stage: Stage) -> None:
    stage.resting()


def cancelled_order(stage: Stage) -> None:
    stage.waiting()
    stage.cancel()


def some_orders(stage: Stage) -> None:
    """Long, short, resting and waiting orders, and shares."""
    stage.order()
    stage.order(action="SELL", **PUT)
    stage.order(symbol="SBIN", exchange="NSE", product="MIS", quantity=10)
    stage.resting()
    stage.waiting()


def closed_positions(stage: Stage) -> None:
    stage.order()
    stage.order(action="SELL")


def positions(stage: Stage) -> None:
    stage.order()
    stage.order(action="SELL", **PUT)


def rejected_order(stage: Stage) -> None:
    stage.order(symbol="RELIANCE", exchange="NSE", product="CNC", quantity=1_000_000)


def rejection(stage: Stage) -> None:
    """Waits for the exchange's no, which comes in real time."""
    stage.wait_for("rejected")


def short_put(stage: Stage) -> None:
    stage.order(action="SELL", **PUT)


def lost_order(stage: Stage) -> None:
    """The reply says no; the order is there."""
    stage.simulator.fault("accept_with_error", account=FIRST, remaining=1)
    stage.ask("placeorder", **OPTION, action="BUY", quantity=65)
    stage.simulator.advance(SETTLE_S)


def after_mis_hours(stage: Stage) -> None:
    minutes_to_square_off = 4 * 60 + 46
    stage.simulator.advance(minutes_to_square_off * 60)


SETUPS: tuple[tuple[str, tuple[Step, ...]], ...] = (
    ("*.fault_logged_out", (log_out,)),
    ("*.fault_broker_token_expired", (fault("token_dead"),)),
    ("*.fault_broker_http_429", (fault("broker_429"),)),
    ("*.fault_broker_http_503", (fault("broker_503"),)),
    ("*.after_relogin", (log_out, log_in)),
    ("*_server_TZ_UTC", (fault("timings_utc_shift"),)),
    ("cancelorder.err_already_cancelled*", (cancelled_order,)),
    ("cancelorder.err_complete*", (market_order,)),
    ("cancelorder.ok*", (resting_order,)),
    ("cancelorder.partially_filled", (fault("partial_fills"), big_order)),
    ("cancelallorder.ok*", (resting_order, resting_order)),
    ("cancelallorder.afterhours*", (resting_order,)),
    ("closeposition.[gao]*", (positions,)),
    ("modifyorder.err_already_complete*", (market_order,)),
    ("modifyorder.limit_price*", (resting_order,)),
    ("modifyorder.sl_trigger*", (lambda stage: stage.waiting("SL"),)),
    ("orderstatus.cancelled*", (cancelled_order,)),
    ("orderstatus.complete_market*", (market_order,)),
    ("orderstatus.complete_limit*", (lambda stage: stage.order(pricetype="LIMIT", price=229.0),)),
    ("orderstatus.open_limit*", (resting_order,)),
    ("orderstatus.sl_waiting*", (lambda stage: stage.waiting("SL"),)),
    ("orderstatus.slm_waiting*", (lambda stage: stage.waiting("SL-M"),)),
    ("orderstatus.rejected_by_rms", (rejected_order,)),
    ("orderstatus.fault_rms_rejected", (fault("late_reject", seconds=0.0), market_order, rejection)),
    ("orderstatus.fault_market_order_open", (fault("no_fill"), market_order)),
    ("orderstatus.fault_partially_filled", (fault("partial_fills"), big_order)),
    ("orderstatus.fault_partially_filled_then*", (fault("partial_fills"), big_order, Stage.cancel)),
    ("orderstatus.fault_two_fills*", (fault("two_fills"), big_order)),
    ("orderbook.mixed*", (some_orders,)),
    ("orderbook.end_of_session*", (some_orders, closed_positions)),
    ("orderbook.with_rejected", (some_orders, rejected_order)),
    ("orderbook.fault_order_exists*", (lost_order,)),
    ("tradebook.mixed*", (positions,)),
    ("tradebook.end_of_session*", (closed_positions,)),
    ("tradebook.fault_two_fills", (fault("two_fills"), big_order)),
    ("positionbook.mixed*", (positions,)),
    ("positionbook.after*", (closed_positions,)),
    ("positionbook.fault_two_fills", (fault("two_fills"), big_order)),
    ("positionbook.partially_filled", (fault("partial_fills"), big_order)),
    ("openposition.long*", (market_order,)),
    ("openposition.short*", (short_put,)),
    ("funds.with_positions*", (positions,)),
    ("funds.after_close*", (closed_positions,)),
    ("pnl_symbols.basic.analyze", (closed_positions,)),
    ("placesmartorder.already_matched*", (lambda stage: stage.shares(5),)),
    ("placesmartorder.flatten*", (lambda stage: stage.shares(5),)),
    ("placesmartorder.reverse_to_short*", (lambda stage: stage.shares(5),)),
    ("placeorder.afterhours_mis*", (after_mis_hours,)),
    ("placeorder.fault_broker_refuses_400", (fault("reject_order"),)),
    ("placeorder.fault_market_order_stays_open", (fault("no_fill"),)),
    ("placeorder.fault_partial_fill", (fault("partial_fills"),)),
    ("placeorder.fault_rms_rejects_async", (fault("late_reject"),)),
    ("placeorder.fault_two_fills", (fault("two_fills"),)),
    ("quotes.fault_broker_slow_3s", (fault("latency", seconds=0.2),)),
    ("modifygttorder.single*", (Stage.gtt,)),
    ("cancelgttorder.ok*", (Stage.gtt,)),
    ("gttorderbook.*_active*", (Stage.gtt, Stage.gtt)),
    ("gttorderbook.after_cancel*", (Stage.gtt,)),
    # one greeks reading had been spent before the burst was recorded
    ("optiongreeks.err_rate_limited_429", (lambda stage: stage.ask("optiongreeks", symbol="X", exchange="NFO"),)),
)

EXCLUDED: dict[str, str] = {
    "optionchain.future_as_underlying": "the recorded market listed no options at that future's expiry; ours does",
}
"""Recorded cases that say something about the recorded market and not about the protocol."""


READS = {
    *("depth", "expiry", "history", "holdings", "instruments", "intervals", "margin", "market_holidays"),
    *("market_timings", "multiquotes", "optionchain", "optiongreeks", "optionsymbol", "orderbook", "ping", "quotes"),
    *("search", "symbol", "ticker"),
}


def leaves_no_trace(case: RestCase) -> bool:
    """True if the next case may start from here: nothing was set up, and the request asked only, or was refused."""
    refused = case.status == 400 and isinstance(case.response, dict) and str(case.response["message"]).startswith("{")
    return not case.analyze and not steps_for(case) and (case.endpoint in READS or refused)


def steps_for(case: RestCase) -> tuple[Step, ...]:
    return next((steps for pattern, steps in SETUPS if fnmatchcase(case.name, pattern)), ())
