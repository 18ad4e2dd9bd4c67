"""Who may do what: for now admins manage accounts, everybody else watches."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import abort

from app.web.signed_in import user

P = ParamSpec("P")
R = TypeVar("R")


def admins_only(view: Callable[P, R]) -> Callable[P, R]:
    """403 for anybody else. The route stands above, so that nothing of the view has run."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        if not user().is_admin:
            abort(403)
        return view(*args, **kwargs)

    return guarded
