"""Choosing accounts in an address or a form: all, those of a group, or one; the same words wherever it is done."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from app.domain.account_groups import Group, Part
from app.domain.errors import InvalidInput
from app.services.accounts import AccountRow
from app.web.desk import Desk
from app.web.signed_in import SignedIn
from app.web.typed_numbers import NotThat, quoted

FIELD = "accounts"
ALL = ""

_CHOICE = re.compile(r"(group|account):([0-9]{1,9})")


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that can be chosen; `value` is what the form sends."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """`accounts` are those meant, in the order of the feed; `value` is what said so, empty for all."""

    value: str
    accounts: list[AccountRow]
    choices: list[Choice]

    @property
    def ids(self) -> frozenset[int]:
        return frozenset(account.id for account in self.accounts)


def choices_of(groups: Iterable[Group], accounts: Iterable[AccountRow]) -> list[Choice]:
    """Groups, then accounts, as forms and addresses name them."""
    together = [Choice(f"group:{group.id}", f"The group {group.name}") for group in groups]
    return [*together, *(Choice(f"account:{account.id}", f"Only {account.name}") for account in accounts)]


def choice_texts(part: Part) -> list[str]:
    """Groups and accounts as forms name them."""
    return [*(f"group:{each}" for each in part.groups), *(f"account:{each}" for each in part.accounts)]


def part_of(texts: Iterable[str], groups: Collection[int], accounts: Collection[int]) -> Part:
    """What was ticked, of those that this user may choose. Raises NotThat."""
    found: dict[str, list[int]] = {"group": [], "account": []}
    for text in texts:
        known = _CHOICE.fullmatch(text)
        if known is None or int(known[2]) not in (groups if known[1] == "group" else accounts):
            raise NotThat(f"There is no {quoted(text)} that you may choose. Reload the page and tick again.")
        found[known[1]].append(int(known[2]))
    return Part(tuple(sorted(found["account"])), tuple(sorted(found["group"])))


def chosen_accounts(desk: Desk, viewer: SignedIn, text: str) -> Chosen:
    """Raises InvalidInput naming `accounts` for what is not there or not this user's."""
    accounts, groups = desk.accounts.shown_to(viewer), desk.groups.shown_to(viewer)
    choices = [Choice(ALL, "All accounts"), *choices_of(groups, accounts)]
    return Chosen(text, _meant(text, accounts, groups), choices)


def _meant(text: str, accounts: Sequence[AccountRow], groups: Sequence[Group]) -> list[AccountRow]:
    if text == ALL:
        return list(accounts)
    found = _CHOICE.fullmatch(text)
    number = int(found[2]) if found else 0
    members = {number} if found and found[1] == "account" else frozenset[int]()
    if found and found[1] == "group":
        group = next((each for each in groups if each.id == number), None)
        if group is not None and not group.members:
            return []
        members = set() if group is None else set(group.members)
    meant = [account for account in accounts if account.id in members]
    if not meant:
        raise InvalidInput(FIELD, "accounts must be a group or an account of yours, as group:1 or account:3, or empty.")
    return meant
