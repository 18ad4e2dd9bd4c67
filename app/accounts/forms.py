"""The forms of an account and of a group of them."""

from datetime import time
from decimal import Decimal

from wtforms import PasswordField, StringField, TextAreaField
from wtforms.validators import AnyOf, InputRequired, Optional, Regexp

from app.domain.day_limits import DayLimits
from app.services.account_groups import GroupForm
from app.services.accounts import AccountForm
from app.web.forms import DeskForm, PlainText, stripped


def _rupees(such_as: str) -> StringField:
    words = f"Type rupees above zero, as {such_as}, or leave it empty."
    return StringField(
        filters=[stripped], validators=[Optional(), Regexp(r"[1-9]\d{0,9}(\.\d{1,2})?\Z", message=words)]
    )


def _count() -> StringField:
    words = "Type a whole number above zero, or leave it empty."
    return StringField(filters=[stripped], validators=[Optional(), Regexp(r"[1-9]\d{0,5}\Z", message=words)])


class LimitFields(DeskForm):
    """What accounts and groups of them both have: how they are sized and limited."""

    multiplier = StringField(
        filters=[stripped],
        validators=[
            Optional(),
            Regexp(
                r"[0-9]{1,3}(\.[0-9]{1,3})?\Z",
                message="Type a number above zero, as 0.5 or 2, 3 decimals at most.",
            ),
        ],
    )
    max_leg_lots = StringField(
        filters=[stripped],
        validators=[
            Optional(),
            Regexp(r"[1-9]\d{0,3}\Z", message="Type a whole number of lots from 1 to 9999, or leave it empty."),
        ],
    )
    max_day_loss = _rupees("25000")
    max_day_profit = _rupees("40000")
    max_open_lots = _count()
    max_day_orders = _count()
    leaves_at_limit = StringField(filters=[stripped], validators=[Optional(), AnyOf(["yes"])])

    def factor(self) -> Decimal:
        """1 where nothing is typed."""
        return Decimal(self.multiplier.data) if self.multiplier.data else Decimal(1)

    def leg_lots(self) -> int | None:
        return int(self.max_leg_lots.data) if self.max_leg_lots.data else None

    def limits(self) -> DayLimits:
        return DayLimits(
            loss=Decimal(self.max_day_loss.data) if self.max_day_loss.data else None,
            profit=Decimal(self.max_day_profit.data) if self.max_day_profit.data else None,
            open_lots=int(self.max_open_lots.data) if self.max_open_lots.data else None,
            orders=int(self.max_day_orders.data) if self.max_day_orders.data else None,
            leaves=self.leaves_at_limit.data == "yes",
        )


class GroupFields(LimitFields):
    """The accounts are ticked, any number under one name, so they are read beside it."""

    name = StringField(filters=[stripped], validators=[InputRequired("Give the group a name."), PlainText(1, 80)])

    def typed(self, accounts: frozenset[int]) -> GroupForm:
        """What was typed, for the service."""
        return GroupForm(self.name.data or "", accounts, self.factor(), self.leg_lots(), self.limits())


class AccountFields(LimitFields):
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
    orders_per_second = StringField(
        filters=[stripped],
        validators=[
            Optional(),
            Regexp(r"([1-9]|10)\Z", message="Type a whole number from 1 to 10, or leave it empty."),
        ],
    )
    mis_cut_off = StringField(
        filters=[stripped],
        validators=[
            Optional(),
            Regexp(
                r"(0[9]|1\d|2[0-3]):[0-5]\d\Z", message="Type a time of the day in India, as 15:15, or leave it empty."
            ),
        ],
    )
    notes = TextAreaField(filters=[stripped], validators=[PlainText(0, 2000, lines=True)])

    def typed(self) -> AccountForm:
        """What was typed, for the service."""
        return AccountForm(
            name=self.name.data or "",
            host_url=self.host_url.data or "",
            websocket_url=self.websocket_url.data or "",
            api_key=self.api_key.data or "",
            notes=self.notes.data or "",
            orders_per_second=int(self.orders_per_second.data) if self.orders_per_second.data else None,
            max_leg_lots=self.leg_lots(),
            multiplier=self.factor(),
            limits=self.limits(),
            mis_cut_off=time.fromisoformat(self.mis_cut_off.data) if self.mis_cut_off.data else None,
        )
