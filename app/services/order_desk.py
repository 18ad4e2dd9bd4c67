"""Sends intents, each once: claim, call, record. The only place in the product that places an order."""

import logging
from collections.abc import Callable, Mapping, Sequence

from app.domain.errors import Unavailable
from app.domain.orders import IntentState
from app.domain.outcomes import Outcome, Verdict
from app.persistence.database import Database
from app.persistence.leading import leads
from app.persistence.tables import Intent
from app.ports.clock import Clock
from app.services.claims import ClaimDesk, Claimed, Claims
from app.services.crash_points import reach
from app.services.gateways import Gateways
from app.services.order_answers import OrderAnswers
from app.services.order_request import TAG

log = logging.getLogger(__name__)

CLAIM_OLD_S = 1.0
"""A claim older than this when the call should begin means the machine slept: the order is not sent."""


class OrderDesk:
    """`claim` and `record` are for one thread, all else for many at once. `epoch` is that of our lease, None for none.

    The engine claims and records many orders together and calls gateways side by side; `send` does it all for one.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        gateways: Gateways,
        claims: ClaimDesk,
        answers: OrderAnswers,
        *,
        epoch: Callable[[], int | None],
        read_soon: Callable[[int], None],
        on_change: Callable[[int, int], None],
    ) -> None:
        self._database = database
        self._clock = clock
        self._gateways = gateways
        self._claims = claims
        self._answers = answers
        self._epoch = epoch
        self._read_soon = read_soon
        self._on_change = on_change

    def claim(self, intent_ids: Sequence[int]) -> Claims:
        """READY -> SENDING for those that may go; see `ClaimDesk.claim`. Raises Unavailable: nothing was claimed."""
        return self._claims.claim(intent_ids)

    def fetch(self, intent_id: int) -> bool:
        """Ask the network for what its claim lacked; see `ClaimDesk.fetch`."""
        return self._claims.fetch(intent_id)

    def record(self, answers: Mapping[int, Outcome]) -> None:
        """What the gateways answered, by intent."""
        self._answers.record(answers)

    def send(self, intent_id: int) -> None:
        """Send a READY intent; anything else is left alone. Never sends the same intent twice, whoever asks.

        What may be possible in a moment leaves the intent READY, to be asked again: an exit for as long as it takes, an
        entry for as long as the gate has patience with that no.
        """
        try:
            claims = self.claim([intent_id])
            if claims.lacking and self.fetch(intent_id):
                claims = self.claim([intent_id])
        except Unavailable as replaced:
            log.warning("intent %d: %s", intent_id, replaced)
            return
        claimed = claims.ready.get(intent_id)
        if claimed is not None:
            self.record({intent_id: self.call(claimed)})

    def cancel(self, intent_id: int) -> None:
        """Ask the broker to cancel a working intent. What comes of it is learnt from the book, not from the answer."""
        epoch = self._epoch()
        with self._database.reading() as session:
            account_id = session.get_one(Intent, intent_id).account_id
        gateway = self._gateways.of(account_id)
        with self._database.transaction() as session:
            intent = session.get_one(Intent, intent_id, with_for_update={"key_share": True})
            if intent.state != IntentState.WORKING or intent.order_id is None or not leads(session, epoch):
                return
            intent.cancel_asked_at = self._clock.now()
            order_id, run_id = intent.order_id, intent.run_id
        outcome = gateway.cancel(order_id, TAG)
        reach("after_cancel")
        log.info("cancel of %s in account %s: %s %s", order_id, account_id, outcome.verdict, outcome.message)
        self._read_soon(account_id)
        self._on_change(run_id, account_id)

    def call(self, claimed: Claimed) -> Outcome:
        """The one call that can make an order at a broker."""
        reach("after_claim")
        # Both clocks: the monotonic one stands still while the machine sleeps.
        slept_s = (self._clock.now() - claimed.sent_at).total_seconds()
        if max(self._clock.monotonic() - claimed.at, slept_s) > CLAIM_OLD_S:
            return Outcome(
                Verdict.NOT_SENT, None, "The machine stalled between claim and send; nothing was sent.", None
            )
        outcome = claimed.gateway.place(claimed.request, expected=claimed.expected)
        reach("after_send")
        return outcome
