"""JSON for scripts and for the pages' own modules."""

from app.api import chain as _chain  # noqa: F401 - its route
from app.api import kill as _kill  # noqa: F401 - its routes
from app.api import rules as _rules  # noqa: F401 - its routes
from app.api import run_pnl as _run_pnl  # noqa: F401 - its route
from app.api import settlements as _settlements  # noqa: F401 - its routes
from app.api import sizes as _sizes  # noqa: F401 - its routes
from app.api.health import health_bp
from app.api.routes import api_bp

__all__ = ["api_bp", "health_bp"]
