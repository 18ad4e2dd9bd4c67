"""`create_app()` starts nothing: no thread, no socket, no file written; starting is for wsgi.py."""

import json
import subprocess
import sys

import pytest

from tests.architecture.sources import ROOT

# Run apart from pytest, whose own threads would be seen. The hook watches from after the imports: what a third
# package does when it is imported is not ours, what our factory does is.
PROGRAM = """
import json, sys
import app.bootstrap
from app import create_app
from config import testing_settings
settings = testing_settings().with_(name=sys.argv[1], redis_url=sys.argv[2] or None)
seen, watching = [], False
def hook(event, arguments):
    if watching and (event == "_thread.start_new_thread" or event.startswith("socket.") or _writes(event, arguments)):
        seen.append(f"{event} {arguments!r}"[:300])
def _writes(event, arguments):
    return event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
sys.addaudithook(hook)
watching = True
create_app(settings)
watching = False
print(json.dumps(seen))
"""


@pytest.mark.parametrize(
    ("profile", "redis_url"),
    [("testing", ""), ("development", ""), ("production", ""), ("production", "redis://127.0.0.1:1/0")],
)
def test_create_app_starts_nothing(profile: str, redis_url: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-B", "-c", PROGRAM, profile, redis_url], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout.splitlines()[-1]) == []
