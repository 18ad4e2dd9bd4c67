"""Which of an account's orders may go now: bought first, sold only once everything bought has filled."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.contracts import Side
from app.domain.money import Units
from app.domain.orders import FINAL, IntentState, Purpose


@dataclass(frozen=True, slots=True)
class WaveItem:
    """One intent of one account: `units` asked for, `filled` proved by trades so far."""

    leg: int
    side: Side
    state: IntentState
    units: Units
    filled: Units

    @property
    def is_done(self) -> bool:
        """Filled to the last unit. The state alone is not enough: its trades must be there."""
        return self.state is IntentState.FILLED and self.filled >= self.units


def releasable(purpose: Purpose, items: Sequence[WaveItem]) -> set[int]:
    """Indices of READY items that may be sent now.

    `items` are the newest generation of every leg of one account's entry, or of its exit; never both together. Entry
    buys its hedges before it sells; exit buys back its shorts before it sells its longs: for both, every BUY at once,
    and a SELL only when all BUYs are done. Unknown is not done.
    """
    del purpose  # the gate is the same for both; the parameter keeps callers from mixing the two
    gate_open = all(item.is_done for item in items if item.side is Side.BUY)
    return {
        index
        for index, item in enumerate(items)
        if item.state is IntentState.READY and (item.side is Side.BUY or gate_open)
    }


def blocked_reason(purpose: Purpose, items: Sequence[WaveItem]) -> str | None:
    """Why SELLs that wait will not be released as things stand; None when nothing waits or the gate can still open."""
    if not any(item.side is Side.SELL and item.state is IntentState.READY for item in items):
        return None
    failed = sorted({i.leg for i in items if i.side is Side.BUY and i.state in FINAL and not _can_still_fill(i)})
    if not failed:
        return None
    legs = ", ".join(str(leg) for leg in failed)
    if purpose is Purpose.ENTRY:
        return f"Leg {legs} was not bought in full, so nothing is sold in this account. Unwind or retry that leg."
    return f"The short of leg {legs} was not bought back in full, so its hedges are kept. Exit that leg again."


def _can_still_fill(item: WaveItem) -> bool:
    # FILLED with trades yet to be read is only late, not failed.
    return item.state is IntentState.FILLED
