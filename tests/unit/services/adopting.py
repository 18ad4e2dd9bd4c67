"""What adopts positions and puts them under rules, in the order path that tests build by hand."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from app.domain.contracts import ContractKey
from app.domain.errors import NoFreshPrice
from app.domain.market_rules import DEFAULT_RULES, RuleBook
from app.domain.money import Units
from app.services.activity import Activity
from app.services.adoption import Adopter
from app.services.given_rules import RuleGiver, RuleOffers
from app.services.journal import Journal
from app.services.square_off import SquareOffTimes
from app.services.strategies import Strategies
from tests.unit.services.pretend_broker import FREEZE, PRICE

if TYPE_CHECKING:
    from tests.unit.services.order_world import OrderWorld


def adopting(world: "OrderWorld", journal: Journal, epoch: int) -> tuple[RuleOffers, Adopter]:
    """Of the engine with this epoch, by the books and the executor of `world`."""
    activity, hours = Activity(world.database, world.clock), world.hours
    of_hours: Any = hours
    times = SquareOffTimes(of_hours, lambda: RuleBook(DEFAULT_RULES))
    offers = RuleOffers(
        Strategies(world.database, world.clock, activity),
        times,
        journal,
    )
    place = (world.database, world.clock, journal, activity)

    def price_of(key: ContractKey) -> Decimal:
        if world.pricing.trouble is not None:
            raise NoFreshPrice(f"Nobody tells a price of {key.symbol}.")
        return PRICE

    return offers, Adopter(
        *place,
        books=world.reconciler,
        read_soon=world.book_calls.append,
        contract_of=world.listed.known.get,
        freeze_of=lambda contract, _today: contract.freeze or Units(FREEZE),
        epoch=lambda: epoch,
        on_change=world.executor.touch,
        rules=RuleGiver(*place, offers, epoch=lambda: epoch, on_change=world.executor.touch),
        price_of=price_of,
    )
