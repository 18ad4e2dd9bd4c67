"""The real pages on a real database, with gateways that behave as they are told and a clock moved by hand."""

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.accounts import accounts_bp
from app.adapters.cache_manager import CacheManager
from app.api import api_bp, health_bp
from app.auth import auth_bp
from app.domain.books import BrokerOrder, BrokerPosition, BrokerTrade, Funds, Holding
from app.domain.contracts import Contract, ContractKey, Kind
from app.domain.plan import Mode
from app.main import main_bp
from app.margin import margin_bp
from app.persistence.database import Database
from app.persistence.tables import User
from app.ports.gateway import GatewayAddress, GatewayError, Unreachable
from app.ports.simulator import SimulatorAccount
from app.services.account_check import AccountCheck
from app.services.account_health import HealthBoard
from app.services.accounts import AccountForm, Accounts
from app.services.activity import Activity
from app.services.adoption_commands import AdoptionCommands
from app.services.alarms import Alarms
from app.services.book_pages import BookPages
from app.services.book_reader import BookReader
from app.services.calendar_overrides import CalendarOverrides
from app.services.coming_days import ComingDays
from app.services.contract_list import ContractList
from app.services.feed_choice import FeedChoice
from app.services.gateways import Gateways
from app.services.journal import Journal
from app.services.kill_switch import KillSwitch
from app.services.margin_settings import MarginSettings
from app.services.market_rule_table import MarketRuleTable
from app.services.own_templates import OwnTemplates
from app.services.passwords import Passwords
from app.services.peaks import Peaks
from app.services.people import People
from app.services.price_board import PriceBoard
from app.services.run_board import RunBoard
from app.services.scheduled_starts import ScheduledStarts
from app.services.session_hours import SessionHours
from app.services.setbacks import Setbacks
from app.services.silent_symbols import SilentSymbols
from app.services.strategies import Strategies
from app.services.supertrend_watch import SupertrendWatch
from app.services.today import Today
from app.strategies import strategies_bp
from app.trading import trading_bp
from app.web.desk import Desk
from app.web.install import install_web
from app.web.open_pages import OpenPages
from config import testing_settings
from tests.desk_parts import days, of_accounts, reconciliation, rules, square_off
from tests.empty_database import empty_database
from tests.quiet_market import NoCandles, NoChains, NoFeed

MONDAY_1030 = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
"""Monday 23 November 2026, 10:30 in India."""

PASSWORD = "three quiet elephants"
TOKEN = "testing-setup-token"


CE = ContractKey("NFO", "NIFTY01DEC2626400CE")
LISTED = {CE: Contract(CE, "NIFTY", Kind.CE, date(2026, 12, 1), Decimal(26400), 65, Decimal("0.05"))}
"""Today's list: one call of NIFTY."""


class HandClock:
    """Real and market time in one; stands still until told otherwise."""

    def __init__(self) -> None:
        self.passed_s = 0.0

    def advance(self, seconds: float) -> None:
        self.passed_s += seconds

    def now(self) -> datetime:
        return MONDAY_1030 + timedelta(seconds=self.passed_s)

    def monotonic(self) -> float:
        return 1000.0 + self.passed_s


class PretendGateway:
    """Says what it was told to say; `broken` is raised from every read while it is set, `broken_feed` by the feed."""

    def __init__(self, broker: str = "simulator", mode: Mode = Mode.LIVE, key: str = "key") -> None:
        self.named = broker
        self.in_mode = mode
        self.key = key
        self.broken: GatewayError | None = None
        self.broken_feed: GatewayError | None = None
        self.money = Funds(Decimal(1_000_000), Decimal(0), Decimal(0), Decimal(0), Decimal(0))
        self.orders: list[BrokerOrder] = []
        self.trades: list[BrokerTrade] = []
        self.positions: list[BrokerPosition] = []
        self.held: list[Holding] = []
        self.calls: list[str] = []

    def _answer(self, call: str) -> None:
        self.calls.append(call)
        if self.broken is not None:
            raise self.broken

    def broker(self) -> str:
        self._answer("ping")
        return self.named

    def mode(self) -> Mode:
        self._answer("mode")
        return self.in_mode

    def funds(self) -> Funds:
        self._answer("funds")
        return self.money

    def order_book(self) -> list[BrokerOrder]:
        self._answer("orders")
        return self.orders

    def trade_book(self) -> list[BrokerTrade]:
        self._answer("trades")
        return self.trades

    def position_book(self) -> list[BrokerPosition]:
        self._answer("positions")
        return self.positions

    def holdings(self) -> list[Holding]:
        self._answer("holdings")
        return self.held

    def close(self) -> None:
        """Nothing is kept open."""


class PretendNet:
    """Which gateway answers at which address; nothing answers at the others."""

    def __init__(self) -> None:
        self.at: dict[str, PretendGateway] = {}
        self.asked: list[GatewayAddress] = []

    def gateway(self, address: GatewayAddress) -> Any:
        self.asked.append(address)
        found = self.at.get(address.host_url)
        if found is None:
            found = PretendGateway()
            found.broken = Unreachable("Nothing answers.")
        return found

    def feed(self, address: GatewayAddress, listener: object) -> Any:  # noqa: ARG002 - the port's signature
        found = self.at.get(address.host_url)
        if found is not None and found.broken_feed is not None:
            raise found.broken_feed
        return PretendGateway()


class PlainVault:
    """Locks by writing down the owner; enough to see a key that was moved to another row."""

    def lock(self, plain: str, *, owner: str) -> str:
        return f"test:{owner}:{plain[::-1]}"

    def unlock(self, locked: str, *, owner: str) -> str:
        head = f"test:{owner}:"
        assert locked.startswith(head), "a key was opened for another account"
        return locked.removeprefix(head)[::-1]


class AtOnce(Executor):
    """Runs what is submitted at once, on the caller's thread."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - a future carries whatever was raised
            future.set_exception(error)
        return future


@dataclass
class PretendSimulator:
    listed: list[SimulatorAccount] = field(default_factory=list)

    def accounts(self) -> Sequence[SimulatorAccount]:
        return self.listed


@dataclass
class Bench:
    """Everything a test moves: the application, its desk, and the pretended world behind it."""

    app: Flask
    desk: Desk
    clock: HandClock
    net: PretendNet
    simulator: PretendSimulator
    database: Database
    board: PriceBoard
    health: HealthBoard

    def client(self) -> "Browser":
        return Browser(self.app.test_client())

    def admin(self) -> "Browser":
        """A browser of the first user, registered when there is none."""
        browser = self.client()
        if not self.desk.people.anybody():
            self.desk.people.register_first(TOKEN, "asha", PASSWORD)
        browser.sign_in("asha")
        return browser

    def trader(self, name: str = "ravi") -> "Browser":
        """A browser of somebody who is no admin."""
        self.admin()
        with self.database.reading() as session:
            known = session.query(User).filter(User.username == name).count()
        if not known:
            self.desk.people.create(name, PASSWORD, "trader")
        browser = self.client()
        browser.sign_in(name)
        return browser

    def account(self, name: str = "Zerodha 1", port: int = 5001, **told: Any) -> tuple[int, PretendGateway]:
        """An account that is there already, and its gateway."""
        gateway = PretendGateway(key=f"key-{port}", **told)
        self.net.at[f"http://127.0.0.1:{port}"] = gateway
        self.admin()
        form = AccountForm(name, f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port + 3000}", f"key-{port}")
        account_id = self.desk.accounts.add(self.somebody("asha"), form)
        return account_id, gateway

    def somebody(self, name: str) -> Any:
        with self.database.reading() as session:
            user = session.query(User).filter(User.username == name).one()
        return _Actor(user.id, user.username, user.role == "admin")


@dataclass(frozen=True)
class _Actor:
    id: int
    username: str
    is_admin: bool


class Browser:
    """A test client that carries the page's token, as a person's browser does."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def sign_in(self, name: str, password: str = PASSWORD) -> TestResponse:
        return self.post("/auth/login", {"username": name, "password": password}, page="/auth/login")

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.client.get(path, **more)

    def post(
        self, path: str, form: dict[str, Any] | None = None, *, page: str = "/accounts/", **more: Any
    ) -> TestResponse:
        """Submit with the token of `page`."""
        token = self.token(page)
        return self.client.post(path, data={"csrf_token": token, **(form or {})}, **more)

    def token(self, page: str) -> str:
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.client.get(page, follow_redirects=True).text)
        assert found, f"{page} has no form"
        return found[1]


@contextmanager
def bench(folder: Path, url: str | None = None, **changes: Any) -> Iterator[Bench]:
    """A desk on an empty database, given back when the block ends."""
    url = url or f"sqlite:///{folder / 'desk.sqlite3'}"
    settings = testing_settings().with_(database_url=url, **changes)
    engine = empty_database(url)
    made = _bench(Database(engine), settings)
    try:
        yield made
    finally:
        engine.dispose()


CHEAP = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


nothing: Any = None
no_feed: Any = NoFeed()


def _bench(database: Database, settings: Any) -> Bench:
    clock, net, simulator, vault = HandClock(), PretendNet(), PretendSimulator(), PlainVault()
    activity, health, board = Activity(database, clock), HealthBoard(clock), PriceBoard(clock)
    gateways, runs = Gateways(database, vault, net.gateway), RunBoard(database, board, clock)
    accounts = Accounts(
        database, clock, vault, AccountCheck(net.gateway, net.feed, clock),
        activity=activity, gateways=gateways, health=health, simulator=simulator,
    )  # fmt: skip
    reader = BookReader(gateways, AtOnce(), CacheManager(clock), clock)
    people = People(database, clock, activity, settings.setup_token, CHEAP)
    hours = SessionHours(gateways, accounts.feed_order, clock, clock)
    desk = Desk(
        settings=settings,
        clock=clock,
        market_clock=clock,
        database=database,
        people=people,
        activity=activity,
        alarms=Alarms(database, clock, Journal(clock), activity),
        today=Today(database, runs, clock),
        accounts=accounts,
        **of_accounts(database, clock, accounts, activity, runs),
        book_pages=BookPages(database, accounts, reader, board, clock, clock, contract_of=LISTED.get),
        reconciliation=reconciliation(database, accounts, reader, clock, activity, LISTED.get),
        health=health,
        prices=board,
        feed_news=no_feed,
        commands=nothing,
        overrides=nothing,
        adoptions=AdoptionCommands(database, clock, accounts, activity, lambda: None),
        setbacks=Setbacks(database, clock, activity),
        kill_switch=KillSwitch(database, clock, activity, people, lambda: None),
        rules=rules(database, hours, clock, LISTED.get),
        strategies=Strategies(database, clock, activity),
        templates=OwnTemplates(database, clock, activity),
        previews=nothing,
        run_board=runs,
        days=days(database, runs, clock, activity, people),
        square_off=square_off(database, runs, hours, clock),
        scheduled=ScheduledStarts(database, clock, nothing, nothing, nothing, activity, clock_in_doubt=bool),
        supertrend=SupertrendWatch(database, runs, nothing, Journal(clock), ask_exits=nothing),
        peaks=Peaks(database, Journal(clock), runs.changed),
        chains=cast("Any", NoChains()),
        candles=NoCandles(),
        websocket_manager=no_feed,
        silent_symbols=SilentSymbols(board, frozenset, lambda: None, lambda _: {}, lambda _: None, clock),
        feed_choice=FeedChoice(no_feed, accounts, database, clock, activity, lambda: None),
        hours=hours,
        calendar_overrides=CalendarOverrides(database, clock, clock, activity),
        coming_days=ComingDays(gateways, accounts.feed_order, clock, clock),
        margin_settings=MarginSettings(database, clock, activity),
        market_rules=MarketRuleTable(database, clock, activity),
        calculator=nothing,
        contract_list=ContractList(gateways, accounts.feed_order, clock, clock),
        simulator=simulator,
        unwell_threads=list,
        engine_leads=lambda: True,
        damage=lambda: None,
    )
    return Bench(_app(desk), desk, clock, net, simulator, database, board, health)


def _app(desk: Desk) -> Flask:
    app = Flask("app")
    install_web(app, desk, OpenPages(2, 1, desk.clock, frozenset))
    for blueprint in (auth_bp, main_bp, accounts_bp, strategies_bp, trading_bp, margin_bp, api_bp, health_bp):
        app.register_blueprint(blueprint)
    for endpoint, address in (
        ("strategies.index", "/strategies/"),
        ("strategies.new", "/strategies/new"),
        ("trading.chain", "/trading/chain"),
        ("trading.run", "/trading/runs/<int:run_id>"),
    ):
        if endpoint not in app.view_functions:
            app.add_url_rule(address, endpoint, lambda **_: "")
    return app
