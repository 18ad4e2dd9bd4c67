"""Asking the engine to put an adopted run under a strategy's rules, and what they come to before anybody asks."""

from collections.abc import Callable
from decimal import Decimal

from sqlalchemy.orm import Session

from app.domain.contracts import Contract, ContractKey
from app.domain.errors import Conflict, Denied, NotFound
from app.domain.given_rules import Watched
from app.persistence.database import Database
from app.persistence.tables import Run, Strategy
from app.ports.clock import Clock
from app.services.account_types import Actor
from app.services.activity import Activity
from app.services.asking import Asking, Said, Wish
from app.services.commands import CommandKind
from app.services.given_rules import Chosen, Offer, RuleOffers, offer_of, watched_position, watched_run


class RuleCommands:
    """Thread-safe. The same key from the same user is the same command."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        activity: Activity,
        wake: Callable[[], None],
        *,
        offers: RuleOffers,
        contract_of: Callable[[ContractKey], Contract | None],
    ) -> None:
        """`contract_of` gives None for a contract that today's list does not have."""
        self._database = database
        self._asking = Asking(database, clock, activity, wake)
        self._offers = offers
        self._contract_of = contract_of

    def for_position(self, strategy_id: int, at: Watched, exchange: str, *, actor: Actor) -> Offer:
        """Raises NotFound for another's strategy, Unavailable while the market's time is not known."""
        return offer_of(self._offers.recipe(strategy_id, actor.id, exchange), at)

    def position(self, account_id: int, key: ContractKey, units: int, average: Decimal | None) -> Watched:
        """A foreign position by its contract of today. Raises Conflict for one that is not listed."""
        contract = self._contract_of(key)
        if contract is None:
            raise Conflict(f"{key.symbol} is not in today's list of contracts that this desk trades.")
        return watched_position(account_id, contract, units, average)

    def for_run(self, strategy_id: int, run_id: int, *, actor: Actor) -> Offer:
        """Raises NotFound for another's run or strategy, Conflict for a run that no rules can be given to."""
        at, exchange = self.of_run(run_id, actor=actor)
        return self.for_position(strategy_id, at, exchange, actor=actor)

    def of_run(self, run_id: int, *, actor: Actor) -> tuple[Watched, str]:
        """The position of an adopted run and its exchange. Raises NotFound, Conflict."""
        with self._database.reading() as session:
            return _adopted(session, run_id, actor)

    def ask(self, run_id: int, chosen: Chosen, *, actor: Actor, key: str) -> int:
        """The id of the command. Raises as `for_run`, and Conflict for a key that stands for something else."""
        return self._asking.once(
            Wish(
                kind=CommandKind.RULES, user_id=actor.id, username=actor.username, key=key, run_id=run_id,
                payload=chosen.payload(),
            ),
            lambda session: _said(session, run_id, chosen, actor),
        )  # fmt: skip


def _said(session: Session, run_id: int, chosen: Chosen, actor: Actor) -> Said:
    _adopted(session, run_id, actor)
    strategy = session.get(Strategy, chosen.strategy_id)
    if strategy is None or strategy.owner_id != actor.id or strategy.archived:
        raise NotFound("There is no such strategy.")
    words = f"Asked to put it under the rules of {strategy.name}."
    return Said("run.rules.ask", f"run:{run_id}", words)


def _adopted(session: Session, run_id: int, actor: Actor) -> tuple[Watched, str]:
    run = session.get(Run, run_id)
    if run is None or not (actor.is_admin or run.user_id == actor.id):
        raise NotFound("There is no such run.")
    try:
        return watched_run(session, run)
    except Denied as no:
        raise Conflict(str(no)) from no
