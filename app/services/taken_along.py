"""Foreign positions that a use of the kill switch takes along: each was ticked, is adopted as it was shown and left."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.adoption import AdoptCode
from app.domain.contracts import ContractKey, Side
from app.domain.errors import Denied, InvalidInput, NotFound, Unavailable
from app.persistence.tables import CommandRow, TradingAccount
from app.services.account_types import AccountState, Actor
from app.services.adoption_commands import Adopt
from app.services.book_ledger import Place
from app.services.commands import CommandKind
from app.services.kill_parts import Part, parts_of
from app.services.run_state import load_accounts

MOST = 200
"""Positions that one use of the switch takes along."""


@dataclass(frozen=True, slots=True, order=True)
class Ticked:
    """Signed units of a foreign position, all of them, as they were shown to whoever ticked it."""

    account_id: int
    exchange: str
    symbol: str
    product: str
    units: int

    @property
    def name(self) -> str:
        """What forms, scripts and commands call it: `3/NFO/NIFTY01DEC2626400CE/MIS/-130`."""
        return f"{self.account_id}/{self.exchange}/{self.symbol}/{self.product}/{self.units}"

    @property
    def place(self) -> Place:
        return self.account_id, ContractKey(self.exchange, self.symbol), self.product


@dataclass(frozen=True, slots=True)
class Along:
    """How far one is. `run_id` None: not ours yet. `refused` says why it stays, None for what does not."""

    ticked: Ticked
    run_id: int | None
    refused: str | None

    @property
    def waits(self) -> bool:
        return self.run_id is None and self.refused is None


def check_ticked(session: Session, ticked: Sequence[Ticked], actor: Actor) -> None:
    """Raises NotFound for an account that is not there or not the actor's, InvalidInput for too many or one twice."""
    if len(ticked) > MOST:
        raise InvalidInput("foreign", f"At most {MOST} foreign positions go along at once; {len(ticked)} are ticked.")
    if len({each.place for each in ticked}) < len(ticked):
        raise InvalidInput("foreign", "A foreign position is named twice. Reload the page and try again.")
    for account_id in {each.account_id for each in ticked}:
        account = session.get(TradingAccount, account_id)
        mine = account is not None and (actor.is_admin or account.owner_id == actor.id)
        if account is None or not mine or account.state == AccountState.ARCHIVED:
            raise NotFound("There is no such account, so none of its positions goes along. Nothing was halted.")


def stored(ticked: Sequence[Ticked]) -> dict[str, object]:
    """As the command of the kill holds them; nothing where nothing is ticked."""
    if not ticked:
        return {}
    rows = [[each.account_id, each.exchange, each.symbol, each.product, each.units] for each in sorted(ticked)]
    return {"foreign": rows}


def ticked_of(payload: Mapping[str, object]) -> tuple[Ticked, ...]:
    """What was ticked when the switch was pressed."""
    kept = payload.get("foreign")
    return tuple(Ticked(*each) for each in kept) if isinstance(kept, list) else ()


def write_asks(session: Session, kill: CommandRow) -> None:
    """Once, in the transaction that takes the kill: an adoption of each, which no user's key can be taken for."""
    for number, each in enumerate(ticked_of(kill.payload), start=1):
        wanted = Adopt(each.account_id, each.place[1], each.product, each.units, average=None, kill=kill.id)
        session.add(
            CommandRow(
                user_id=kill.user_id,
                key=_key(kill.id, number),
                kind=CommandKind.ADOPT.value,
                run_id=None,
                payload={**wanted.payload(), "by": kill.payload["by"]},
                state="ASKED",
                asked_at=kill.asked_at,
            )
        )


def along_of(session: Session, kill: CommandRow) -> tuple[Along, ...]:
    """How far each is, in the order of accounts; what the engine has not taken yet waits."""
    ticked = ticked_of(kill.payload)
    if not ticked:
        return ()
    keys = [_key(kill.id, number) for number in range(1, len(ticked) + 1)]
    asked = session.scalars(select(CommandRow).where(CommandRow.user_id == kill.user_id, CommandRow.key.in_(keys)))
    by_key = {command.key: command for command in asked}
    return tuple(_along(each, by_key.get(key)) for each, key in zip(ticked, keys, strict=True))


def adopted_parts(along: Collection[Along]) -> tuple[Part, ...]:
    """What of it has become runs, which are left as any others of the kill."""
    return tuple(Part(each.run_id, None) for each in along if each.run_id is not None)


def wait_for_shorts(session: Session, wanted: Adopt) -> None:
    """A long may hedge what is sold in its account, so it goes after all that the kill closes there.

    Raises Unavailable while a short of the kill is open there, Denied where one that was ticked too stays.
    """
    if wanted.kill is None or wanted.units < 0:
        return
    kill = session.get_one(CommandRow, wanted.kill)
    beside = [each for each in along_of(session, kill) if each.ticked.account_id == wanted.account_id]
    shorts = [each for each in beside if each.ticked.units < 0]
    if any(each.refused for each in shorts):
        words = "A short of this account that was ticked too could not be taken along, and this may be its hedge."
        raise Denied(AdoptCode.SHORT_STAYS, words)
    parts = (*(parts_of(kill.payload) or ()), *adopted_parts(shorts))
    if any(each.waits for each in shorts) or any(_is_short(session, part, wanted.account_id) for part in parts):
        raise Unavailable("Shorts of this account are closed first.")


def left_at_once(by: str) -> str:
    """Why a run that was taken along is left."""
    return f"Kill switch by {by}"


def _is_short(session: Session, part: Part, account_id: int) -> bool:
    if part.account_id not in {None, account_id}:
        return False
    accounts = load_accounts(session, part.run_id, only={account_id})
    return any(
        execution.net < 0 or (execution.side is Side.SELL and execution.is_moving)
        for account in accounts
        for execution in account.executions
    )


def _along(ticked: Ticked, command: CommandRow | None) -> Along:
    if command is None or command.state == "ASKED":
        return Along(ticked, None, None)
    if command.state == "DONE":
        return Along(ticked, command.run_id, None)
    return Along(ticked, None, command.answer or "It was refused.")


def _key(kill_id: int, number: int) -> str:
    return f"along:{kill_id}:{number}"
