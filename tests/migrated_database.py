"""SQLite databases of the newest migration: migrated once in a process, and copied from then on."""

import shutil
import tempfile
from functools import cache
from pathlib import Path

from flask_migrate import upgrade

from app import create_app
from app.bootstrap import runtime_of
from config import testing_settings


def put_migrated(place: Path) -> None:
    """Put a database file that is migrated and otherwise empty at this place."""
    shutil.copyfile(Path(_template().name) / "desk.sqlite3", place)


@cache
def _template() -> tempfile.TemporaryDirectory[str]:
    """Gone when the process ends."""
    folder = tempfile.TemporaryDirectory(prefix="desk-migrated-")
    app = create_app(testing_settings().with_(database_url=f"sqlite:///{folder.name}/desk.sqlite3"))
    with app.app_context():
        upgrade()
    runtime_of(app).ground.database.engine.dispose()  # the last connection takes what is in the log into the file
    return folder
