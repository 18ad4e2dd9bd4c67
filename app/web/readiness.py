"""Why the desk could not send an order right now."""

from sqlalchemy.exc import SQLAlchemyError

from app.domain.calendar import Phase
from app.domain.contracts import UNDERLYINGS
from app.domain.errors import Unavailable
from app.services.account_health import HealthState
from app.web.desk import Desk

_SENDING_STATES = frozenset({HealthState.OK, HealthState.CATCHING_UP})


def obstacles(desk: Desk) -> list[str]:
    """Sentences, empty when an order could be sent. Counts accounts and names none: strangers may read this."""
    try:
        desk.database.alive()
        accounts = [account.id for account in desk.accounts.active()]
    except SQLAlchemyError:
        return ["The database does not answer."]
    found = [*_engine(desk), *_accounts(desk, accounts)]
    if accounts:
        found += [*_contracts(desk), *_market(desk), *_feed(desk)]
    return found


def _engine(desk: Desk) -> list[str]:
    damage = desk.damage()
    if damage is not None:
        return [damage]
    return [] if desk.engine_leads() else ["No engine runs here: orders would wait."]


def _accounts(desk: Desk, accounts: list[int]) -> list[str]:
    if not accounts:
        return ["There is no account yet."]
    well = sum(1 for account in accounts if desk.health.of(account).state in _SENDING_STATES)
    return [] if well else [f"None of {len(accounts)} accounts answers."]


def _contracts(desk: Desk) -> list[str]:
    try:
        desk.contract_list.master()
    except Unavailable as missing:
        return [str(missing)]
    return []


def _market(desk: Desk) -> list[str]:
    """Unknown hours are an obstacle, and so is a closed market."""
    phases = {desk.hours.phase(underlying.exchange) for underlying in UNDERLYINGS}
    if phases & {Phase.LIVE, Phase.CLOSING}:
        return []
    return ["The market's hours are unknown." if Phase.UNKNOWN in phases else "The market is closed."]


def _feed(desk: Desk) -> list[str]:
    return [] if desk.feed_news.state().account_id is not None else ["No account feeds prices."]
