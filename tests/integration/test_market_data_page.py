"""The page of market data: what it shows, an admin's choice, and the same for scripts."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select

from app.domain.relief import ReliefLimits
from app.engine.intake import Intake
from app.persistence.tables import ActivityLog, CommandRow
from app.services.feed_choice import take_choice
from tests.run_maker import read
from tests.whole_app import ADMIN, OWNER, Whole, whole_app

PAGE = "/trading/market-data"
CHOOSE, BACK = f"{PAGE}/choose", f"{PAGE}/give-back"


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[Whole]:
    made = whole_app(tmp_path)
    yield made
    made.runtime.market.feed.close()


def fed(whole: Whole) -> int:
    """The feed has looked who may serve, as its thread would. Returns the account."""
    whole.runtime.market.feed.step()
    return whole.ids["account_id"]


def taken(whole: Whole) -> None:
    """The engine does what was asked of it, and the feed looks again who may serve."""
    runtime = whole.runtime
    ground, trade, market = runtime.ground, runtime.trade, runtime.market
    choose_feed = partial(take_choice, market.feed)
    intake = Intake(ground.database, ground.clock, trade.executor, trade.adopter, choose_feed)
    while intake.step() == 0.0:
        pass
    market.feed.step()


def said(whole: Whole) -> list[tuple[str, str]]:
    with whole.database.reading() as session:
        rows = session.execute(select(ActivityLog.action, ActivityLog.actor).where(ActivityLog.action.like("feed.%")))
        return [(action, actor) for action, actor in rows]


def test_without_a_feed_the_page_says_so(whole: Whole) -> None:
    text = read(whole.signed_in(ADMIN).get(PAGE).text)
    assert "No prices are fed by this process." in text
    assert "The feed was never lost and never moved." in text


def test_it_says_what_was_given_up_for_want_of_memory(whole: Whole) -> None:
    guard = whole.runtime.market.guard
    guard._limits = ReliefLimits(memory_mb=1.0, after_s=0.0)
    for _ in range(3):
        guard.step()
    page = whole.signed_in(ADMIN).get(PAGE).text
    assert "This process is short of memory or time." in read(page)
    assert "Chains that nobody looks at are not subscribed" in read(page)
    told = (whole.signed_in(ADMIN).get("/api/market-data").json or {})["resources"]
    assert told["step"] == "no_idle_chains"
    assert told["memory_mb"] > told["memory_limit_mb"]
    with whole.database.reading() as session:
        rows = session.scalars(select(ActivityLog.sentence).where(ActivityLog.action == "resources.step")).all()
    assert len(rows) == 3
    assert "limit 1 MB" in rows[0]


def test_it_names_the_accounts_in_order_and_asks_before_it_takes_prices_from_another(whole: Whole) -> None:
    account_id = fed(whole)
    page = whole.signed_in(ADMIN).get(PAGE).text
    assert "Ravi account at Zerodha" in read(page)
    assert "Orders stay with their own accounts." in read(page)
    assert f'name="account_id" value="{account_id}"' in page


def test_an_admin_chooses_and_gives_back_and_both_are_written_down(whole: Whole) -> None:
    account_id, admin = fed(whole), whole.signed_in(ADMIN)
    for _ in range(2):
        assert admin.post(CHOOSE, {"account_id": str(account_id)}, page=PAGE).status_code == 303
    assert "Asked of the engine" in read(admin.get(PAGE).text)
    taken(whole)
    assert whole.desk.websocket_manager.state().chosen == account_id
    text = read(admin.get(PAGE).text)
    assert "asha chose the account prices come from." in text
    admin.post(CHOOSE, {"account_id": str(account_id)}, page=PAGE)
    assert "is chosen already" in admin.get(PAGE).text
    assert admin.post(BACK, {}, page=PAGE).status_code == 303
    taken(whole)
    assert whole.desk.websocket_manager.state().chosen is None
    assert said(whole) == [("feed.choose", ADMIN), ("feed.give_back", ADMIN)]


def test_a_process_that_feeds_nothing_asks_the_one_that_does(whole: Whole) -> None:
    """There the account may be gone by now: what became of the ask is kept with it."""
    admin, account_id = whole.signed_in(ADMIN), whole.ids["account_id"]
    admin.post(CHOOSE, {"account_id": str(account_id)}, page=PAGE)
    taken(whole)
    with whole.database.reading() as session:
        [command] = session.scalars(select(CommandRow))
        assert (command.kind, command.state) == ("FEED", "REFUSED")
        assert "cannot come from this account" in str(command.answer)
    assert whole.desk.websocket_manager.state().chosen is None


def test_what_cannot_be_chosen_changes_nothing(whole: Whole) -> None:
    admin = whole.signed_in(ADMIN)
    fed(whole)
    assert admin.post(CHOOSE, {"account_id": "999"}, page=PAGE).status_code == 404
    assert admin.post(CHOOSE, {"account_id": "x"}, page=PAGE).status_code == 422
    assert admin.post(BACK, {}, page=PAGE).status_code == 303
    assert said(whole) == []


def test_traders_neither_see_nor_choose_and_have_no_link(whole: Whole) -> None:
    account_id, trader = fed(whole), whole.signed_in(OWNER)
    assert trader.get(PAGE).status_code == 403
    assert trader.post(CHOOSE, {"account_id": str(account_id)}, page="/").status_code == 403
    assert f'href="{PAGE}"' not in trader.get("/").text
    assert f'href="{PAGE}"' in whole.signed_in(ADMIN).get("/").text
    assert whole.desk.websocket_manager.state().chosen is None


def test_scripts_read_and_do_the_same(whole: Whole) -> None:
    account_id, admin = fed(whole), whole.signed_in(ADMIN)
    seen = admin.get("/api/market-data").json
    assert seen is not None
    assert [each["account_id"] for each in seen["sources"]] == [account_id]
    assert (seen["wanted"], seen["confirmed"], seen["connections"]) == (0, 0, [])
    assert admin.post("/api/market-data/choose", {"account_id": str(account_id)}, page=PAGE).status_code == 202
    taken(whole)
    assert whole.desk.websocket_manager.state().chosen == account_id
    assert admin.post("/api/market-data/give-back", {}, page=PAGE).status_code == 202
    taken(whole)
    assert admin.post("/api/market-data/give-back", {}, page=PAGE).status_code == 409


def test_what_happened_to_the_feed_is_listed_with_its_seconds(whole: Whole) -> None:
    desk = whole.desk
    with desk.database.transaction() as session:
        desk.activity.record(
            session,
            user_id=None,
            actor="engine",
            action="feed.failover",
            subject="feed",
            sentence="Prices come from Upstox instead of Zerodha.",
            detail={"kind": "failover", "fault": "second_login", "lost_s": 11.25, "took_s": 0.4},
        )
    text = read(whole.signed_in(ADMIN).get(PAGE).text)
    assert "second login" in text
    assert "11.2 s" in text
    assert "0.4 s" in text
