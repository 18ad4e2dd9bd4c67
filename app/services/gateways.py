"""The gateway object of each account, made from its stored address and kept until that address changes."""

import threading
from dataclasses import dataclass

from sqlalchemy import select

from app.domain.errors import NotFound
from app.persistence.database import Database
from app.persistence.tables.accounts import TradingAccount
from app.ports.gateway import Gateway, GatewayAddress, GatewayFactory
from app.ports.vault import Vault

CHECK_EVERY_S = 5.0


@dataclass(frozen=True, slots=True)
class _Stored:
    """What the row said when the gateway was made: a later row that says otherwise makes a new one."""

    name: str
    host_url: str
    websocket_url: str
    locked_key: str


@dataclass(frozen=True, slots=True)
class _Known:
    stored: _Stored
    address: GatewayAddress
    gateway: Gateway


_ADDRESSES = select(
    TradingAccount.id,
    TradingAccount.name,
    TradingAccount.host_url,
    TradingAccount.websocket_url,
    TradingAccount.locked_key,
)


def _stored(row: TradingAccount) -> _Stored:
    return _Stored(row.name, row.host_url, row.websocket_url, row.locked_key)


class Gateways:
    """Thread-safe. Everybody who asks for one account's gateway gets the same object, with its kept connections."""

    def __init__(self, database: Database, vault: Vault, factory: GatewayFactory) -> None:
        self._database = database
        self._vault = vault
        self._factory = factory
        self._known: dict[int, _Known] = {}
        self._making = threading.Lock()

    def of(self, account_id: int) -> Gateway:
        """Raises NotFound for no such account, Misconfigured when its key cannot be unlocked."""
        return self._of(account_id).gateway

    def address(self, account_id: int) -> GatewayAddress:
        """Raises as `of` does."""
        return self._of(account_id).address

    def name(self, account_id: int) -> str:
        """What the account is called, as of when its gateway was made or last checked. Raises as `of` does."""
        return self._of(account_id).stored.name

    def forget(self, account_id: int) -> None:
        """Make a new gateway at the next `of`. To be called after the change of an address is committed."""
        with self._making:
            known = self._known.pop(account_id, None)
        if known is not None:
            known.gateway.close()

    def step(self) -> float:
        """Forget gateways whose account was changed by another process. Returns the seconds until the next look."""
        with self._database.reading() as session:
            stored = {row.id: _Stored(*row[1:]) for row in session.execute(_ADDRESSES)}
        with self._making:
            changed = [number for number, known in self._known.items() if known.stored != stored.get(number)]
        for account_id in changed:
            self.forget(account_id)
        return CHECK_EVERY_S

    def _of(self, account_id: int) -> _Known:
        known = self._known.get(account_id)
        if known is not None:
            return known
        with self._making:
            # The row is read inside the lock, so that a `forget` after a change cannot be overtaken by an older row.
            if account_id not in self._known:
                self._known[account_id] = self._make(account_id)
            return self._known[account_id]

    def _make(self, account_id: int) -> _Known:
        with self._database.reading() as session:
            row = session.scalar(select(TradingAccount).where(TradingAccount.id == account_id))
            stored = None if row is None else _stored(row)
        if stored is None:
            raise NotFound(f"There is no account number {account_id}.")
        key = self._vault.unlock(stored.locked_key, owner=f"account:{account_id}")
        address = GatewayAddress(stored.host_url, stored.websocket_url, key)
        return _Known(stored, address, self._factory(address))
