"""Runs as the engine would have left them, written row by row, and their pages as a person reads them."""

import html
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from app.domain.contracts import Contract, Product, Side
from app.domain.orders import IntentState, Purpose
from app.persistence.tables import FillRow, Intent, Run, RunEvent, StrategyExecution
from tests.desk_app import MONDAY_1030
from tests.trading_desk import CE, PE, TradingBench

KEY = "0123456789abcdef"


@dataclass
class RunMaker:
    """Writes a run's rows as the engine would have left them."""

    desk: TradingBench
    run_id: int
    accounts: list[int]

    def execution(self, account: int, leg: int, contract: Contract, side: Side, lots: int = 1) -> int:
        assert contract.strike is not None
        with self.desk.bench.database.transaction() as session:
            row = StrategyExecution(
                run_id=self.run_id,
                account_id=account,
                leg=leg,
                underlying=contract.underlying,
                exchange=contract.key.exchange,
                symbol=contract.key.symbol,
                kind=contract.kind.value,
                expiry=contract.expiry.isoformat(),
                strike=contract.strike,
                side=side.value,
                product=Product.MIS.value,
                lots=lots,
                units=lots * contract.lot_size,
                lot_size=contract.lot_size,
                tick=contract.tick,
                freeze=1800,
            )
            session.add(row)
            session.flush()
            return row.id

    def order(
        self,
        execution: int,
        state: IntentState,
        *,
        filled: int = 0,
        price: str = "100",
        purpose: Purpose = Purpose.ENTRY,
        reason: str | None = None,
    ) -> int:
        """An intent of one slice, and its fill."""
        with self.desk.bench.database.transaction() as session:
            row = session.get_one(StrategyExecution, execution)
            side = Side(row.side) if purpose is Purpose.ENTRY else Side(row.side).opposite
            number = len(session.scalars(select(Intent).where(Intent.execution_id == execution)).all()) + 1
            intent = Intent(
                execution_id=execution,
                run_id=self.run_id,
                account_id=row.account_id,
                purpose=purpose.value,
                generation=1,
                slice=number,
                exchange=row.exchange,
                symbol=row.symbol,
                product=row.product,
                side=side.value,
                units=row.units,
                limit_price=Decimal(price),
                state=state.value,
                order_id=None if state in {IntentState.UNKNOWN, IntentState.READY} else f"B{execution}{number}",
                trading_date=MONDAY_1030.date(),
                reason=reason,
                created_at=MONDAY_1030,
            )
            session.add(intent)
            session.flush()
            if filled:
                session.add(
                    FillRow(
                        intent_id=intent.id,
                        execution_id=execution,
                        order_id=f"B{execution}{number}",
                        traded_at="10:30:01",
                        ordinal=1,
                        side=side.value,
                        units=filled,
                        price=Decimal(price),
                        at=MONDAY_1030,
                    )
                )
            return intent.id

    def state(self, word: str) -> None:
        with self.desk.bench.database.transaction() as session:
            session.get_one(Run, self.run_id).state = word
            session.get_one(Run, self.run_id).started_at = MONDAY_1030

    def event(self, kind: str, sentence: str, account: int | None = None) -> None:
        with self.desk.bench.database.transaction() as session:
            session.add(RunEvent(run_id=self.run_id, account_id=account, at=MONDAY_1030, kind=kind, sentence=sentence))

    def done(self) -> "RunMaker":
        self.desk.desk.run_board.changed(self.run_id)
        return self

    def page(self, who: str = "asha", part: str = "") -> str:
        browser = self.desk.admin() if who == "asha" else self.desk.bench.trader(who)
        answer = browser.get(f"/trading/runs/{self.run_id}{part}")
        assert answer.status_code == 200, answer.text[:500]
        return answer.text

    def text(self, **asked: Any) -> str:
        """The page as read: without tags, with single spaces."""
        return read(self.page(**asked))


def read(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def requested(desk: TradingBench, name: str = "Straddle") -> RunMaker:
    """A run that was asked for and nothing more."""
    accounts = desk.accounts(2)
    preview = desk.preview(desk.strategy(name, accounts=accounts))
    digest = desk.previews.one(preview, 1).digest
    run_id = desk.desk.commands.start_run(preview, digest, user_id=1, username="asha", key=KEY + str(preview))
    return RunMaker(desk, run_id, accounts)


def opened(desk: TradingBench) -> RunMaker:
    """A straddle sold at 128 and 130 in two accounts."""
    run = requested(desk)
    for account in run.accounts:
        for leg, contract, price in ((1, CE, "128"), (2, PE, "130")):
            run.order(run.execution(account, leg, contract, Side.SELL), IntentState.FILLED, filled=65, price=price)
    run.state("OPEN")
    return run.done()
