"""What the forms share: clean text, one sentence for each wrong field, and the view a template is given."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from werkzeug.datastructures import MultiDict
from wtforms import Field, Form, ValidationError

from app.domain.errors import InvalidInput

_STEERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that reverse what stands around them: a name with one could make a page lie."""
_NOT_UTF8 = "\ufffd"


@dataclass(frozen=True, slots=True)
class FormView:
    """What a template shows of a form: text as typed, a sentence for each wrong field, one for the whole."""

    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    error: str | None = None

    def refused(self, refusal: InvalidInput) -> "FormView":
        """The same with the sentence of that refusal beside its field."""
        return replace(self, errors={**self.errors, refusal.field: str(refusal)})


class DeskForm(Form):
    """A WTForms form whose secret fields are never shown again."""

    SECRET: frozenset[str] = frozenset()

    def validate(self, extra_validators: Mapping[str, Sequence[Any]] | None = None) -> bool:
        """A field that was sent twice says two things: neither is taken."""
        good = super().validate(extra_validators)
        twice = [one for one in self if len(one.raw_data or ()) > 1]
        for one in twice:
            one.errors = ["This was sent more than once. Reload the page and send it once."]
        return good and not twice

    def view(self) -> FormView:
        """The form as typed with the first error of each field."""
        return FormView(
            values={one.name: _as_typed(one) for one in self if one.name not in self.SECRET},
            errors={one.name: str(one.errors[0]) for one in self if one.errors},
        )


def _as_typed(one: Field) -> str:
    raw = one.raw_data[0] if one.raw_data else one.data
    return raw if isinstance(raw, str) else "" if raw is None else str(raw)


def stripped(value: str | None) -> str | None:
    """A filter for text fields."""
    return value.strip() if value is not None else None


class PlainText:
    """Validator: at least and at most so many characters, none of them a control character. Any script may be used."""

    def __init__(self, least: int, most: int, *, lines: bool = False) -> None:
        self._least = least
        self._most = most
        self._allowed = "\n\r\t" if lines else ""

    def __call__(self, _form: Form, one: Field) -> None:
        text = one.data or ""
        if not self._least <= len(text) <= self._most:
            span = f"{self._least} to {self._most}" if self._least else f"at most {self._most}"
            raise ValidationError(f"Use {span} characters; this is {len(text)}.")
        if has_hidden_letters(text, self._allowed):
            raise ValidationError("This holds characters that cannot be seen. Type it again without them.")


def has_hidden_letters(text: str, allowed: str = "") -> bool:
    """Whether any character but the `allowed` ones cannot be seen, or steers how the others are read.

    So does what was not UTF-8 when it was sent: it arrives as the sign for a character that is not known.
    """
    return any(_is_control(letter) for letter in text if letter not in allowed)


def _is_control(letter: str) -> bool:
    return letter in _STEERING or letter == _NOT_UTF8 or unicodedata.category(letter) in {"Cc", "Cs"}


def submitted(form: MultiDict[str, str]) -> MultiDict[str, str]:
    """The form as sent, without the token that stands in every form."""
    return MultiDict((key, value) for key, value in form.items(multi=True) if key != "csrf_token")
