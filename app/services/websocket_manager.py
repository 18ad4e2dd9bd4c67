"""Keeps live prices coming: one feed on the primary account, the next account when that one fails, and back again."""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count

from app.domain.contracts import ContractKey
from app.domain.errors import Misconfigured, NotFound
from app.ports.clock import Clock
from app.ports.feed import FeedClosed, FeedFactory, FeedMode
from app.ports.gateway import GatewayAddress, GatewayError, LoggedOut, WrongKey
from app.services.feed_link import BoardWriter, DropCounts, FeedLink
from app.services.feed_snapshots import FeedSnapshots, Snapshot
from app.services.feed_standby import FeedStandby
from app.services.feed_state import Failover, FeedPhase, FeedState
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
ORDER_EVERY_S = 2.0
LATE_AFTER_S = 5.0
WELL_AFTER_S = 60.0
"""How long an account that had failed must stand before prices come from it again."""

Announce = Callable[[Failover], None]


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the reader last saw of its feed, for other threads to look at."""

    link: FeedLink | None
    confirmed: int = 0
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
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._gateways = gateways
        self._feeds = feeds
        self._board = board
        self._clock = clock
        self._order = order
        self._in_session = in_session
        self._snapshots = FeedSnapshots(snapshot)
        self._announce = announce
        self._wants = Wants()
        self._turns = FeedTurns(jitter)
        self._standby = FeedStandby(lambda account_id: self._open(account_id, writes=False), clock)
        self._link: FeedLink | None = None
        self._seen = _Seen(None)
        self._line: tuple[int, ...] = ()
        self._line_read = -ORDER_EVERY_S
        self._looked = float("-inf")
        self._drops = DropCounts()
        self._failed: frozenset[int] = frozenset()
        self._streams = count(1)
        self._retry_at = 0.0
        self._session_since: float | None = None
        self._served: int | None = None
        self._lost_at: float | None = None
        self._phase = FeedPhase.OFF
        self._since: datetime = clock.now()
        self._failovers = 0
        self._cause = ""

    def want(self, consumer: str, keys: Iterable[ContractKey], mode: FeedMode) -> None:
        """Say what a consumer wants from now on. Each contract is subscribed once, in the deepest mode anybody wants.

        QUOTE brings no bid and ask: whoever prices orders from the board wants DEPTH.
        """
        self._wants.put(consumer, keys, mode)

    def unwant(self, consumer: str) -> None:
        self._wants.drop(consumer)

    def wanted_by_others(self, *consumers: str) -> frozenset[ContractKey]:
        """Contracts that anybody else wants: they use up the budget of subscriptions first."""
        return self._wants.of_others(consumers)

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
            failovers=self._failovers,
            last_cause=self._cause,
            drops=self._drops.joined(self._board.counts().dropped),
        )

    def source_order(self) -> list[int]:
        """Accounts to ask for market data by REST: the one that serves the feed first, then the rest in order."""
        link = self._seen.link
        order = list(self._order())
        if link is None or link.account_id not in order:
            return order
        return [link.account_id, *(each for each in order if each != link.account_id)]

    def step(self) -> float:
        """Read for a moment, after doing what is due on the connection. Returns the seconds until the next call."""
        now = self._clock.monotonic()
        if self._has_only_read(now):
            return 0.0
        self._look_around(now)
        if not self._wants.joined() or not self._line:
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
            self._lose(str(closed))
        return 0.0

    def _has_only_read(self, now: float) -> bool:
        """Take what waits, when there is nothing else to do just now. False when nothing came either."""
        link = self._link
        if link is None or not 0.0 <= now - self._looked < LOOK_EVERY_S or link.followed is not self._wants.joined():
            return False
        try:
            return link.read(READ_S)
        except FeedClosed as closed:
            self._lose(str(closed))
            return True

    def upkeep_step(self) -> float:
        """Quote what was newly subscribed, and keep the preferred account's feed ready. May block on the network."""
        self._snapshots.step()
        self._standby.tend(self._needed_in_reserve(), self._session_since)
        return UPKEEP_S

    def close(self) -> None:
        """Let go of all connections. To be called when the threads have stopped."""
        self._rest()
        self._standby.tend(None)

    def _look_around(self, now: float) -> None:
        if now - self._line_read >= ORDER_EVERY_S:
            self._line_read = now
            self._line = tuple(self._order())
            self._drop_if_moved()
        if not self._in_session():
            self._session_since = None
        elif self._session_since is None:
            self._session_since = now

    def _drop_if_moved(self) -> None:
        """The account that serves may have been paused, archived or given another address."""
        link = self._link
        if link is None:
            return
        if link.account_id not in self._line:
            self._lose(f"{link.name} does not serve prices any more.")
        elif self._address(link.account_id) != link.address:
            self._lose(f"{link.name} has another address or key.")

    def _address(self, account_id: int) -> GatewayAddress | None:
        """None when it cannot be had any more: the key is not ours, or the account is gone."""
        try:
            return self._gateways.address(account_id)
        except (NotFound, Misconfigured):
            return None

    def _connect(self) -> None:
        account_id = self._turns.account(self._line)
        if account_id is None:
            return
        ready = self._standby.take(self._line[0])
        if ready is not None:
            self._adopt(ready)
            return
        try:
            self._adopt(self._open(account_id, writes=True))
        except (GatewayError, NotFound, Misconfigured) as error:
            hopeless = not isinstance(error, GatewayError) or isinstance(error, WrongKey | LoggedOut)
            self._put_off(account_id, str(error), hopeless=hopeless)

    def _open(self, account_id: int, *, writes: bool) -> FeedLink:
        address = self._gateways.address(account_id)
        name = self._gateways.name(account_id)
        writer = BoardWriter(self._board, f"feed of {name}", next(self._streams), drops=self._drops, writes=writes)
        feed = self._feeds(address, writer)
        return FeedLink(account_id, name, address, feed, writer, self._clock, opened=self._clock.monotonic())

    def _adopt(self, link: FeedLink) -> None:
        link.writer.writes = True
        self._link = link
        self._seen = _Seen(link)
        before, lost_at = self._served, self._lost_at
        self._served, self._lost_at = link.account_id, None
        self._become(FeedPhase.LIVE if self._session_since is None else FeedPhase.LATE)
        if before is not None and before != link.account_id:
            self._tell(before, link, 0.0 if lost_at is None else self._clock.monotonic() - lost_at)

    def _tell(self, before: int, link: FeedLink, lost_s: float) -> None:
        self._failovers += 1
        name = self._gateways.name(before)
        self._announce(Failover(self._clock.now(), before, name, link.account_id, link.name, self._cause, lost_s))

    def _change_over(self, link: FeedLink) -> FeedLink:
        """The link to serve from: the preferred account's as soon as it stands ready and is well. Raises FeedClosed."""
        ready_s = self._standby.well_for_s()
        if ready_s is None or self._needed_in_reserve() is None:
            return link
        preferred = self._line[0]
        ready = None
        if ready_s >= (WELL_AFTER_S if preferred in self._failed else 0.0):
            ready = self._standby.take(preferred)
        if ready is None:
            return link
        self._cause = f"{ready.name} is the preferred account and well."
        self._adopt(ready)
        try:  # the old feed goes last, so that there is no moment without one
            self._snapshots.ask(ready.follow(self._wants.joined()))
        finally:
            link.close()
        return ready

    def _serve(self, link: FeedLink) -> None:
        self._snapshots.ask(link.follow(self._wants.joined()))
        link.read(READ_S)
        self._looked = now = self._clock.monotonic()
        link.tend(now)
        self._seen = _Seen(link, len(link.confirmed()), tuple(sorted(link.refused.items())))
        trouble = link.trouble(now, self._session_since)
        if trouble is not None:
            # A feed that never gave a price while the market was open will not begin to: its broker's side is dead.
            self._lose(trouble, hopeless=self._session_since is not None and link.last_price is None)
            return
        self._judge(link, now)

    def _judge(self, link: FeedLink, now: float) -> None:
        proven = link.last_price is not None or (self._session_since is None and link.confirmed())
        if proven:
            self._turns.served(link.account_id)
            self._failed -= {link.account_id}
        on_time = link.last_price is not None and now - max(link.last_price, self._session_since or now) <= LATE_AFTER_S
        self._become(FeedPhase.LIVE if self._session_since is None or on_time else FeedPhase.LATE)

    def _lose(self, cause: str, *, hopeless: bool = False) -> None:
        link = self._link
        if link is None:
            return
        link.close()
        self._link, self._seen = None, _Seen(None)
        if self._lost_at is None:
            self._lost_at = self._clock.monotonic()
        self._put_off(link.account_id, cause, hopeless=hopeless)

    def _put_off(self, account_id: int, cause: str, *, hopeless: bool) -> None:
        self._cause = cause
        self._failed |= {account_id}
        self._become(FeedPhase.LOST)
        pause_s = self._turns.failed(self._line, hopeless=hopeless)
        ready = self._standby.well_for_s() is not None
        self._retry_at = self._clock.monotonic() + (0.0 if ready else pause_s)

    def _rest(self) -> None:
        """Nothing is wanted, or there is nobody to ask."""
        if self._link is not None:
            self._link.close()
            self._link, self._seen, self._served = None, _Seen(None), None
        self._become(FeedPhase.OFF)

    def _become(self, phase: FeedPhase) -> None:
        if phase is not self._phase:
            self._phase, self._since = phase, self._clock.now()

    def _needed_in_reserve(self) -> int | None:
        """The preferred account, while another one serves, or did until a moment ago."""
        if not self._line or self._served in {None, self._line[0]}:
            return None
        return self._line[0]
