"""What the rules of a strategy come to for an adopted position, as pages and scripts show it before anybody asks."""

import re
from dataclasses import dataclass
from decimal import Decimal

from werkzeug.datastructures import MultiDict

from app.domain.contracts import ContractKey
from app.domain.errors import Conflict, InvalidInput
from app.domain.given_rules import NOTHING, Watched, leaves_at_once
from app.services.book_ledger import Place
from app.services.given_rules import Offer
from app.web.account_words import mode_word
from app.web.contract_names import contract_labels
from app.web.desk import Desk
from app.web.signed_in import SignedIn

_ID = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionView:
    """What the rules would watch. `units` are signed; `average` None: the broker tells none of these units alone.

    `total` is its P&L in rupees from that average, None where it or a price is not known.
    """

    title: str
    account_id: int
    account: str
    mode: str | None
    exchange: str
    symbol: str
    product: str
    units: int
    held: Watched
    lot_size: int
    average: Decimal | None
    total: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferView:
    """What a strategy's rules come to there. `at_once` is the sentence for a limit that is reached already."""

    strategy_id: int
    strategy: str
    digest: str
    words: tuple[str, ...]
    misfits: tuple[tuple[str, str], ...]
    can_be_given: bool
    at_once: str | None


def of_place(desk: Desk, viewer: SignedIn, place: Place) -> PositionView:
    """A foreign position as its account's book says now.

    Raises NotFound for another's account, Unavailable while its book cannot be read, Conflict where nothing of it can
    be adopted.
    """
    row = desk.reconciliation.at(viewer, place)
    if row.adopt_no or not row.foreign or row.lot_size is None:
        raise Conflict(f"It cannot be adopted: {row.adopt_no or 'no unit of it is foreign any more.'}")
    return PositionView(
        title=row.contract,
        account_id=row.account_id,
        account=row.account,
        mode=_mode(desk, viewer, row.account_id),
        exchange=place[1].exchange,
        symbol=place[1].symbol,
        product=row.product,
        units=row.foreign,
        held=desk.rules.position(place[0], place[1], row.foreign, row.average),
        lot_size=row.lot_size,
        average=row.average,
        total=_worth(desk, place[1], row.foreign, row.average),
    )


def of_run(desk: Desk, viewer: SignedIn, run_id: int) -> PositionView:
    """That of an adopted run. Raises NotFound for another's run, Conflict for one that no rules can be given to."""
    held, _ = desk.rules.of_run(run_id, actor=viewer)
    run = desk.run_board.view(run_id)
    (cell,) = run.cells
    return PositionView(
        title=contract_labels([cell.contract])[cell.contract.key],
        account_id=cell.account_id,
        account=run.accounts[0].name,
        mode=_mode(desk, viewer, cell.account_id),
        exchange=cell.contract.key.exchange,
        symbol=cell.contract.key.symbol,
        product=cell.product,
        units=cell.net,
        held=held,
        lot_size=cell.contract.lot_size,
        average=held.average,
        total=None if held.average is None else desk.run_board.pnl(run).total,
    )


def offer_for(desk: Desk, viewer: SignedIn, position: PositionView, strategy_id: int) -> OfferView:
    """Raises NotFound for another's strategy, Unavailable while the market's time is not known."""
    offer: Offer = desk.rules.for_position(strategy_id, position.held, position.exchange, actor=viewer)
    return OfferView(
        strategy_id=offer.strategy_id,
        strategy=offer.strategy,
        digest=offer.digest,
        words=offer.fit.words,
        misfits=tuple((misfit.rule, misfit.why) for misfit in offer.fit.misfits),
        can_be_given=offer.fit.given != NOTHING,
        at_once=leaves_at_once(offer.fit.given, position.total),
    )


def strategy_in(args: MultiDict[str, str]) -> int | None:
    """None when none is chosen yet. Raises InvalidInput."""
    text = args.get("strategy_id", "")
    if not text:
        return None
    if not _ID.fullmatch(text):
        raise InvalidInput("strategy_id", "strategy_id must be a whole number. Reload the page and choose again.")
    return int(text)


def _worth(desk: Desk, key: ContractKey, units: int, average: Decimal | None) -> Decimal | None:
    """P&L in rupees at the newest price; None where that or the average is not known."""
    mark = desk.run_board.mark(key)
    return None if mark is None or average is None else (mark.value - average) * units


def _mode(desk: Desk, viewer: SignedIn, account_id: int) -> str | None:
    account = desk.accounts.one(viewer, account_id)
    return mode_word(account, desk.health.of(account.id).mode)
