"""The form of an account."""

from wtforms import PasswordField, StringField, TextAreaField
from wtforms.validators import InputRequired, Optional

from app.services.accounts import AccountForm
from app.web.forms import DeskForm, PlainText, stripped


class AccountFields(DeskForm):
    """Name and notes are checked here; addresses and keys by the service, which knows what they must be."""

    SECRET = frozenset({"api_key"})

    name = StringField(filters=[stripped], validators=[InputRequired("Give the account a name."), PlainText(1, 100)])
    host_url = StringField(
        filters=[stripped], validators=[InputRequired("Type where the gateway answers, as http://127.0.0.1:5000.")]
    )
    websocket_url = StringField(
        filters=[stripped], validators=[InputRequired("Type the market data address, as ws://127.0.0.1:8765.")]
    )
    api_key = PasswordField(validators=[Optional(), PlainText(0, 256)])
    notes = TextAreaField(filters=[stripped], validators=[PlainText(0, 2000, lines=True)])

    def typed(self) -> AccountForm:
        """What was typed, for the service."""
        return AccountForm(
            name=self.name.data or "",
            host_url=self.host_url.data or "",
            websocket_url=self.websocket_url.data or "",
            api_key=self.api_key.data or "",
            notes=self.notes.data or "",
        )
