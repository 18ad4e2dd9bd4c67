"""What is typed of a settlement price, on its page and by scripts: the contract and rupees of one unit."""

from decimal import Decimal

from wtforms import StringField
from wtforms.validators import Regexp

from app.domain.errors import InvalidInput
from app.web.forms import DeskForm, PlainText, stripped

WORDS = "Type rupees of one unit without commas, as 12.35; 0 for an option that ended worthless."


class SettlementFields(DeskForm):
    contract = StringField(filters=[stripped], validators=[PlainText(0, 90)])
    price = StringField(filters=[stripped], validators=[Regexp(r"[0-9]{1,7}(\.[0-9]{1,2})?\Z", message=WORDS)])

    def typed(self) -> tuple[str, str, Decimal]:
        """Exchange, symbol and rupees. Raises InvalidInput naming `contract`."""
        exchange, colon, symbol = (self.contract.data or "").partition(":")
        if not (exchange and colon and symbol):
            raise InvalidInput("contract", "Choose one of the contracts that expired in a run.")
        return exchange, symbol, Decimal(self.price.data or "")
