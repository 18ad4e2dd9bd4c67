"""`create_app()` starts nothing: no thread, no socket, no file written; starting is for wsgi.py."""

import json
import subprocess
import sys

from tests.architecture.sources import ROOT

# Run apart from pytest, whose own threads would be seen. The hook watches from after the imports: what a third
# package does when it is imported is not ours, what our factory does is. The imports take seconds, so they are made
# once: each factory then runs in a fork of its own, that has made no application before.
PROGRAM = """
import json, os, sys
import app.bootstrap
from app import create_app
from config import testing_settings
seen, watching = [], False
def hook(event, arguments):
    if watching and (event == "_thread.start_new_thread" or event.startswith("socket.") or _writes(event, arguments)):
        seen.append(f"{event} {arguments!r}"[:300])
def _writes(event, arguments):
    return event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
sys.addaudithook(hook)
for name, redis_url in json.loads(sys.argv[1]):
    if os.fork() == 0:
        settings = testing_settings().with_(name=name, redis_url=redis_url or None)
        watching = True
        create_app(settings)
        watching = False
        print(json.dumps([name, redis_url, seen]), flush=True)
        os._exit(0)
    os.wait()
"""
PROFILES = [["testing", ""], ["development", ""], ["production", ""], ["production", "redis://127.0.0.1:1/0"]]


def test_create_app_starts_nothing() -> None:
    command = [sys.executable, "-B", "-c", PROGRAM, json.dumps(PROFILES)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    told = [json.loads(line) for line in ended.stdout.splitlines() if line.startswith("[")]
    assert told == [[*profile, []] for profile in PROFILES], ended.stderr
