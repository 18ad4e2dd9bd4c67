"""`wsgi.py` for a desk that asks its live pages each second whether somebody is there, and soon believes not."""

import atexit
from typing import Any, cast

from app import create_app
from app.bootstrap import runtime_of
from app.web.extensions import socketio

cast("Any", socketio).server_options |= {"ping_interval": 1, "ping_timeout": 1}

app = create_app("development")
runtime = runtime_of(app)
runtime.start()
atexit.register(runtime.stop)
