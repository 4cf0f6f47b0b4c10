"""A file that keeps the results of a run's jobs, so that a run that was stopped at any moment goes on where it was.

SQLite in WAL mode: a result is there as a whole or not at all. The file says which question it belongs to and is held by one process at
a time. On opening, its structure and the SHA-256 of every result are checked; a job's result counts only for the very job it was made of.
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exactrelu.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from os import PathLike

# "exRg"; the version counts changes of the tables, of what a job is, and of its bytes.
APPLICATION, VERSION = 0x65785267, 3
# Into how many jobs a run with a store is cut, whoever takes it up; another number needs another version.
JOBS = 64
_SCHEMA = (
    "CREATE TABLE question (what TEXT PRIMARY KEY, answer TEXT NOT NULL)",
    "CREATE TABLE job (number INTEGER PRIMARY KEY, sha256 BLOB NOT NULL)",
    "CREATE TABLE result (job INTEGER PRIMARY KEY REFERENCES job, sha256 BLOB NOT NULL, data BLOB NOT NULL)",
)


class Store:
    """Results of jobs by their numbers; see `open_store`."""

    jobs: int | None = JOBS

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def begin(self, jobs: Sequence[bytes]) -> None:
        """Say which jobs there are; raises InvalidRequestError where the store knows others."""
        digests = [(number, hashlib.sha256(job).digest()) for number, job in enumerate(jobs)]
        known = self._connection.execute("SELECT number, sha256 FROM job ORDER BY number").fetchall()
        if not known:
            with _transaction(self._connection):
                self._connection.executemany("INSERT INTO job VALUES (?, ?)", digests)
        elif known != digests:
            raise _refused(self._path, "belongs to another version of exactrelu, which cut the question into other jobs")

    def __contains__(self, job: object, /) -> bool:
        return self._connection.execute("SELECT 1 FROM result WHERE job = ?", (job,)).fetchone() is not None

    def __getitem__(self, job: int, /) -> bytes:
        found = self._connection.execute("SELECT data FROM result WHERE job = ?", (job,)).fetchone()
        if found is None:
            raise KeyError(job)
        return bytes(found[0])

    def __setitem__(self, job: int, result: bytes, /) -> None:
        with _transaction(self._connection):
            self._connection.execute("INSERT OR REPLACE INTO result VALUES (?, ?, ?)", (job, hashlib.sha256(result).digest(), result))


@contextlib.contextmanager
def open_store(path: str | PathLike[str], question: dict[str, str]) -> Iterator[Store]:
    """The store of a question at a path, made where there is none.

    Raises InvalidRequestError where the file is damaged or something else, belongs to another question or version, is in use by another
    process, or cannot be written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for _ in range(2):
    ...         with open_store(folder + "/a.store", {"network": "0" * 64}) as store:
    ...             store.begin([b"a job"])
    ...             print(0 in store)
    ...             store[0] = b"its result"
    False
    True
    """
    path = Path(path).absolute()
    try:
        with contextlib.closing(_connected(path)) as connection:
            _check_file(connection, path)
            _check_question(connection, path, question)
            _check_results(connection, path)
            yield Store(connection, path)
    except sqlite3.Error as error:
        raise _one_line(error, path) from None


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=0, isolation_level=None)
    try:
        # A foreign file's triggers and views are not trusted; the locks of the first write are kept until the end.
        for setting in ("trusted_schema = OFF", "locking_mode = EXCLUSIVE", "synchronous = FULL"):
            connection.execute(f"PRAGMA {setting}")
    except BaseException:
        connection.close()
        raise
    return connection


def _check_file(connection: sqlite3.Connection, path: Path) -> None:
    """Take the file for this process alone, make the tables where it is empty, and check that it is sound and ours."""
    schema = [row[0] for row in connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid")]
    application, version = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
    if application != (APPLICATION if schema else 0):
        raise _refused(path, "is a database, but no store of exactrelu")
    if schema and version != VERSION:
        raise _refused(path, f"is a store of version {version}, and this exactrelu reads version {VERSION}")
    if schema and tuple(schema) != _SCHEMA:
        raise _refused(path, "is damaged: it has other tables")
    connection.execute("PRAGMA journal_mode = WAL")
    with _transaction(connection):
        if not schema:
            for statement in _SCHEMA:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
    if connection.execute("PRAGMA quick_check(1)").fetchall() != [("ok",)]:
        raise _refused(path, "is damaged")


def _check_question(connection: sqlite3.Connection, path: Path, question: dict[str, str]) -> None:
    known = dict(connection.execute("SELECT what, answer FROM question").fetchall())
    if not known:
        with _transaction(connection):
            connection.executemany("INSERT INTO question VALUES (?, ?)", question.items())
    elif known != question:
        others = " and ".join(sorted(what for what in known.keys() | question.keys() if known.get(what) != question.get(what)))
        raise _refused(path, f"belongs to another question: its {others} is another")


def _check_results(connection: sqlite3.Connection, path: Path) -> None:
    for job, digest, data in connection.execute("SELECT job, sha256, data FROM result"):
        if not isinstance(data, bytes) or hashlib.sha256(data).digest() != digest:
            raise _refused(path, f"is damaged: the result of job {job} is not what was written")


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _refused(path: Path, what: str) -> InvalidRequestError:
    return InvalidRequestError(f"the store {path} {what}; give another --store FILE, or remove this one")


def _one_line(error: sqlite3.Error, path: Path) -> InvalidRequestError:
    name: Any = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return InvalidRequestError(f"the store {path} is in use by another process; wait until it has ended, or give another --store FILE")
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return _refused(path, "is no SQLite file, or is damaged")
    return InvalidRequestError(f"the store {path} cannot be used ({' '.join(str(error).split())[:120]}); check the folder and the disk")
