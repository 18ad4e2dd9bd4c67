"""`wsgi.py` for a desk whose gateways are known to answer within seconds: what was lost is given up sooner."""

import atexit

from app import create_app
from app.bootstrap import runtime_of
from config import from_environment
from tests.live_desk import SIMULATED_QUIET_S

# Its engine is killed on purpose, as that of killed_wsgi.py.
app = create_app(
    from_environment("development").with_(quiet_open_s=SIMULATED_QUIET_S, deaths_that_lock=1_000, reserve_bytes=0)
)
runtime = runtime_of(app)
runtime.start()
atexit.register(runtime.stop)
