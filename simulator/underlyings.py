"""What the virtual market is about: indices and equities with their levels, lots, freezes and expiry weekdays."""

from dataclasses import dataclass

TUESDAY, THURSDAY = 1, 3


@dataclass(frozen=True)
class Underlying:
    """A price path and how it is listed. `level` is its usual price, `volatility` per year as a fraction.

    `beta` is its share of the market's common move. `lot_units` 0 means no derivatives.
    """

    name: str
    full_name: str
    exchange: str
    level: float
    volatility: float
    beta: float
    token: int
    tick: float = 0.05
    lot_units: int = 0
    freeze_units: int = 1
    derivatives: str = ""
    strike_step: int = 0
    weekly_weekday: int | None = None
    monthly_weekday: int = TUESDAY
    future_tick: float = 0.05
    busyness: float = 1.0
    """Volume and open interest relative to NIFTY."""
    bse_token: int | None = None

    @property
    def is_index(self) -> bool:
        """Indices cannot be bought themselves."""
        return self.exchange.endswith("_INDEX")

    @property
    def has_options(self) -> bool:
        """True for the three indices."""
        return self.strike_step > 0


UNDERLYINGS: tuple[Underlying, ...] = (
    Underlying(
        "NIFTY", "NIFTY 50", "NSE_INDEX", 25_000.0, 0.125, 1.0, 1001,
        lot_units=65, freeze_units=1800, derivatives="NFO", strike_step=50, weekly_weekday=TUESDAY, future_tick=0.1,
    ),
    Underlying(
        "BANKNIFTY", "NIFTY BANK", "NSE_INDEX", 56_700.0, 0.145, 1.1, 1016,
        lot_units=30, freeze_units=600, derivatives="NFO", strike_step=100, future_tick=0.2, busyness=0.5,
    ),
    Underlying(
        "SENSEX", "SENSEX", "BSE_INDEX", 82_500.0, 0.125, 1.0, 1,
        lot_units=20, derivatives="BFO", strike_step=100, weekly_weekday=THURSDAY, monthly_weekday=THURSDAY,
        future_tick=0.05, busyness=0.6,
    ),
    Underlying("RELIANCE", "RELIANCE INDUSTRIES", "NSE", 1400.0, 0.22, 0.9, 2885, tick=0.1, bse_token=500_325),
    Underlying(
        "SBIN", "STATE BANK OF INDIA", "NSE", 865.0, 0.24, 1.0, 3045, bse_token=500_112,
        lot_units=750, freeze_units=30_000, derivatives="NFO", busyness=0.2,
    ),
    Underlying("INFY", "INFOSYS", "NSE", 1490.0, 0.24, 0.8, 1594, tick=0.1, bse_token=500_209),
    Underlying("TCS", "TATA CONSULTANCY SERV LT", "NSE", 3110.0, 0.21, 0.7, 11_536, tick=0.1),
    Underlying("HDFCBANK", "HDFC BANK", "NSE", 985.0, 0.19, 0.9, 1333),
    Underlying("M&M", "MAHINDRA & MAHINDRA", "NSE", 3620.0, 0.25, 1.0, 2031, tick=0.1),
)  # fmt: skip

BY_NAME = {underlying.name: underlying for underlying in UNDERLYINGS}
VIX = Underlying("INDIAVIX", "INDIA VIX", "NSE_INDEX", 13.8, 0.0, 0.0, 1035, tick=0.0)
