"""What an account pays for an order today, in words, and whose word that is."""

from app.domain.calendar import trading_date
from app.domain.market_rules import MissingRule, RuleKind
from app.domain.tariffs import Tariff
from app.web.desk import Desk
from app.web.market_time import market_now


def present_of(desk: Desk, account_id: int) -> tuple[str | None, bool]:
    """None while it is not known; and whether it is the account's own, not that of the market rules."""
    now = market_now(desk)
    if now is None:
        return None, False
    today = trading_date(now)
    own = desk.tariffs.on([account_id], today).get(account_id)
    if own is not None:
        return own.words(), True
    try:
        usual = desk.market_rules.book().rule(RuleKind.BROKERAGE, None, today).value
    except MissingRule:
        return None, False
    return Tariff(usual).words(), False
