"""Builds what acts by the clock: square-off, starts by schedule, the end of contracts."""

from app.services.clock_trust import ClockTrust
from app.services.commands import Commands
from app.services.expired_legs import ExpiredLegs
from app.services.preview_maker import Previews
from app.services.run_board import RunBoard
from app.services.scheduled_starts import ScheduledStarts
from app.services.square_off import SquareOff, SquareOffTimes
from app.services.strategy_executor import StrategyExecutor
from app.wiring import Ground, MarketSide


def build_square_off(ground: Ground, market: MarketSide, run_board: RunBoard, executor: StrategyExecutor) -> SquareOff:
    return SquareOff(
        ground.database,
        run_board,
        SquareOffTimes(market.hours, market.rules.book),
        ground.market_clock,
        ground.journal,
        clock_in_doubt=ClockTrust(ground.clock, market.locks, market.exchange).in_doubt,
        ask_exit=lambda run_id, account_id, leg, why, also: executor.ask_exit(
            run_id, account_id=account_id, leg=leg, why=why, with_shorts=leg is not None, also=also
        ),
    )


def build_expired(ground: Ground, market: MarketSide, run_board: RunBoard, executor: StrategyExecutor) -> ExpiredLegs:
    def ended(run_id: int) -> None:
        run_board.changed(run_id)
        executor.touch(run_id)

    place = (ground.database, ground.clock, ground.market_clock, ground.journal)
    return ExpiredLegs(*place, agreeing=lambda: market.exchange.agreeing, on_change=ended)


def build_scheduled(ground: Ground, market: MarketSide, previews: Previews, commands: Commands) -> ScheduledStarts:
    trust = ClockTrust(ground.clock, market.locks, market.exchange)
    place = (ground.database, ground.market_clock, market.hours)
    return ScheduledStarts(*place, previews, commands, ground.activity, clock_in_doubt=trust.in_doubt)
