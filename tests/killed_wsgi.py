"""`wsgi.py` for a desk whose engine is killed on purpose, again and again, and is to go on trading."""

import atexit

from app import create_app
from app.bootstrap import runtime_of
from config import from_environment

app = create_app(from_environment("development").with_(deaths_that_lock=1_000, reserve_bytes=0))
runtime = runtime_of(app)
runtime.start()
atexit.register(runtime.stop)
