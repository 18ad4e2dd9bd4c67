"""Sample contexts of a strategy's rules over an adopted position, and of the runs that such a position becomes."""

from decimal import Decimal
from types import SimpleNamespace as Row

from tests.browser.samples_desk import HOSTILE, NOW, Context
from tests.browser.samples_run import QUIET, run

CONTRACT = "NIFTY 01 DEC 26 25,000 CE"
WORDS = (
    "Leaves at a loss of ₹5,000.00.",
    "Trails ₹2,500.00 below the peak, from a profit of ₹4,000.00 on.",
    "Stop 25 % from its average: at 126.56.",
    "Leaves at 15:10.",
)
MISFITS = (
    ("Stop of leg 2", "this position is leg 1."),
    ("Moving stops to cost", "the run of this position has no other leg."),
    ("Supertrend", "the combined premium of 2 legs is not the price of this position."),
)
NO_AVERAGE = (("Max loss", "it is measured from the average, and the broker tells none of these units alone."),)


def _offer(words: tuple[str, ...], misfits: tuple[tuple[str, str], ...], at_once: str | None = None) -> Row:
    return Row(
        strategy_id=7, strategy="Short straddle", digest="0" * 64, words=words, misfits=misfits,
        can_be_given=bool(words), at_once=at_once,
    )  # fmt: skip


def rules(
    offer: Row | None, *, run_id: int | None = None, average: str | None = "101.25", trouble: str | None = None
) -> Context:
    known = average is not None
    position = Row(
        title=CONTRACT, account_id=4, account=HOSTILE if run_id else "Zerodha 1", mode="LIVE", exchange="NFO",
        symbol="NIFTY01DEC2625000CE", product="MIS", units=-130, lot_size=65,
        average=Decimal(average) if average is not None else None,
        total=Decimal(-6240 if run_id else 1240) if known else None,
    )  # fmt: skip
    strategies = [(7, "Short straddle"), (8, "Strangle that sells far out of the money and never looks back"), (9, "x")]
    return {"position": position, "run_id": run_id, "strategies": strategies, "offer": offer, "trouble": trouble}


CHOOSE = rules(None)
SHOWN = rules(_offer(WORDS, MISFITS))
UNKNOWN = rules(_offer(WORDS[3:], NO_AVERAGE), average=None)
NOTHING = rules(_offer((), NO_AVERAGE), average=None)
OF_RUN = rules(
    _offer(WORDS, (), "Its P&L is −₹6,240.00 now: the max loss of ₹5,000.00 takes it out at once."), run_id=1182
)
NOT_NOW = rules(None, trouble="The simulator's clock cannot be read.")
ADOPTED = run(QUIET[:1], strategy_id=None, strategy_name=f"Adopted {CONTRACT}", rules=[],
              ruled=Row(strategy=None, at=None, can_be_given=True))  # fmt: skip
RULED = run(QUIET[:1], strategy_id=None, strategy_name=f"Adopted {CONTRACT}",
            ruled=Row(strategy="Strangle that sells far out of the money", at=NOW, can_be_given=False))  # fmt: skip
