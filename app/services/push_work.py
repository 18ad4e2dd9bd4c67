"""What was pushed to an account, and the part of it that most pushes are: an order of ours has filled whole."""

from collections.abc import Callable, Mapping, Sequence

from app.domain.money import Units
from app.domain.orders import IntentState, Purpose
from app.domain.pushes import Pushed, as_order, proven_state
from app.persistence.plain import Writes
from app.persistence.tables import Intent
from app.services.intent_ledger import FillWords, IntentLedger
from app.services.settling import is_row_of


class PushWork:
    """What was pushed to one account, who owns it, and what came of it. `new`: orders of which something new was said.

    `left` are exits and how many units of each were pushed as filled. `waits`: some intent of the account has no order
    yet; `answer_due`: since its call has not been answered.
    """

    def __init__(self, account_id: int, new: set[str], pushed: dict[str, Pushed]) -> None:
        self.account_id = account_id
        self.new = new
        self.pushed = pushed
        self.owned: dict[str, Intent] = {}
        self.changed: set[int] = set()
        self.left: list[tuple[Intent, int]] = []
        self.waits = False
        self.answer_due = False

    def owners(self, intents: Sequence[Intent]) -> tuple[dict[str, Intent], list[Intent]]:
        """Who has the orders that were pushed, and who has no order yet; says what is due."""
        # Another account's order may have the same id: then an intent came along that is not concerned.
        by_order = {i.order_id: i for i in intents if i.order_id is not None and i.order_id in self.pushed}
        lost = [intent for intent in intents if intent.order_id is None]
        self.waits = bool(lost)
        self.answer_due = any(intent.state == IntentState.SENDING for intent in lost)
        return by_order, lost


class WholeFills:
    """Takes what needs no objects: rows are read as they are, and written many in one statement. Thread-safe."""

    def __init__(self, ledger: IntentLedger, is_due: Callable[[Intent], bool]) -> None:
        """`is_due` says of an intent without an order whether its answer should have come."""
        self._ledger = ledger
        self._is_due = is_due

    def take(self, work: PushWork, intents: Sequence[Intent], known: Mapping[int, FillWords], writes: Writes) -> bool:
        """False, and nothing is taken, when anything of it is more than a whole fill or no news."""
        by_order, lost = work.owners(intents)
        if by_order.keys() != work.pushed.keys() and any(self._is_due(intent) for intent in lost):
            return False  # one of these orders may be one of those
        owned = [
            (intent, work.pushed[order_id])
            for order_id, intent in by_order.items()
            if is_row_of(intent, as_order(work.pushed[order_id]))
        ]
        fills = {intent.id: known.get(intent.id, set()) for intent, _ in owned}
        whole = [each for each in owned if _has_filled_whole(*each, fills[each[0].id])]
        if not all(each in whole or _is_no_news(*each, fills[each[0].id]) for each in owned):
            return False
        work.owned = {str(intent.order_id): intent for intent, _ in owned}
        for intent, pushed in whole:
            self._book(work, intent, pushed, writes)
        return True

    def _book(self, work: PushWork, intent: Intent, pushed: Pushed, writes: Writes) -> None:
        assert pushed.best.average is not None
        work.owned[str(intent.order_id)] = self._ledger.book_whole(writes, intent, pushed.best.average)
        work.changed.add(intent.run_id)
        if intent.purpose == Purpose.EXIT:
            work.left.append((intent, intent.units))


def _has_filled_whole(intent: Intent, pushed: Pushed, fills: FillWords) -> bool:
    """The order stood, nothing of it was known to be filled, and now all of it is."""
    average, stood = pushed.best.average, intent.state == IntentState.WORKING
    return stood and not fills and pushed.filled == intent.units and average is not None and average > 0


def _is_no_news(intent: Intent, pushed: Pushed, fills: FillWords) -> bool:
    """Neither units nor a state nor a reason that the row does not have."""
    state = IntentState(intent.state)
    filled = pushed.filled > sum(each[1] for each in fills) and pushed.best.average is not None
    explained = state is IntentState.REJECTED and not intent.reason and bool(pushed.reason)
    return not filled and not explained and proven_state(state, Units(intent.units), pushed) is state
