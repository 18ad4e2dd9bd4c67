"""A sizing as pages and scripts show it: each number with who gave it and when, each cap, and what it came to."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from app.domain.size_words import money, size_lines
from app.domain.sizing import Figure, Sizing, before_caps, size_of

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class FigureView:
    """`at` None: the number is typed and has no moment. `bites`: it made the size smaller."""

    label: str
    value: str
    source: str
    at: datetime | None
    bites: bool = False


def figure_views(sizing: Sizing) -> list[FigureView]:
    """In the order in which they were used."""
    found = [
        FigureView(label, _plain(figure.value) + unit if unit is not None else money(figure.value), figure.source,
                   figure.at)
        for label, figure, unit in (
            ("Structures", sizing.wanted, ""),
            ("Multiplier", sizing.multiplier, ""),
            ("Free", sizing.free, None),
            ("Reserved", sizing.reserved, None),
            ("Share", sizing.percent, " %"),
            ("One structure", sizing.one, None),
        )
        if figure is not None
    ]  # fmt: skip
    exact = before_caps(sizing)
    found += [
        FigureView("Cap", str(cap.structures), cap.whose, None, exact >= cap.structures + 1) for cap in sizing.caps
    ]
    usable = sizing.usable
    for basket in sizing.baskets:
        over = usable is not None and basket.needs.value > usable
        label = f"Basket of {basket.structures}"
        needs = basket.needs
        found.append(FigureView(label, money(needs.value), needs.source, needs.at, over))
    return found


def sizing_json(sizing: Sizing) -> Json:
    """Numbers as text, so that no script rounds them; `structures` follows from the others."""
    return {
        "profile": sizing.profile.value,
        "basis": sizing.basis,
        "insists": sizing.insists,
        **{
            name: _figure_json(getattr(sizing, name))
            for name in ("wanted", "multiplier", "free", "reserved", "percent", "one")
        },
        "usable": None if sizing.usable is None else f"{sizing.usable:f}",
        "caps": [{"structures": cap.structures, "whose": cap.whose} for cap in sizing.caps],
        "baskets": [{"structures": each.structures, "needs": _figure_json(each.needs)} for each in sizing.baskets],
        "structures": size_of(sizing).structures,
        "words": list(size_lines(sizing)),
    }


def _figure_json(figure: Figure | None) -> Json | None:
    if figure is None:
        return None
    at = None if figure.at is None else figure.at.isoformat()
    return {"value": f"{figure.value:f}", "source": figure.source, "at": at}


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
