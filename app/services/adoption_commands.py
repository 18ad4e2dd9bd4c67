"""Asking the engine to make a foreign position a run: stored once, by whom, then the engine is woken."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import select

from app.domain.contracts import ContractKey
from app.persistence.database import Database
from app.persistence.tables import CommandRow
from app.ports.clock import Clock
from app.services.accounts import Accounts, Actor
from app.services.activity import Activity
from app.services.asking import Asking, Said, Wish
from app.services.commands import CommandKind
from app.services.given_rules import Chosen, chosen_of

TOLD_FOR = timedelta(minutes=5)
"""How long a page says what became of an ask; the activity log keeps it."""

MOST_TOLD = 20


@dataclass(frozen=True, slots=True)
class Adopt:
    """What is to become a run: all units (signed) that were shown as foreign there.

    `average` is the one that was shown, or typed where the broker gives none; None: none was shown and none typed.
    `rules` are those that the run is to be under from its first moment, None for none. `kill` is the command of the
    kill switch that takes it along, to be left at once; None: somebody adopts it to keep it.
    """

    account_id: int
    contract: ContractKey
    product: str
    units: int
    average: Decimal | None
    rules: Chosen | None = None
    kill: int | None = None

    def payload(self) -> dict[str, object]:
        """As the command keeps it."""
        ruled: dict[str, object] = {} if self.rules is None else self.rules.payload()
        along: dict[str, object] = {} if self.kill is None else {"kill": self.kill}
        return {
            **ruled,
            **along,
            "account_id": self.account_id,
            "exchange": self.contract.exchange,
            "symbol": self.contract.symbol,
            "product": self.product,
            "units": self.units,
            "average": None if self.average is None else f"{self.average.normalize():f}",
        }


def adopt_of(payload: Mapping[str, object]) -> tuple[Adopt, str]:
    """What a stored command asks for, and who asked."""
    average, kill = payload.get("average"), payload.get("kill")
    wanted = Adopt(
        account_id=int(str(payload["account_id"])),
        contract=ContractKey(str(payload["exchange"]), str(payload["symbol"])),
        product=str(payload["product"]),
        units=int(str(payload["units"])),
        average=None if average is None else Decimal(str(average)),
        rules=chosen_of(payload),
        kill=kill if isinstance(kill, int) else None,
    )
    return wanted, str(payload["by"])


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedAdoption:
    """An ask of the last minutes that is under way (`sentence` None) or was refused. `units` are signed."""

    command_id: int
    account_id: int
    account: str
    exchange: str
    symbol: str
    product: str
    units: int
    by: str
    sentence: str | None
    age_s: float


class AdoptionCommands:
    """Thread-safe. The same key from the same user is the same command."""

    def __init__(
        self, database: Database, clock: Clock, accounts: Accounts, activity: Activity, wake: Callable[[], None]
    ) -> None:
        self._database = database
        self._clock = clock
        self._accounts = accounts
        self._asking = Asking(database, clock, activity, wake)

    def ask(self, wanted: Adopt, *, actor: Actor, key: str) -> int:
        """The id of the command. Whether it can be done is for the engine to say, at the moment of the act.

        Raises NotFound for an account that the actor may not see, Conflict for a key that stands for something else.
        """
        account = self._accounts.one(actor, wanted.account_id)
        words = f"Asked to adopt {wanted.units:+d} {wanted.contract.symbol} {wanted.product} in {account.name}."
        return self._asking.once(
            Wish(
                kind=CommandKind.ADOPT, user_id=actor.id, username=actor.username, key=key, payload=wanted.payload()
            ),
            lambda _: Said("position.adopt", f"account:{account.id}", words),
        )  # fmt: skip

    def recent(self, viewer: Actor) -> list[AskedAdoption]:
        """The newest first, in accounts that this user may see. What was done has become a run."""
        accounts = {account.id: account.name for account in self._accounts.shown_to(viewer)}
        now = self._clock.now()
        query = (
            select(CommandRow)
            .where(
                CommandRow.kind == CommandKind.ADOPT.value,
                CommandRow.state.in_(("ASKED", "REFUSED")),
                CommandRow.asked_at >= now - TOLD_FOR,
            )
            .order_by(CommandRow.id.desc())
            .limit(MOST_TOLD)
        )
        with self._database.reading() as session:
            rows = session.scalars(query).all()
        asked = [(row, *adopt_of(row.payload)) for row in rows]
        return [
            AskedAdoption(
                command_id=row.id,
                account_id=wanted.account_id,
                account=accounts[wanted.account_id],
                exchange=wanted.contract.exchange,
                symbol=wanted.contract.symbol,
                product=wanted.product,
                units=wanted.units,
                by=by,
                sentence=row.answer if row.state == "REFUSED" else None,
                age_s=max(0.0, (now - row.asked_at).total_seconds()),
            )
            for row, wanted, by in asked
            if wanted.account_id in accounts
        ]
