"""Ask account after account, in the order of the feed, until one gateway answers: for facts that all of them share."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from app.domain.errors import Misconfigured, NotFound, Unavailable
from app.ports.gateway import Gateway, GatewayError
from app.services.gateways import Gateways

T = TypeVar("T")

AccountOrder = Callable[[], Sequence[int]]
"""Ids of the accounts that may serve market data, the primary first. Read anew at every call."""


def first_answer(gateways: Gateways, account_ids: Iterable[int], ask: Callable[[Gateway], T], what: str) -> T:
    """What the first gateway said that answered. Raises Unavailable with every account's reason.

    Only for reads of the market. Orders never go to another account than their own.
    """
    reasons: list[str] = []
    for account_id in account_ids:
        try:
            return ask(gateways.of(account_id))
        except (GatewayError, NotFound, Misconfigured) as error:
            reasons.append(str(error))
    if not reasons:
        raise Unavailable(f"There is no account to ask for {what}. Add one on the Accounts page.")
    raise Unavailable(f"No account gave {what}. " + " ".join(dict.fromkeys(reasons)))
