"""A price of the board as it is weighed against those before it."""

from app.domain.proven import Print
from app.services.price_board import BoardPrice


def print_of(latest: BoardPrice) -> Print:
    """As it is weighed against those before it."""
    return Print(
        serial=latest.serial,
        value=latest.ltp,
        received=latest.received,
        bid=latest.bid,
        ask=latest.ask,
        touched=latest.touched,
        quoted=latest.quoted,
    )
