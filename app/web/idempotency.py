"""Form keys: a second submit of the same rendered form is the same command."""

import secrets

from flask import request

from app.domain.errors import InvalidInput


def new_key() -> str:
    """A fresh unguessable key for one rendered form."""
    return secrets.token_hex(16)


def form_key() -> str:
    """The key of the submitted form. Raises InvalidInput when it is missing or not one of ours."""
    key = request.form.get("idempotency_key", "")
    if not (8 <= len(key) <= 64 and key.isascii() and key.replace("-", "").isalnum()):
        raise InvalidInput(
            "idempotency_key", "This form has no valid key (idempotency_key). Reload the page and try again."
        )
    return key
