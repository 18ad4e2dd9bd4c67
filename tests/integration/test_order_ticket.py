"""The order ticket: a contract found by words, a preview, an order in every account; wrong input writes nothing."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from app.persistence.tables import Preview, Strategy, User
from app.services.passwords import Passwords
from tests.desk_app import PASSWORD, Browser
from tests.live_desk import eventually, live_desk
from tests.simulator_process import SimulatorProcess
from tests.strategy_forms import values
from tests.trading_desk import CE, HEDGE, TradingBench, future, sent, trading_bench


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TradingBench]:
    with trading_bench(tmp_path) as made:
        yield made


def order(accounts: list[int], /, **changes: Any) -> dict[str, Any]:
    """The ticket as its page sends it: sell two lots of the call."""
    form: dict[str, Any] = {
        "legs-0-underlying": "NIFTY",
        "legs-0-kind": "CE",
        "legs-0-expiry": "2026-12-01",
        "legs-0-strike_method": "STRIKE",
        "legs-0-strike_value": "26200",
        "legs-0-ratio": "1",
        "legs-0-side": "SELL",
        "legs-0-product": "MIS",
        "legs-0-price_type": "LIMIT",
        "legs-0-limit_price": "118.05",
        "legs-0-trigger_price": "",
        "structures": "2",
        "accounts": [str(one) for one in accounts],
        **{f"multiplier-{one}": "1" for one in accounts},
    }
    return {name: text for name, text in {**form, **changes}.items() if text is not None}


def written(desk: TradingBench) -> list[Strategy]:
    with desk.bench.database.reading() as session:
        return list(session.scalars(select(Strategy).order_by(Strategy.id)))


def test_words_find_contracts_and_each_can_be_bought_or_sold(desk: TradingBench) -> None:
    desk.accounts()
    browser = desk.admin()
    for address in ("/strategies/ticket?q=nifty+26200+ce", "/strategies/ticket/contracts?q=nifty+26200+ce"):
        page = browser.get(address).text
        assert "NIFTY 01 DEC 26 26,200 CE" in page
        assert f"contract=NFO:{CE.key.symbol}&amp;side=SELL" in page
    assert "No contract of today fits these words" in browser.get("/strategies/ticket/contracts?q=gold").text
    assert "<html" not in browser.get("/strategies/ticket/contracts?q=gold").text


def test_a_chosen_contract_fills_the_ticket(desk: TradingBench) -> None:
    accounts = desk.accounts()
    page = desk.admin().get(f"/strategies/ticket?contract=NFO:{CE.key.symbol}&side=SELL").text
    assert values(page, "legs-0-strike_value") == ["26200"]
    assert values(page, "legs-0-expiry") == ["2026-12-01"]
    assert re.search(r'name="legs-0-side" value="SELL" checked', page)
    assert page.count('name="accounts"') == len(accounts)
    assert "ticket-depth" in page
    assert (
        "followed for options alone" in desk.admin().get(f"/strategies/ticket?contract=NFO:{future().key.symbol}").text
    )


def test_the_price_is_told_again_and_an_old_one_is_none(desk: TradingBench) -> None:
    desk.accounts()
    browser, address = desk.admin(), f"/strategies/ticket/price?contract=NFO:{CE.key.symbol}"
    desk.price(CE.key, "141.40")
    assert "141.40" in browser.get(address).text
    desk.clock.advance(60)
    assert "141.40" not in browser.get(address).text
    assert "—" in browser.get(address).text


def test_the_ticket_is_previewed_and_is_no_strategy_of_the_list(desk: TradingBench) -> None:
    accounts, browser = desk.accounts(), desk.admin()
    answer = sent(browser, "/strategies/ticket", order(accounts))
    assert answer.status_code == 303
    assert re.fullmatch(r"/strategies/previews/\d+", answer.location)
    (row,) = written(desk)
    assert row.name == f"Sell NIFTY 01 DEC 26 26,200 CE · T{row.id}"
    (leg,) = row.legs
    assert (leg.side, leg.strike_value, leg.expiry, leg.price_type) == ("SELL", 26200, "2026-12-01", "LIMIT")
    assert row.structures == 2
    assert row.name in browser.get(answer.location).text
    assert "No strategies yet" in browser.get("/strategies/").text
    assert row.name not in browser.get("/places").text
    assert "Wrote the ticket Sell NIFTY" in browser.get("/activity").text


def test_the_same_order_may_be_written_again(desk: TradingBench) -> None:
    accounts, browser = desk.accounts(), desk.admin()
    for _ in range(2):
        assert sent(browser, "/strategies/ticket", order(accounts)).status_code == 303
    assert len({row.name for row in written(desk)}) == 2


def test_a_ticket_is_changed_as_a_ticket(desk: TradingBench) -> None:
    accounts, browser = desk.accounts(), desk.admin()
    sent(browser, "/strategies/ticket", order(accounts))
    (row,) = written(desk)
    answer = browser.get(f"/strategies/{row.id}/edit")
    assert (answer.status_code, answer.location) == (302, f"/strategies/ticket?of={row.id}")
    page = browser.get(answer.location).text
    assert values(page, "structures") == ["2"]
    assert values(page, "legs-0-limit_price") == ["118.05"]
    ravi = desk.bench.trader("ravi")
    assert ravi.get(f"/strategies/ticket?of={row.id}").status_code == 404


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"structures": "0"}, "structures"),
        ({"structures": "1.5"}, "structures"),
        ({"legs-0-limit_price": ""}, "legs-0-limit_price"),
        ({"legs-0-price_type": "SL", "legs-0-trigger_price": "x"}, "legs-0-trigger_price"),
        ({"legs-0-side": "HOLD"}, "legs-0-side"),
        ({"legs-0-product": "CNC"}, "legs-0-product"),
        ({"accounts": []}, "accounts"),
        ({"legs-0-strike_value": "abc"}, "legs-0-strike_value"),
        ({"legs-1-kind": "PE"}, "legs"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_writes_nothing(
    desk: TradingBench, changes: dict[str, Any], words: str
) -> None:
    accounts = desk.accounts()
    answer = sent(desk.admin(), "/strategies/ticket", order(accounts, **changes))
    assert answer.status_code == 422
    assert f'id="{words}-error"' in answer.text
    assert written(desk) == []
    with desk.bench.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Preview)) == 0


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/strategies/ticket?contract=NFO:NIFTY01DEC2699999CE", 404),
        ("/strategies/ticket?contract=NIFTY", 422),
        (f"/strategies/ticket?contract=NFO:{HEDGE.key.symbol}&side=HOLD", 422),
        ("/strategies/ticket?of=987", 404),
        ("/strategies/ticket/price", 422),
        ("/strategies/ticket/price?contract=NFO:GOLD", 404),
    ],
)
def test_an_address_that_names_nothing_is_refused(desk: TradingBench, address: str, status: int) -> None:
    desk.accounts()
    assert desk.admin().get(address).status_code == status


def test_a_ticket_is_sent_to_every_account_and_got_out_of(simulator: SimulatorProcess, tmp_path: Path) -> None:
    with live_desk(simulator, tmp_path) as live:
        browser = Browser(live.app.test_client())
        with live.runtime.ground.database.transaction() as session:
            session.get_one(User, 1).password_hash = Passwords().hash(PASSWORD)
        browser.sign_in("trader", PASSWORD)
        found = browser.get("/strategies/ticket/contracts?q=nifty+25000+pe").text
        contract = re.findall(r"contract=(NFO:[A-Z0-9]+)&amp;side=BUY", found)[0]
        page = browser.get(f"/strategies/ticket?contract={contract}&side=BUY").text
        parts = ("underlying", "kind", "expiry", "strike_method", "strike_value")
        leg = {f"legs-0-{part}": values(page, f"legs-0-{part}")[0] for part in parts}
        answer = sent(
            browser,
            "/strategies/ticket",
            order(
                live.account_ids,
                **leg,
                structures="1",
                **{"legs-0-price_type": "MARKET", "legs-0-limit_price": "", "legs-0-side": "BUY"},
            ),
        )
        preview = live.runtime.trade.previews.one(int(answer.location.rsplit("/", 1)[1]), 1)
        assert [account.skipped for account in preview.plan.accounts] == [None] * 5
        run_id = live.send(preview)
        live.until(run_id, "OPEN")
        held = {contract.partition(":")[2]: 65}
        eventually(lambda: all(live.net_at_broker(number) == held for number in range(1, 6)), "all of them hold it")
        live.exit(run_id)
        live.until(run_id, "CLOSED")
        assert [live.net_at_broker(number) for number in range(1, 6)] == [{}] * 5
