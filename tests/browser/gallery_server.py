"""The gallery as a running server for the browser tests."""

import threading
from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.serving import make_server

from tests.browser.gallery import create_gallery


@pytest.fixture(scope="session")
def gallery_app() -> Flask:
    return create_gallery()


@pytest.fixture(scope="session")
def gallery(gallery_app: Flask) -> Iterator[str]:
    """Address of the running gallery, without a slash at the end."""
    server = make_server("127.0.0.1", 0, gallery_app, threaded=True)
    serving = threading.Thread(target=server.serve_forever, daemon=True)  # noqa: TID251  a server beside the product
    serving.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    serving.join(timeout=5)
