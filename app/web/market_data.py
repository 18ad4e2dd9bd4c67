"""What the page and the API say of market data: connections, contracts, rates, what was lost and who was chosen."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from app.services.activity import Entry, Wanted
from app.services.feed_news import FeedNews
from app.services.feed_state import ConnectionState, FeedFault, MoveKind
from app.services.resource_guard import GuardState
from app.web.desk import Desk
from app.web.market_time import on_page
from app.web.signed_in import SignedIn

MOVES_SHOWN = 20

FAULTS = {
    FeedFault.CUT: "connection cut",
    FeedFault.HALF_OPEN: "half-open",
    FeedFault.SILENT: "silent feed",
    FeedFault.LATE: "late prices",
    FeedFault.UNCONFIRMED: "nothing confirmed",
    FeedFault.SECOND_LOGIN: "second login",
    FeedFault.LOGIN_EXPIRED: "login expired",
    FeedFault.WRONG_KEY: "wrong key",
    FeedFault.UNREACHABLE: "unreachable",
    FeedFault.WITHDRAWN: "withdrawn",
}
KINDS = {
    MoveKind.FAILOVER: "failover",
    MoveKind.MANUAL: "chosen",
    MoveKind.RETURN: "return",
    MoveKind.RECONNECT: "reconnect",
}


@dataclass(frozen=True, slots=True)
class ContractWords:
    """A contract the gateway refused, or that is silent. `kind`: refused, or how silent: new, unpushed, quiet."""

    contract: str
    exchange: str
    kind: str
    words: str


@dataclass(frozen=True, slots=True)
class SourceView:
    """An account prices may come from. `trouble` is why its feed could not be had the last time, None if it could."""

    account_id: int
    name: str
    role: str
    trouble: str | None


@dataclass(frozen=True, slots=True)
class MoveView:
    """Seconds are None where an older entry of the log does not tell them."""

    at: datetime | str
    kind: str
    fault: str | None
    sentence: str
    lost_s: float | None
    took_s: float | None


@dataclass(frozen=True, slots=True)
class ResourcesView:
    """`step`: none, slow_pages, near_strikes, no_idle_chains. Usage is None before the first look of the engine.

    `cpu_pct` is of one core; `words` say what the step means, empty for none.
    """

    step: str
    words: str
    memory_mb: float | None
    cpu_pct: float | None
    memory_limit_mb: float
    cpu_limit_pct: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketDataView:
    """`feeds` False: this process feeds no prices. `drops`: what came and was not used since the start, by kind.

    `late_by_s`: all ticks of late are so far behind the exchange's time (negative: ahead); None within the limit.

    `told_age_s`: so old is what the process that leads told of itself, its ages grown by that; None: it is our own.
    """

    feeds: bool
    told_age_s: float | None
    phase: str
    since: datetime | str
    serving: str | None
    chosen: int | None
    chosen_by: str
    tick_age_s: float | None
    late_by_s: float | None
    wanted: int
    confirmed: int
    rate: float
    accepted: int
    drops: tuple[tuple[str, int], ...]
    failovers: int
    last_fault: str | None
    last_cause: str
    connections: tuple[ConnectionState, ...]
    most_connections: int
    sources: tuple[SourceView, ...]
    refused: tuple[ContractWords, ...]
    silent: tuple[ContractWords, ...]
    quiet: int
    moves: tuple[MoveView, ...]
    resources: ResourcesView


def market_data(desk: Desk, viewer: SignedIn) -> MarketDataView:
    """What this process knows, or, where it feeds nothing, what the one that leads told of itself."""
    news, told_age_s = desk.feed_news.own(), None
    feeds = bool(news.order)
    heard = None if feeds else desk.feed_news.of_others()
    if heard is not None:
        news, told_age_s = heard.news, round(heard.age_s, 1)
    state, connections = news.state, news.connections
    silent = [ContractWords(one.key.symbol, one.key.exchange, one.silence.value, one.words) for one in news.silent]
    return MarketDataView(
        feeds=feeds,
        told_age_s=told_age_s,
        phase=state.phase.value,
        since=on_page(desk, state.since),
        serving=state.account_name,
        chosen=state.chosen,
        chosen_by=state.chosen_by,
        tick_age_s=state.last_tick_age_s,
        late_by_s=state.late_by_s,
        wanted=state.wanted,
        confirmed=state.confirmed,
        rate=sum(each.rate for each in connections if each.role == "serving"),
        accepted=news.counts.accepted,
        drops=tuple(sorted((kind.value, number) for kind, number in state.drops.items())),
        failovers=state.failovers,
        last_fault=None if state.last_fault is None else FAULTS[state.last_fault],
        last_cause=state.last_cause,
        connections=connections,
        most_connections=desk.settings.feed_connections,
        sources=_sources(desk, viewer, news),
        refused=tuple(ContractWords(key.symbol, key.exchange, "refused", words) for key, words in state.refused),
        silent=tuple(each for each in silent if each.kind != "quiet"),
        quiet=sum(each.kind == "quiet" for each in silent),
        moves=_moves(desk, viewer),
        resources=_resources(news.guard),
    )


def _resources(state: GuardState) -> ResourcesView:
    usage = state.usage
    return ResourcesView(
        step=state.step.name.lower(),
        words=state.words,
        memory_mb=None if usage is None or usage.memory_mb is None else round(usage.memory_mb, 1),
        cpu_pct=None if usage is None else round(100 * usage.cpu, 1),
        memory_limit_mb=state.limits.memory_mb,
        cpu_limit_pct=round(100 * state.limits.cpu, 1),
    )


def _sources(desk: Desk, viewer: SignedIn, news: FeedNews) -> tuple[SourceView, ...]:
    names = {account.id: account.name for account in desk.accounts.shown_to(viewer)}
    roles = {each.account_id: each.role for each in reversed(news.connections)}
    troubles = news.not_ready
    return tuple(
        SourceView(each, names.get(each, f"account {each}"), roles.get(each, ""), troubles.get(each))
        for each in news.order
    )


def _moves(desk: Desk, viewer: SignedIn) -> tuple[MoveView, ...]:
    """The newest of both kinds, as the log has them: those of earlier processes too."""
    entries = [
        entry
        for action in ("feed.failover", "feed.reconnect")
        for entry in desk.activity.page(viewer, Wanted(action=action), size=MOVES_SHOWN).entries
    ]
    entries.sort(key=lambda entry: entry.at, reverse=True)
    return tuple(_move(desk, entry) for entry in entries[:MOVES_SHOWN])


def _move(desk: Desk, entry: Entry) -> MoveView:
    detail = entry.detail
    fault, kind = str(detail.get("fault") or ""), str(detail.get("kind") or "failover")
    return MoveView(
        at=on_page(desk, entry.at),
        kind=KINDS[MoveKind(kind)] if kind in set(MoveKind) else kind,
        fault=FAULTS[FeedFault(fault)] if fault in set(FeedFault) else None,
        sentence=entry.sentence,
        lost_s=_seconds(detail, "lost_s"),
        took_s=_seconds(detail, "took_s"),
    )


def _seconds(detail: Mapping[str, object], name: str) -> float | None:
    value = detail.get(name)
    return float(value) if isinstance(value, int | float) else None
