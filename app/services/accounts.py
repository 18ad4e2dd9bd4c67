"""Trading accounts: added when their gateway was tried, edited, paused, archived, and ordered as sources of prices."""

from typing import Protocol

from sqlalchemy import delete
from sqlalchemy.orm import Session

from app.domain.errors import Conflict, InvalidInput, NotFound, Unavailable
from app.persistence.database import Database
from app.persistence.locking import lock_table
from app.persistence.tables import GroupMember, TradingAccount
from app.ports.clock import Clock
from app.ports.gateway import GatewayAddress
from app.ports.simulator import Simulator
from app.ports.vault import Vault
from app.services.account_check import AccountCheck, GatewayFacts
from app.services.account_health import HealthBoard, HealthState
from app.services.account_rules import checked_form, listed, listed_ids, number, open_reason, refuse_taken
from app.services.account_types import SIMULATOR, AccountForm, AccountRow, AccountState, Actor, account_row, keep_limits
from app.services.activity import Activity

__all__ = ["SIMULATOR", "AccountForm", "AccountRow", "AccountState", "Accounts", "Actor"]


class GatewayCache(Protocol):
    """Who keeps gateway objects and must drop one when its address changed."""

    def forget(self, account_id: int) -> None: ...


class Accounts:
    """Thread-safe. Gateways are tried before a transaction is open, never in one."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        vault: Vault,
        check: AccountCheck,
        *,
        activity: Activity,
        gateways: GatewayCache,
        health: HealthBoard,
        simulator: Simulator | None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._vault = vault
        self._check = check
        self._activity = activity
        self._gateways = gateways
        self._health = health
        self._simulator = simulator

    def active(self) -> list[AccountRow]:
        """Every account that takes part, paused ones too, in the order of the feed."""
        with self._database.reading() as session:
            return [account_row(account) for account in listed(session)]

    def feed_order(self) -> list[int]:
        """Ids of accounts as sources of prices: the primary first, then the backups."""
        with self._database.reading() as session:
            return listed_ids(session)

    def shown_to(self, viewer: Actor) -> list[AccountRow]:
        """The accounts this user may see: an admin all, others their own."""
        return [account for account in self.active() if viewer.is_admin or account.owner_id == viewer.id]

    def one(self, viewer: Actor, account_id: int) -> AccountRow:
        """Raises NotFound when there is no such account for this user; archived ones are gone from pages."""
        for account in self.shown_to(viewer):
            if account.id == account_id:
                return account
        raise NotFound("There is no such account.")

    def add(self, by: Actor, form: AccountForm) -> int:
        """The id of the new account. Raises InvalidInput naming the field; then nothing was saved."""
        form = checked_form(form, key_needed=True)
        self._refuse_taken(form, but=None)
        facts = self._check.try_out(_address(form))
        with self._database.transaction() as session:
            account_id = self._insert(session, by, form, facts)
        self._heard(account_id, facts)
        return account_id

    def edit(self, by: Actor, account_id: int, form: AccountForm) -> None:
        """Change an account. A new address or key is tried first, and a new address asks for the key again.

        Raises InvalidInput naming the field, NotFound, or Conflict when the address changes while a run is open.
        """
        stored = self.one(by, account_id)
        form = checked_form(form, key_needed=False)
        moved = (form.host_url, form.websocket_url) != (stored.host_url, stored.websocket_url)
        if moved and not form.api_key:
            raise InvalidInput("api_key", "The address changed, so type the key again: it must not go to another host.")
        self._refuse_taken(form, but=account_id)
        facts = self._check.try_out(_address(form)) if form.api_key else None
        with self._database.transaction() as session:
            self._update(session, by, account_id, form, facts, moved=moved)
        if facts is not None:
            self._gateways.forget(account_id)
            self._health.forget(account_id)
            self._heard(account_id, facts)

    def test(self, by: Actor, account_id: int) -> GatewayFacts:
        """Try the stored gateway now. Raises InvalidInput as `add` does, NotFound.

        A mode other than the expected one is reported by the caller and changes nothing: type the key again to take it.
        """
        stored = self.one(by, account_id)
        with self._database.reading() as session:
            locked = session.get_one(TradingAccount, account_id).locked_key
        key = self._vault.unlock(locked, owner=_vault_owner(account_id))
        facts = self._check.try_out(GatewayAddress(stored.host_url, stored.websocket_url, key))
        self._heard(account_id, facts)
        with self._database.transaction() as session:
            self._log(
                session, by, "account.test", account_id, f"Tested {stored.name}: answered in {facts.latency_ms} ms."
            )
        return facts

    def pause(self, by: Actor, account_id: int) -> None:
        """Take no entries in it any more. Exits go on. A halted account stays halted."""
        if self.one(by, account_id).state is AccountState.ACTIVE:
            self._set_state(by, account_id, AccountState.PAUSED, "Paused {}: no entries, exits go on.")

    def resume(self, by: Actor, account_id: int) -> None:
        """Take entries again. A halted account is tried first.

        Raises Conflict when its gateway is still in the other mode, InvalidInput when it cannot be asked.
        """
        stored = self.one(by, account_id)
        if stored.state is AccountState.ACTIVE:
            return
        if stored.state is AccountState.HALTED:
            mode = self.test(by, account_id).mode
            if mode is not stored.expected_mode:
                raise Conflict(
                    f"{stored.name} stays halted: its gateway is in {mode.name} mode. Switch it back, or type the key "
                    "again under Edit to take the new mode."
                )
        self._set_state(by, account_id, AccountState.ACTIVE, "Resumed {}.")
        self._health.lift_halt(account_id)

    def archive(self, by: Actor, account_id: int) -> None:
        """Take it out of everything. Raises Conflict while a run or an order of it is open."""
        self.one(by, account_id)
        with self._database.transaction() as session:
            account = session.get_one(TradingAccount, account_id)
            if reason := open_reason(session, account_id):
                raise Conflict(f"{account.name} cannot be archived: {reason}")
            account.state = AccountState.ARCHIVED
            account.archived_at = self._clock.now()
            session.execute(delete(GroupMember).where(GroupMember.account_id == account_id))
            # Its name and address are free again for another account.
            account.name = f"{account.name[:80]} (archived {account_id})"
            number(listed(session))
            self._log(session, by, "account.archive", account_id, f"Archived {account.name}.")
        self._gateways.forget(account_id)
        self._health.forget(account_id)

    def make_primary(self, by: Actor, account_id: int) -> None:
        """Make it the first source of prices. Orders are not touched by that."""
        self._reorder(by, account_id, to_index=0)

    def move(self, by: Actor, account_id: int, *, up: bool, place: int) -> None:
        """One place earlier or later as a source of prices; at the end nothing happens.

        `place` is where it stood on the page, from 1. Raises Conflict when it stands elsewhere by now, so that the same
        click sent twice moves it once.
        """
        order = self.feed_order()
        if account_id not in order:
            raise NotFound("There is no such account.")
        if order.index(account_id) + 1 != place:
            raise Conflict("The order of accounts is not what the page showed. Nothing was moved now; look again.")
        self._reorder(by, account_id, to_index=max(0, order.index(account_id) + (-1 if up else 1)))

    def simulator_offered(self) -> bool:
        """Whether there is a simulator whose accounts are not here yet."""
        return self._simulator is not None and not any(account.is_simulator for account in self.active())

    def add_simulator(self, by: Actor) -> int:
        """Add the simulator's accounts that are not here yet, all or none. How many were added.

        Raises Conflict when there is no simulator, Unavailable when it does not answer, InvalidInput as `add` does.
        """
        if self._simulator is None:
            raise Conflict("No simulator is running with this desk. Start the desk with `make run`.")
        known = {account.host_url for account in self.active()}
        forms = [
            checked_form(AccountForm(one.name, one.host_url, one.websocket_url, one.api_key), key_needed=True)
            for one in self._simulator.accounts()
        ]
        missing = [form for form in forms if form.host_url not in known]
        tried = [(form, self._check.try_out(_address(form))) for form in missing]
        if any(facts.broker != SIMULATOR for _, facts in tried):
            raise Unavailable("What answers at the simulator's addresses is not the simulator. Nothing was added.")
        with self._database.transaction() as session:
            added = [(self._insert(session, by, form, facts), facts) for form, facts in tried]
        for account_id, facts in added:
            self._heard(account_id, facts)
        return len(added)

    def _insert(self, session: Session, by: Actor, form: AccountForm, facts: GatewayFacts) -> int:
        lock_table(session, TradingAccount)
        refuse_taken(session, form, but=None)
        account = TradingAccount(
            owner_id=by.id,
            name=form.name,
            broker=facts.broker,
            host_url=form.host_url,
            websocket_url=form.websocket_url,
            locked_key="",
            expected_mode=facts.mode.value,
            state=AccountState.ACTIVE,
            feed_rank=len(listed(session)),
            notes=form.notes,
            orders_per_second=form.orders_per_second,
            max_leg_lots=form.max_leg_lots,
            multiplier=form.multiplier,
            mis_cut_off=form.mis_cut_off,
            created_at=self._clock.now(),
        )
        keep_limits(account, form.limits)
        session.add(account)
        session.flush()
        account.locked_key = self._vault.lock(form.api_key, owner=_vault_owner(account.id))
        mode = "SIM" if facts.broker == SIMULATOR else facts.mode.name
        sentence = f"Added {form.name} ({facts.broker}, {mode} mode)."
        self._log(session, by, "account.add", account.id, sentence)
        return account.id

    def _update(
        self,
        session: Session,
        by: Actor,
        account_id: int,
        form: AccountForm,
        facts: GatewayFacts | None,
        *,
        moved: bool,
    ) -> None:
        lock_table(session, TradingAccount)
        refuse_taken(session, form, but=account_id)
        account = session.get_one(TradingAccount, account_id)
        if moved and (reason := open_reason(session, account_id)):
            raise Conflict(f"The address of {account.name} cannot change now: {reason}")
        account.name, account.notes = form.name, form.notes
        account.orders_per_second, account.mis_cut_off = form.orders_per_second, form.mis_cut_off
        account.max_leg_lots, account.multiplier = form.max_leg_lots, form.multiplier
        keep_limits(account, form.limits)
        account.host_url, account.websocket_url = form.host_url, form.websocket_url
        if facts is not None:
            account.broker, account.expected_mode = facts.broker, facts.mode.value
            account.locked_key = self._vault.lock(form.api_key, owner=_vault_owner(account_id))
        changed = "name, notes and limits" if facts is None else "address and key" if moved else "key"
        self._log(session, by, "account.edit", account_id, f"Changed {changed} of {form.name}.")

    def _set_state(self, by: Actor, account_id: int, state: AccountState, sentence: str) -> None:
        with self._database.transaction() as session:
            account = session.get_one(TradingAccount, account_id)
            account.state = state
            verb = "pause" if state is AccountState.PAUSED else "resume"
            self._log(session, by, f"account.{verb}", account_id, sentence.format(account.name))

    def _reorder(self, by: Actor, account_id: int, *, to_index: int) -> None:
        self.one(by, account_id)
        with self._database.transaction() as session:
            lock_table(session, TradingAccount)
            accounts = listed(session)
            before = [account.id for account in accounts]
            chosen = next(account for account in accounts if account.id == account_id)
            accounts.remove(chosen)
            accounts.insert(to_index, chosen)
            if [account.id for account in accounts] == before:
                return
            number(accounts)
            place = "the primary" if accounts[0] is chosen else f"number {accounts.index(chosen) + 1}"
            self._log(session, by, "account.order", account_id, f"{chosen.name} is now {place} for market data.")

    def _refuse_taken(self, form: AccountForm, *, but: int | None) -> None:
        """Before the gateway is tried: a name, gateway or key that another account has."""
        with self._database.reading() as session:
            refuse_taken(session, form, but=but)
            others = [(one.id, one.name, one.locked_key) for one in listed(session) if one.id != but]
        for account_id, name, locked in others:
            if form.api_key and self._vault.unlock(locked, owner=_vault_owner(account_id)) == form.api_key:
                raise InvalidInput("api_key", f"{name} has this key already. Each account has a gateway of its own.")

    def _heard(self, account_id: int, facts: GatewayFacts) -> None:
        known = self._health.of(account_id).state
        state = None if known in {HealthState.OK, HealthState.HALTED} else HealthState.CATCHING_UP
        self._health.report(account_id, state=state, latency_ms=facts.latency_ms, funds=facts.funds, mode=facts.mode)

    def _log(self, session: Session, by: Actor, action: str, account_id: int, sentence: str) -> None:
        self._activity.record(
            session, user_id=by.id, actor=by.username, action=action, subject=f"account:{account_id}", sentence=sentence
        )


def _address(form: AccountForm) -> GatewayAddress:
    return GatewayAddress(form.host_url, form.websocket_url, form.api_key)


def _vault_owner(account_id: int) -> str:
    return f"account:{account_id}"
