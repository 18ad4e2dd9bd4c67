"""What takes a run, or a part of it, out by itself, beside the limits and floors of the whole."""

from dataclasses import dataclass

from app.domain.leg_rules import NO_LEG_RULES, LegRules


@dataclass(frozen=True, slots=True)
class ExitRules:
    """`legs` are judged in each account by itself."""

    legs: LegRules = NO_LEG_RULES


NO_EXIT_RULES = ExitRules()
