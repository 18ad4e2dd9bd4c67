"""Makes a foreign position a run: one transaction under the lease, and no order.

The engine's half. It decides by what the reconciler wrote down, so that orders, fills and the broker's positions are of
the same reads: two that were clean and began after somebody asked. What is another's order then has a row, and what is
our own that turned up late has been claimed.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.adoption import MAY_PASS, Adoptable, AdoptCode, AverageFrom, ForeignOrder, adopt, brought_about
from app.domain.books import OrderStatus
from app.domain.calendar import trading_date
from app.domain.contracts import Contract, ContractKey, Side
from app.domain.errors import Denied, Refused, Unavailable
from app.domain.money import Units
from app.domain.wording import contract_name
from app.persistence.database import Database
from app.persistence.leading import holds_lease
from app.persistence.tables import (
    ADOPTED,
    Adoption,
    CommandRow,
    FillRow,
    Order,
    Position,
    Run,
    StrategyExecution,
    TradingAccount,
)
from app.ports.clock import Clock
from app.services.activity import Activity
from app.services.adoption_commands import Adopt, adopt_of
from app.services.adoption_facts import OurSides
from app.services.adoption_waits import ALONG_PATIENCE_S, PATIENCE_S, AdoptionWaits, KeptBooks
from app.services.given_rules import Recipe, RuleGiver, agreed, watched_position
from app.services.ignored_positions import forget
from app.services.journal import Journal
from app.services.taken_along import left_at_once, wait_for_shorts


class Adopter:
    """`do` belongs to the intake loop."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        journal: Journal,
        activity: Activity,
        *,
        books: KeptBooks,
        read_soon: Callable[[int], None],
        contract_of: Callable[[ContractKey], Contract | None],
        freeze_of: Callable[[Contract, date], Units],
        epoch: Callable[[], int | None],
        on_change: Callable[[int], None],
        rules: RuleGiver,
        price_of: Callable[[ContractKey], Decimal],
    ) -> None:
        """`contract_of` gives None for what today's list does not have; `freeze_of` raises Refused where no rule says,
        `price_of`, which may ask a gateway, Unavailable where nobody tells a fresh one.

        `on_change` is told of the run that was made.
        """
        self._database = database
        self._clock = clock
        self._journal = journal
        self._activity = activity
        self._waits = AdoptionWaits(clock, books, read_soon)
        self._contract_of = contract_of
        self._freeze_of = freeze_of
        self._epoch = epoch
        self._on_change = on_change
        self.rules = rules
        self._price_of = price_of

    def do(self, command_id: int) -> str:
        """What became of it, as a sentence. Doing it again changes nothing.

        Raises Unavailable while the books are awaited or another engine leads, Refused with the code of the reason.
        """
        with self._database.reading() as session:
            command = session.get_one(CommandRow, command_id)
        if command.state != "ASKED":
            return command.answer or "This was done before."
        wanted, by = adopt_of(command.payload)
        try:
            self._await(command_id, wanted)
            run_id, said = self._adopt(command_id, wanted, by)
        except Refused as no:
            if self._may_pass(command_id, wanted, no):
                raise Unavailable(str(no)) from no
            self._waits.over(command_id)
            said = f"{no.code}: {no}" if isinstance(no, Denied) else str(no)
            self._tell_refused(command, wanted, said)
            raise Refused(said) from no
        self._waits.over(command_id)
        self._on_change(run_id)
        return said

    def _await(self, command_id: int, wanted: Adopt) -> None:
        """Raises Unavailable until its turn has come and the books are read, Denied when they are not."""
        if wanted.kill is not None:
            with self._database.reading() as session:
                wait_for_shorts(session, wanted)
        self._waits.for_books(command_id, wanted.account_id, PATIENCE_S if wanted.kill is None else ALONG_PATIENCE_S)

    def _may_pass(self, command_id: int, wanted: Adopt, no: Refused) -> bool:
        """Whether what the kill switch takes along only has to wait for it: nobody is there to ask again."""
        may = wanted.kill is not None and isinstance(no, Denied) and no.code in MAY_PASS
        return may and self._waits.lasts_s(command_id) <= ALONG_PATIENCE_S

    def _adopt(self, command_id: int, wanted: Adopt, by: str) -> tuple[int, str]:
        """The run, and what is said of it. Raises Denied, Refused; then nothing was written."""
        try:
            return self._adopt_at(command_id, wanted, by, price=None)
        except Denied as no:
            if wanted.kill is None or no.code != AdoptCode.NO_AVERAGE:
                raise
        try:
            price = self._price_of(wanted.contract)
        except Unavailable as nobody:
            raise Denied(AdoptCode.NO_PRICE, f"It is worth nobody knows what just now: {nobody}") from nobody
        return self._adopt_at(command_id, wanted, by, price=price)

    def _adopt_at(self, command_id: int, wanted: Adopt, by: str, *, price: Decimal | None) -> tuple[int, str]:
        contract = self._contract(wanted, trading_date(self._journal.now()))
        recipe = self._recipe(command_id, wanted)
        with self._database.transaction() as session:
            if not holds_lease(session, self._epoch()):
                raise Unavailable("Another engine leads; it adopts this.")
            command = session.get_one(CommandRow, command_id, with_for_update=True, populate_existing=True)
            if command.state != "ASKED":
                return command.run_id or 0, command.answer or "This was done before."
            # Orders, then the account, as the reconciler does; whoever sends in this account waits for its row.
            orders = _foreign_orders(session, wanted)
            account = session.get_one(TradingAccount, wanted.account_id, with_for_update={"key_share": True})
            if account.state == "ARCHIVED":
                raise Denied(AdoptCode.ACCOUNT, f"{account.name} is archived: it takes part in nothing.")
            found = self._judge(session, wanted, contract, price)
            return self._write(session, _Act(command, wanted, by, account, contract, recipe), found, orders)

    def _recipe(self, command_id: int, wanted: Adopt) -> Recipe | None:
        if wanted.rules is None:
            return None
        with self._database.reading() as session:
            user_id = session.get_one(CommandRow, command_id).user_id
        return self.rules.recipe(wanted.rules, user_id, wanted.contract.exchange)

    def _contract(self, wanted: Adopt, today: date) -> Contract:
        """With its freeze limit. Raises Denied for what could not be closed, Refused where no rule says its limit."""
        listed = self._contract_of(wanted.contract)
        if listed is None or listed.expiry < today:
            words = (
                f"{wanted.contract.symbol} is not in today's list of contracts that this desk trades, so it could not "
                "be closed."
            )
            raise Denied(AdoptCode.CONTRACT, words)
        return replace(listed, freeze=self._freeze_of(listed, today))

    def _judge(self, session: Session, wanted: Adopt, contract: Contract, price: Decimal | None) -> Adoptable:
        position = session.scalars(
            select(Position).where(
                Position.account_id == wanted.account_id,
                Position.exchange == wanted.contract.exchange,
                Position.symbol == wanted.contract.symbol,
                Position.product == wanted.product,
            )
        ).one_or_none()
        sides = OurSides(session, [wanted.account_id], now=self._clock.now(), market_now=self._journal.now())
        standing = sides.standing(
            (wanted.account_id, wanted.contract, wanted.product),
            contract=contract_name(contract),
            broker=0 if position is None else position.net,
            average=None if position is None else position.average,
            lot_size=contract.lot_size,
        )
        return adopt(standing, units=wanted.units, average=wanted.average, price=price)

    def _write(self, session: Session, act: "_Act", found: Adoptable, orders: list[Order]) -> tuple[int, str]:
        now, market_now = self._clock.now(), self._journal.now()
        ids = brought_about(ForeignOrder(order.order_id, _filled(order)) for order in orders)
        run = Run(
            user_id=act.account.owner_id,
            name=f"Adopted {contract_name(act.contract)}"[:100],
            mode=act.account.expected_mode,
            state="OPEN",
            requested_at=act.command.asked_at,
            started_at=market_now,
        )
        session.add(run)
        session.flush()
        execution, adoption = _execution(run.id, act, found), _adoption(run.id, act, found, ids, now)
        session.add_all([execution, adoption])
        session.flush()
        session.add(_fill(adoption, execution.id, found, market_now))
        for order in orders:
            if order.order_id in ids:
                order.adoption_id = adoption.id
        forget(session, act.account.id, act.wanted.contract, act.wanted.product)
        words = _words(act, found, ids)
        self._journal.note(session, run.id, "adopted", words, act.account.id)
        rules, exit_words = self._put_rules(session, run, act, found), self._leave(session, run, execution, act)
        words = " ".join([words, *rules, *exit_words])
        self._activity.record(
            session,
            user_id=act.command.user_id,
            actor=act.by,
            action="position.adopted",
            subject=f"run:{run.id}",
            sentence=words,
            detail={"order_ids": list(ids)},
        )
        command = act.command
        command.state, command.answer, command.run_id, command.done_at = "DONE", words, run.id, now
        return run.id, words

    def _put_rules(self, session: Session, run: Run, act: "_Act", found: Adoptable) -> list[str]:
        """What is said of it; nothing where none were wanted. Raises Denied, and then nothing is adopted either."""
        chosen = act.wanted.rules
        if act.recipe is None or chosen is None:
            return []
        average = found.average if found.average_from is AverageFrom.BROKER else None
        at = watched_position(act.account.id, act.contract, found.units, average)
        offer = agreed(act.recipe, chosen, at)
        return [self.rules.put(session, run, offer, by=act.by, account_id=act.account.id)]

    def _leave(self, session: Session, run: Run, execution: StrategyExecution, act: "_Act") -> list[str]:
        """The exit of what the kill switch took along, latched with it, so that no crash makes it a run that stays."""
        if act.wanted.kill is None:
            return []
        execution.exit_wanted, run.state = left_at_once(act.by), "EXITING"
        self._journal.note(session, run.id, "exit", f"{left_at_once(act.by)}. To be flat: 1 position.", act.account.id)
        return ["It is left at once."]

    def _tell_refused(self, command: CommandRow, wanted: Adopt, said: str) -> None:
        with self._database.transaction() as session:
            account = session.get_one(TradingAccount, wanted.account_id).name
            self._activity.record(
                session,
                user_id=command.user_id,
                actor=str(command.payload["by"]),
                action="position.refused",
                subject=f"account:{wanted.account_id}",
                sentence=f"Not adopted: {wanted.units:+d} {wanted.contract.symbol} in {account}. {said}",
            )


def _foreign_orders(session: Session, wanted: Adopt) -> list[Order]:
    """Orders there that are nobody's, locked, in order of their time."""
    query = (
        select(Order)
        .where(
            Order.account_id == wanted.account_id,
            Order.exchange == wanted.contract.exchange,
            Order.symbol == wanted.contract.symbol,
            Order.product == wanted.product,
            Order.intent_id.is_(None),
            Order.adoption_id.is_(None),
        )
        .order_by(Order.id)
        .with_for_update(key_share=True)
    )
    return list(session.scalars(query))


def _filled(order: Order) -> int:
    """Signed units; a complete order whose trades are not read yet has filled all of its."""
    units = order.units if order.status == OrderStatus.COMPLETE else order.filled
    return Side(order.side).sign * units


@dataclass(frozen=True, slots=True)
class _Act:
    """Who asked for what, and where it is done. The contract has its freeze limit; no recipe where no rules go on."""

    command: CommandRow
    wanted: Adopt
    by: str
    account: TradingAccount
    contract: Contract
    recipe: Recipe | None


def _execution(run_id: int, act: _Act, found: Adoptable) -> StrategyExecution:
    contract, units = act.contract, abs(found.units)
    return StrategyExecution(
        run_id=run_id,
        account_id=act.account.id,
        leg=1,
        underlying=contract.underlying,
        exchange=contract.key.exchange,
        symbol=contract.key.symbol,
        kind=contract.kind.value,
        expiry=contract.expiry.isoformat(),
        strike=contract.strike,
        side=found.side.value,
        product=act.wanted.product,
        lots=units // contract.lot_size,
        units=units,
        lot_size=contract.lot_size,
        tick=contract.tick,
        freeze=contract.freeze,
    )


def _adoption(run_id: int, act: _Act, found: Adoptable, order_ids: tuple[str, ...], now: datetime) -> Adoption:
    return Adoption(
        command_id=act.command.id,
        run_id=run_id,
        account_id=act.account.id,
        exchange=act.wanted.contract.exchange,
        symbol=act.wanted.contract.symbol,
        product=act.wanted.product,
        units=found.units,
        average=found.average,
        average_from=found.average_from.value,
        order_ids=list(order_ids),
        user_id=act.command.user_id,
        at=now,
    )


def _fill(adoption: Adoption, execution_id: int, found: Adoptable, at: datetime) -> FillRow:
    """Positions and averages come from fills alone: this is the one of what somebody else traded."""
    return FillRow(
        adoption_id=adoption.id,
        execution_id=execution_id,
        order_id="",
        traded_at=ADOPTED,
        ordinal=1,
        side=found.side.value,
        units=abs(found.units),
        price=found.average,
        at=at,
    )


def _words(act: _Act, found: Adoptable, ids: tuple[str, ...]) -> str:
    whose = {
        AverageFrom.BROKER: "the broker's average",
        AverageFrom.TYPED: f"the average that {act.by} typed",
        AverageFrom.PRICE: "its price then, since the broker tells no average of these units alone",
    }[found.average_from]
    brought = f" Brought about by {'order' if len(ids) == 1 else 'orders'} {', '.join(ids)}." if ids else ""
    return (
        f"{act.by} adopted {found.units:+d} {contract_name(act.contract)} in {act.account.name} at "
        f"{found.average:.2f}, {whose}. No order was sent.{brought}"
    )
