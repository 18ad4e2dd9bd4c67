"""Secrets at rest: they open with their own key for their own owner, and for nothing and nobody else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.vault import EncryptionService
from app.domain.errors import Misconfigured
from app.ports.vault import KeyMissing

OLD, NEW = EncryptionService.new_key("old"), EncryptionService.new_key("new")


@given(st.text(), st.text())
def test_what_is_locked_opens_for_its_owner(plain: str, owner: str) -> None:
    service = EncryptionService(NEW)
    assert service.unlock(service.lock(plain, owner=owner), owner=owner) == plain


def test_the_secret_is_not_in_the_ciphertext_and_no_two_are_alike() -> None:
    service = EncryptionService(NEW)
    first, second = (service.lock("api-key-123", owner="account:1") for _ in range(2))
    assert "api-key-123" not in first
    assert first != second
    assert first.startswith("new:")


def test_a_row_copied_to_another_owner_does_not_open() -> None:
    service = EncryptionService(NEW)
    locked = service.lock("secret", owner="account:1")
    with pytest.raises(Misconfigured, match="another owner"):
        service.unlock(locked, owner="account:2")


def test_keys_rotate() -> None:
    locked = EncryptionService(OLD).lock("secret", owner="a")
    service = EncryptionService(f"{NEW}, {OLD}")
    assert service.unlock(locked, owner="a") == "secret"
    assert service.current_key_id == "new"
    assert service.lock("secret", owner="a").startswith("new:")


def test_row_56_a_missing_key_is_named_and_the_secret_is_not() -> None:
    locked = EncryptionService(OLD).lock("secret", owner="a")
    with pytest.raises(KeyMissing, match="'old'") as told:
        EncryptionService(NEW).unlock(locked, owner="a")
    assert locked.partition(":")[2] not in str(told.value)


def test_row_56_the_same_id_with_another_key_does_not_open() -> None:
    locked = EncryptionService(OLD).lock("secret", owner="a")
    with pytest.raises(Misconfigured, match="damaged"):
        EncryptionService(EncryptionService.new_key("old")).unlock(locked, owner="a")


@pytest.mark.parametrize("locked", ["", "new", "new:", "new:x", "plain text", "new:gAAAAA", "new:é"])
def test_damaged_text_does_not_open(locked: str) -> None:
    with pytest.raises(Misconfigured):
        EncryptionService(NEW).unlock(locked, owner="a")


@given(st.integers(0, 10_000), st.characters(categories=["L", "N"]))
def test_a_changed_character_is_noticed(place: int, character: str) -> None:
    service = EncryptionService(NEW)
    locked = service.lock("secret", owner="a")
    place = len("new:") + place % (len(locked) - len("new:"))
    changed = locked[:place] + character + locked[place + 1 :]
    try:
        opened = service.unlock(changed, owner="a")
    except Misconfigured:
        return
    assert opened == "secret"
    assert changed[:-3] == locked[:-3], "only the padding at the end may differ without harm"


@pytest.mark.parametrize(
    "keys", ["", "old", "old:", ":key", "old:notakey", "OLD,", "OLD,OLD", "a b:key", "old:aGVsbG8="]
)
def test_keys_that_will_not_do_are_refused_at_once(keys: str) -> None:
    with pytest.raises(Misconfigured, match="ENCRYPTION_KEYS"):
        EncryptionService(keys.replace("OLD", OLD))


def test_neither_repr_nor_errors_show_a_key() -> None:
    key = NEW.partition(":")[2]
    assert key not in repr(EncryptionService(NEW))
    with pytest.raises(Misconfigured) as told:
        EncryptionService(f"new:{key[:-6]}")
    assert key not in str(told.value)


def test_key_ids_are_plain() -> None:
    with pytest.raises(Misconfigured):
        EncryptionService.new_key("a:b")
