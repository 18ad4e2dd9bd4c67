"""Keeps live prices coming: one feed on the primary account, the next account when that one fails, and back again."""

import random
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from app.domain.contracts import ContractKey
from app.domain.errors import Misconfigured, NotFound, Unavailable
from app.ports.clock import Clock
from app.ports.feed import BrokerGone, FeedClosed, FeedFactory, FeedMode
from app.ports.gateway import GatewayAddress, LoggedOut, TimedOut, WrongKey
from app.services.feed_link import FeedLink
from app.services.feed_moves import Announce, FeedMoves
from app.services.feed_order import FeedOrder
from app.services.feed_pool import FeedPace, FeedPool
from app.services.feed_snapshots import FeedSnapshots, Snapshot
from app.services.feed_standby import FeedStandby
from app.services.feed_state import ConnectionState, FeedFault, FeedPhase, FeedState, MoveKind
from app.services.feed_turns import FeedTurns
from app.services.first_answer import AccountOrder
from app.services.gateways import Gateways
from app.services.price_board import PriceBoard
from app.services.subscriptions import Wants

READ_S = 0.2
LOOK_EVERY_S = 0.1
"""While ticks come, all but reading them waits so long: it costs as much as a hundred of them."""
LOOK_AGAIN_S = 0.5
UPKEEP_S = 0.25
LATE_AFTER_S = 5.0
WELL_AFTER_S = 60.0
"""How long an account that had failed must stand before prices come from it again."""

_WITH_ITS_ACCOUNT = frozenset({FeedFault.HALF_OPEN, FeedFault.SILENT, FeedFault.LATE})
"""Faults of the account's side: while a backup brings prices, the same account is not tried once more before it."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the reader last saw of its feed, for other threads to look at."""

    link: FeedLink | None
    confirmed: int = 0
    keys: frozenset[ContractKey] = frozenset()
    refused: tuple[tuple[ContractKey, str], ...] = ()


class WebSocketManager:
    """`step` is the reader's, `upkeep_step` is another thread's; everything else is thread-safe.

    A feed never affects orders: it moves to another account while every order stays with its own.
    """

    def __init__(
        self,
        gateways: Gateways,
        feeds: FeedFactory,
        board: PriceBoard,
        clock: Clock,
        order: AccountOrder,
        *,
        in_session: Callable[[], bool],
        snapshot: Snapshot,
        announce: Announce,
        logged_out: Callable[[int], bool],
        pace: FeedPace | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._gateways = gateways
        self._board = board
        self._clock = clock
        self._pool = FeedPool(gateways, feeds, board, clock, pace or FeedPace())
        self._order = FeedOrder(order)
        self._in_session = in_session
        self._snapshots = FeedSnapshots(snapshot)
        self._moves = FeedMoves(clock, gateways.name, logged_out, announce)
        self._wants = Wants()
        self._turns = FeedTurns(jitter)
        self._standby = FeedStandby(
            lambda account_id: self._pool.open(account_id, serves=False), lambda: self._pool.has_room, clock
        )
        self._to_renew: deque[ContractKey] = deque()
        self._link: FeedLink | None = None
        self._lost_links: deque[FeedLink] = deque()
        self._seen = _Seen(None)
        self._looked = float("-inf")
        self._failed: frozenset[int] = frozenset()
        self._retry_at = 0.0
        self._session_since: float | None = None
        self._idle_since: float | None = None
        self._phase = FeedPhase.OFF
        self._since: datetime = clock.now()

    def want(self, consumer: str, keys: Iterable[ContractKey], mode: FeedMode) -> None:
        """Say what a consumer wants from now on. Each contract is subscribed once, in the deepest mode anybody wants.

        QUOTE brings no bid and ask: whoever prices orders from the board wants DEPTH.
        """
        self._wants.put(consumer, keys, mode)

    def unwant(self, consumer: str) -> None:
        self._wants.drop(consumer)

    def renew(self, keys: Iterable[ContractKey]) -> None:
        """Subscribe these anew where they are subscribed: they are confirmed, and their pushes are missing."""
        self._to_renew.extend(keys)

    def wanted_by_others(self, *consumers: str) -> frozenset[ContractKey]:
        """Contracts that anybody else wants: they use up the budget of subscriptions first."""
        return self._wants.of_others(consumers)

    def choose(self, account_id: int, by: str) -> None:
        """Take prices from that account from now on, before all others, until it is given back or the program ends.

        It serves as soon as its feed is warm, without a gap; while it fails the others serve. Raises Conflict.
        """
        self._order.choose(account_id, by)

    def give_back(self, by: str) -> None:
        """Prices come from the first account in order again. Raises Conflict when nobody chose another."""
        self._order.give_back(by)

    def connections(self) -> tuple[ConnectionState, ...]:
        """All sockets for market data: the one that serves, and what stands in reserve."""
        return self._pool.connections(self._standby.ready())

    def order(self) -> tuple[int, ...]:
        """The accounts prices may come from, in the order in which they are tried; empty where nothing is fed."""
        return self._order.accounts

    def not_ready(self) -> dict[int, str]:
        """Why an account's feed could not be had the last time it was tried."""
        return self._standby.reasons()

    def confirmed(self) -> frozenset[ContractKey]:
        """The contracts that are pushed to us now."""
        return self._seen.keys

    def gap_from(self) -> float | None:
        """Pushed prices that came until then are of before the newest gap; None when there never was one."""
        return self._moves.gap_from

    def session_since(self) -> float | None:
        """When the market opened or this program began to watch it, monotonic; None while it is closed."""
        return self._session_since

    def gateway_time(self) -> datetime | None:
        """What the gateway that feeds us said its time is, in its newest answer to a ping."""
        link = self._seen.link
        said = None if link is None else link.feed.gateway_ms
        return None if said is None else datetime.fromtimestamp(said / 1000, UTC)

    def state(self) -> FeedState:
        """What the top bar and the admin's page show."""
        seen, now = self._seen, self._clock.monotonic()
        link = seen.link
        last_price = None if link is None else link.last_price
        return FeedState(
            account_id=None if link is None else link.account_id,
            account_name=None if link is None else link.name,
            phase=self._phase,
            since=self._since,
            last_tick_age_s=None if last_price is None else max(0.0, now - last_price),
            wanted=len(self._wants.joined()),
            confirmed=seen.confirmed,
            refused=seen.refused,
            failovers=self._moves.failovers,
            last_cause=self._moves.cause,
            last_fault=self._moves.fault,
            chosen=self._order.choice.account_id,
            chosen_by=self._order.choice.by,
            drops=self._pool.drops.joined(self._board.counts().dropped),
            late_by_s=None if link is None else self._board.late_by_s(),
        )

    def source_order(self) -> list[int]:
        """Accounts to ask for market data by REST: the one that serves the feed first, then the rest in order."""
        link = self._seen.link
        order = list(self._order.all())
        if link is None or link.account_id not in order:
            return order
        return [link.account_id, *(each for each in order if each != link.account_id)]

    def step(self) -> float:
        """Read for a moment, after doing what is due on the connection. Returns the seconds until the next call."""
        now = self._clock.monotonic()
        if self._has_only_read(now):
            return 0.0
        self._look_around(now)
        if not self._order.accounts or self._is_idle(now):
            self._rest()
            return LOOK_AGAIN_S
        if self._link is None:
            if now < self._retry_at:
                return min(self._retry_at - now, LOOK_AGAIN_S)
            self._connect()
            return 0.0
        try:
            self._serve(self._change_over(self._link))
        except FeedClosed as closed:
            self._lose_to(closed)
        return 0.0

    def _has_only_read(self, now: float) -> bool:
        """Take what waits, when there is nothing else to do just now. False when nothing came either."""
        link = self._link
        if link is None or not 0.0 <= now - self._looked < LOOK_EVERY_S or link.followed is not self._wants.joined():
            return False
        try:
            return link.read(READ_S)
        except FeedClosed as closed:
            self._lose_to(closed)
            return True

    def upkeep_step(self) -> float:
        """Tell what happened, quote what was newly subscribed, keep the backup warm. May block on the network."""
        self._close_lost()
        self._moves.tell()
        self._snapshots.step()
        link, served = self._link, self._moves.served
        serving = served if link is None else link.account_id
        others = tuple(each for each in self._order.accounts if each != serving)
        # Before anything was wanted nothing is opened, and what stands ready stays however long nothing is wanted.
        self._standby.tend(others, self._session_since, may_open=serving is not None)
        return UPKEEP_S

    def close(self) -> None:
        """Let go of all connections. To be called when the threads have stopped."""
        self._rest()
        self._close_lost()
        self._standby.close()

    def _close_lost(self) -> None:
        while self._lost_links:
            self._lost_links.popleft().close()

    def _is_idle(self, now: float) -> bool:
        """Nothing has been wanted for so long that the feed is closed; one that was never opened stays so."""
        if self._wants.joined():
            self._idle_since = None
            return False
        self._idle_since = now if self._idle_since is None else self._idle_since
        return self._link is None or now - self._idle_since >= self._pool.pace.idle_s

    def _look_around(self, now: float) -> None:
        if self._order.is_due(now):
            if self._order.read(now):
                self._hurry(self._order.accounts[0])
            self._drop_if_moved()
        if not self._in_session():
            self._session_since = None
        elif self._session_since is None:
            self._session_since = now

    def _hurry(self, account_id: int) -> None:
        """Somebody wants prices from there now: a past failure makes it wait no longer."""
        self._failed -= {account_id}
        self._standby.hurry()
        if self._link is None:
            self._turns.take(account_id)

    def _drop_if_moved(self) -> None:
        """The account that serves may have been paused, archived or given another address."""
        link = self._link
        if link is None:
            return
        if link.account_id not in self._order.accounts:
            self._lose(FeedFault.WITHDRAWN, f"{link.name} does not serve prices any more.")
        elif self._address(link.account_id) != link.address:
            self._lose(FeedFault.WITHDRAWN, f"{link.name} has another address or key.")

    def _address(self, account_id: int) -> GatewayAddress | None:
        """None when it cannot be had any more: the key is not ours, or the account is gone."""
        try:
            return self._gateways.address(account_id)
        except (NotFound, Misconfigured):
            return None

    def _connect(self) -> None:
        account_id = self._turns.account(self._order.accounts)
        if account_id is None:
            return
        ready = self._from_reserve(account_id)
        if ready is not None:
            self._turns.take(ready.account_id)
            self._adopt(ready)
            return
        try:
            self._adopt(self._pool.open(account_id, serves=True))
        except (Unavailable, NotFound, Misconfigured) as error:
            self._cannot_open(account_id, error)

    def _from_reserve(self, account_id: int) -> FeedLink | None:
        """The warm feed, once the account that served has had its tries; the preferred account's at once."""
        preferred, served = self._order.accounts[0], self._moves.served
        if account_id == served:
            return self._standby.take(preferred)
        found = self._standby.take(preferred, account_id)
        return found if found is not None or served is None else self._standby.take()

    def _cannot_open(self, account_id: int, error: Exception) -> None:
        faults: dict[type[Exception], FeedFault] = {LoggedOut: FeedFault.LOGIN_EXPIRED, WrongKey: FeedFault.WRONG_KEY}
        fault = faults.get(type(error), FeedFault.UNREACHABLE)
        hopeless = fault is not FeedFault.UNREACHABLE or isinstance(error, NotFound | Misconfigured)
        # Whoever takes seconds to say nothing is not waited for again while somebody else stands ready.
        slow = isinstance(error, TimedOut) and bool(self._standby.ready())
        self._moves.lost(None, fault, str(error))
        self._put_off(account_id, hopeless=hopeless or slow)

    def _adopt(self, link: FeedLink, kind: MoveKind = MoveKind.FAILOVER, cause: str = "") -> None:
        link.begin_serving(self._pool.pace.keepalive_s)
        self._link = link
        self._seen = _Seen(link)
        self._moves.begun(link, kind, cause)
        self._become(FeedPhase.LIVE if self._session_since is None else FeedPhase.LATE)

    def _change_over(self, link: FeedLink) -> FeedLink:
        """The link to serve from: the preferred account's as soon as it stands ready and is well. Raises FeedClosed."""
        preferred = self._order.accounts[0]
        if link.account_id == preferred:
            return link
        ready_s = self._standby.well_for_s(preferred, though_late=link.late_since is not None)
        if ready_s is None or ready_s < (WELL_AFTER_S if preferred in self._failed else 0.0):
            return link
        ready = self._standby.take(preferred)
        if ready is None:
            return link
        self._turns.take(preferred)
        self._adopt(ready, *self._order.why(ready.name))
        try:  # the old feed goes last, so that there is no moment without one
            self._snapshots.ask(ready.follow(self._wants.joined()))
        finally:
            link.close()
        return ready

    def _serve(self, link: FeedLink) -> None:
        self._snapshots.ask(link.follow(self._wants.joined()))
        link.renew({self._to_renew.popleft() for _ in range(len(self._to_renew))})
        link.read(READ_S)
        self._looked = now = self._clock.monotonic()
        in_session = self._session_since is not None
        link.tend(now, in_session=in_session)
        self._moves.settle(link, in_session=in_session)
        confirmed = link.confirmed()
        self._seen = _Seen(link, len(confirmed), confirmed, tuple(sorted(link.refused.items())))
        late = link.lateness(now) if self._standby.is_on_time() else None
        trouble = link.trouble(now, self._session_since) or late
        if trouble is not None:
            # A feed that never gave a price while the market was open will not begin to: its broker's side is dead.
            never = in_session and link.last_price is None
            others_do = trouble.fault in _WITH_ITS_ACCOUNT and self._standby.is_ticking()
            self._lose(trouble.fault, trouble.words, hopeless=never or others_do)
            return
        self._judge(link, now)

    def _judge(self, link: FeedLink, now: float) -> None:
        proven = link.last_price is not None or (self._session_since is None and link.confirmed())
        if proven:
            self._turns.served(link.account_id)
            self._failed -= {link.account_id}
        on_time = link.last_price is not None and now - max(link.last_price, self._session_since or now) <= LATE_AFTER_S
        is_well = self._session_since is None or (on_time and link.late_since is None)
        served = FeedPhase.LIVE if is_well else FeedPhase.LATE
        self._become(served if link.asked else FeedPhase.OFF)

    def _lose_to(self, closed: FeedClosed) -> None:
        self._lose(FeedFault.SECOND_LOGIN if isinstance(closed, BrokerGone) else FeedFault.CUT, str(closed))

    def _lose(self, fault: FeedFault, cause: str, *, hopeless: bool = False) -> None:
        link = self._link
        if link is None:
            return
        self._link, self._seen = None, _Seen(None)
        self._moves.lost(link, fault, cause)
        self._put_off(link.account_id, hopeless=hopeless)
        link.let_go()
        self._lost_links.append(link)  # closed by the other thread: a dead socket takes a second to close

    def _put_off(self, account_id: int, *, hopeless: bool) -> None:
        self._failed |= {account_id}
        self._become(FeedPhase.LOST)
        pause_s = self._turns.failed(self._order.accounts, hopeless=hopeless)
        stays = self._turns.account(self._order.accounts) == self._moves.served
        ready = self._order.accounts[:1] if stays else self._order.accounts
        is_ready = not self._standby.ready().isdisjoint(ready)
        self._retry_at = self._clock.monotonic() + (0.0 if is_ready else pause_s)

    def _rest(self) -> None:
        """Nothing is wanted, or there is nobody to ask."""
        if self._link is not None:
            self._link.close()
            self._link, self._seen = None, _Seen(None)
            self._moves.rest()
        self._become(FeedPhase.OFF)

    def _become(self, phase: FeedPhase) -> None:
        if phase is not self._phase:
            self._phase, self._since = phase, self._clock.now()
