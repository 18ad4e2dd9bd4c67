"""How gunicorn serves the desk, whoever starts it: it reads this file by itself where it is started.

One worker of many threads: each live page keeps one. More capacity is more containers.
"""

from typing import Any

from app.domain.errors import Misconfigured
from config import live_pages_of_environment, server_threads

worker_class = "gthread"
workers = 1
threads = server_threads(live_pages_of_environment())
worker_connections = threads + 1000
control_socket_disable = True


def on_starting(server: Any) -> None:
    """Told otherwise by a command line, a server would let pages take every thread from exits. Raises Misconfigured."""
    told = server.cfg
    if told.worker_class_str != worker_class or told.threads < threads:
        raise Misconfigured(
            f"gunicorn was told to serve with {told.threads} threads of {told.worker_class_str}; LIVE_PAGES="
            f"{live_pages_of_environment()} needs {threads} of {worker_class}. Leave both to gunicorn.conf.py."
        )


def post_worker_init(worker: Any) -> None:
    """Open pages must not keep a server from ending: for as long as gunicorn waits for them the engine would go on."""
    from app.bootstrap import runtime_of  # noqa: PLC0415 - the master never imports the application

    runtime_of(worker.wsgi).open_pages.serve_while(lambda: worker.alive)
