"""Sample contexts of the divergence board: some accounts apart, fifty of them, nothing filled."""

from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace as Row

from app.domain.contracts import Side
from app.domain.divergence import Entered, divergence, medians
from app.trading.divergence_page import Line
from tests.browser.samples_desk import HOSTILE, NOW, Context

LEGS = (
    (1, Side.SELL, "26,200 CE", "128.20"),
    (2, Side.SELL, "26,200 PE", "96.40"),
    (3, Side.BUY, "26,600 CE", "21.05"),
)


def board(count: int, *, filled: bool = True) -> Context:
    """Each account a little apart, one in seven far, one in nine short."""
    entries = [
        Entered(
            account_id=account,
            leg=leg,
            side=side,
            wanted=130,
            units=0 if not filled else 65 if account % 9 == 4 else 130,
            average=_average(account, leg, price) if filled else None,
            last_at=NOW + timedelta(milliseconds=230 * account) if filled else None,
        )
        for account in range(1, count + 1)
        for leg, side, _, price in LEGS
    ]
    found, middle = divergence(entries), medians(entries)
    lines = [_line(account, [found[account, leg] for leg, *_ in LEGS]) for account in range(1, count + 1)]
    costs = [line.cost for line in lines if line.cost is not None]
    return {
        "board": Row(
            id=1182,
            name="Iron condor NIFTY, weekly" if count > 3 else HOSTILE,
            state="running" if filled else "sending",
            legs=[Row(number=n, side=side.value, contract=name, median=middle.get(n)) for n, side, name, _ in LEGS],
            lines=lines,
            spread=max(costs) - min(costs) if costs else None,
            short_accounts=sum(1 for line in lines if line.short_lots),
        )
    }


def _average(account: int, leg: int, price: str) -> Decimal:
    apart = Decimal((account * 7 + leg * 3) % 5 - 2) / 10
    return Decimal(price) + apart - (Decimal(3) if account % 7 == 3 and leg == 1 else 0)


def _line(account: int, cells: list) -> Line:  # type: ignore[type-arg]
    costs = [cell.cost for cell in cells if cell.cost is not None]
    return Line(
        id=account,
        name=HOSTILE if account == 2 else f"Simulator {account}",
        mode="SIM",
        cells=[None if account == 5 and place == 2 else cell for place, cell in enumerate(cells)],
        cost=sum(costs) if costs else None,
        short_lots=sum(cell.short // 65 for cell in cells),
    )


SOME, FIFTY, NONE_YET = board(6), board(50), board(3, filled=False)
