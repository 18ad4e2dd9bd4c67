"""The database of the schedules: sessions of its own, one at a time, on a connection that never reaches a disk."""

from typing import Any

from app.persistence.database import Database
from app.persistence.turns import Turn
from tests.chaos.quick_session import QuickSession
from tests.chaos.quick_statements import Driver


class QuickDatabase(Database):
    """As `Database`, for one thread, on a connection that never reaches a disk."""

    def __init__(self, driver: Driver) -> None:
        super().__init__(driver.engine)
        self.driver = driver

    def reading(self) -> Any:
        return _Reading(self.driver)

    def transaction(self, turn: Turn = Turn.SOON) -> Any:  # noqa: ARG002 - one thread waits for nobody
        return _Transaction(self.driver)


class _Reading:
    """A `with` block that reads. Classes, since so many are opened that a generator for each would be felt."""

    __slots__ = ("_driver", "_session")

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def __enter__(self) -> QuickSession:
        self._session = QuickSession(self._driver)
        return self._session

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if error is None:
            self._session.close()


class _Transaction(_Reading):
    """One that writes, all or nothing."""

    __slots__ = ()

    def __enter__(self) -> QuickSession:
        self._driver.open()
        return super().__enter__()

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if error is None:
            try:
                self._session.flush()
            except BaseException:
                self._undo()
                raise
            self._driver.end("COMMIT")
            self._session.close()
        else:
            self._undo()

    def _undo(self) -> None:
        self._driver.end("ROLLBACK")
        self._driver.forget()
