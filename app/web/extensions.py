"""The Flask extensions, made once and bound to each application by `install`."""

from typing import Any

from flask import request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager, current_user
from flask_socketio import SocketIO
from flask_wtf import CSRFProtect

from app.web.limit_memory import QuietMemoryStorage

MEMORY_LIMITS = f"{QuietMemoryStorage.STORAGE_SCHEME[0]}://"

csrf = CSRFProtect()

login_manager = LoginManager()
login_manager.session_protection = None  # addresses of phones change; the session ends with the password instead


def _who() -> str:
    """Whose requests are counted together: a signed-in user's, else an address's."""
    if current_user.is_authenticated:
        return f"user:{current_user.id}"
    return f"address:{get_remote_address()}"


limiter = Limiter(
    _who,
    default_limits=["1200 per minute"],
    strategy="moving-window",
)

auth_rate_limit = limiter.limit("10 per minute; 60 per hour", key_func=get_remote_address, methods=["POST"])
"""For whatever takes a password or token: counted by address."""

api_rate_limit = limiter.limit("600 per minute")
"""For JSON that scripts poll."""

heavy_rate_limit = limiter.limit("60 per minute", methods=["POST"])
"""For whatever makes gateways work: previews, tests of accounts."""


@limiter.request_filter
def _not_counted() -> bool:
    return request.endpoint in {"static", "health.alive", "health.ready"}


_SOCKET_RULES: dict[str, Any] = {
    "transports": ["websocket"],
    "allow_upgrades": False,
    "cors_allowed_origins": None,  # same origin only
}

socketio = SocketIO(
    async_mode="threading", max_http_buffer_size=64 * 1024, ping_interval=20, ping_timeout=10, **_SOCKET_RULES
)
"""WebSocket only, so that several web processes need no sticky sessions."""
