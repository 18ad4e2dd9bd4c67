"""Changes the prices of one resting order, once: says so in the database, calls the gateway, lets the book decide."""

import logging
from collections.abc import Callable

from app.domain.orders import IntentState
from app.persistence.database import Database
from app.persistence.leading import leads
from app.persistence.tables import Intent
from app.ports.clock import Clock
from app.services.gateways import Gateways
from app.services.order_request import modify_request

log = logging.getLogger(__name__)


class ModifyDesk:
    """Called by lane workers; thread-safe. The only place in the product that changes an order at a broker."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        gateways: Gateways,
        *,
        epoch: Callable[[], int | None],
        read_soon: Callable[[int], None],
        on_change: Callable[[int, int], None],
    ) -> None:
        self._database = database
        self._clock = clock
        self._gateways = gateways
        self._epoch = epoch
        self._read_soon = read_soon
        self._on_change = on_change

    def modify(self, intent_id: int) -> None:
        """Send the change that was asked for. What was sent once, or is not wanted any more, is left alone.

        That it is sent is committed before the call: a process that dies in between sends it no second time. The
        answer decides nothing; that the book shows the new prices does.
        """
        with self._database.reading() as session:
            account_id = session.get_one(Intent, intent_id).account_id
        gateway = self._gateways.of(account_id)
        with self._database.transaction() as session:
            intent = session.get_one(Intent, intent_id, with_for_update={"key_share": True})
            if not leads(session, self._epoch()) or not is_due(intent) or intent.order_id is None:
                return
            intent.modify_sent_at = self._clock.now()
            request, run_id = modify_request(intent, intent.order_id), intent.run_id
        outcome = gateway.modify(request)
        log.info("change of %s in account %s: %s %s", request.order_id, account_id, outcome.verdict, outcome.message)
        self._read_soon(account_id)
        self._on_change(run_id, account_id)


def is_asked(intent: Intent) -> bool:
    """Whether a change was asked for that the book does not show yet."""
    return intent.asked_limit is not None or intent.asked_trigger is not None


def is_due(intent: Intent) -> bool:
    """Whether that change may be sent now: never twice, and not of an order that its trader wants gone."""
    waits = intent.state == IntentState.WORKING and intent.wish is None and intent.cancel_asked_at is None
    return waits and is_asked(intent) and intent.modify_sent_at is None
