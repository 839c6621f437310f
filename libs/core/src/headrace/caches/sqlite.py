"""SQLiteCache: answers kept in a file, shared by processes."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any

from headrace.engine.batching import Batcher
from headrace.errors import InputError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, value BLOB NOT NULL, expires REAL, used REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS answers_used ON answers (used);
CREATE INDEX IF NOT EXISTS answers_expires ON answers (expires) WHERE expires IS NOT NULL;
CREATE TABLE IF NOT EXISTS total (bytes INTEGER NOT NULL);
INSERT INTO total SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM total);
CREATE TRIGGER IF NOT EXISTS answer_came AFTER INSERT ON answers BEGIN
    UPDATE total SET bytes = bytes + length(new.value);
END;
CREATE TRIGGER IF NOT EXISTS answer_changed AFTER UPDATE OF value ON answers BEGIN
    UPDATE total SET bytes = bytes + length(new.value) - length(old.value);
END;
CREATE TRIGGER IF NOT EXISTS answer_went AFTER DELETE ON answers BEGIN
    UPDATE total SET bytes = bytes - length(old.value);
END;
"""
_KEEP = """
INSERT INTO answers VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE
SET value = excluded.value, expires = excluded.expires, used = excluded.used
"""
_DROP_LEAST_USED = """
DELETE FROM answers WHERE key IN (SELECT key FROM answers ORDER BY used LIMIT 1 + (
    SELECT COUNT(*) FROM answers) / 20)
"""
_BUSY = 30.0  # seconds to wait for another process that writes
_COARSE = 60.0  # seconds: uses closer together than this are not told apart
_TRIES = 20

Task = Callable[[sqlite3.Connection], None]


class SQLiteCache:
    """Keeps answers in the file at `path`, for `ttl` seconds, at most `max_bytes` of them.

    Processes may share it: the journal is a write-ahead log, each process writes by one thread,
    and what `set` returned from is committed. Opened on first use, in a forked child anew.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, ttl: float | None = None,
        max_bytes: int | None = None,
    ) -> None:  # fmt: skip
        for name, value in (("ttl", ttl), ("max_bytes", max_bytes)):
            if value is not None and not value > 0:
                raise InputError(f"`{name}` is a number above 0 or None, not {value!r}")
        self.path, self.ttl, self.max_bytes = Path(path).absolute(), ttl, max_bytes
        if not self.path.parent.is_dir():
            raise InputError(f"`{self.path}` cannot be a cache: there is no such directory")
        self._opened: _Opened | None = None
        self._opening, self._pid = Lock(), os.getpid()

    def get(self, key: str) -> bytes | None:
        now = time.time()
        row = self._open().read("SELECT value, expires, used FROM answers WHERE key = ?", key)
        if row is None or (row[1] is not None and row[1] <= now):
            return None
        if self.max_bytes is not None and now - row[2] > _COARSE:
            self._open().writer.post(
                lambda db: _run(db, "UPDATE answers SET used = ? WHERE key = ?", now, key)
            )
        value: bytes = row[0]
        return value

    def set(self, key: str, value: bytes, ttl: float | None = None) -> None:
        now, ttl = time.time(), self.ttl if ttl is None else ttl
        until = None if ttl is None else now + ttl

        def keep(db: sqlite3.Connection) -> None:
            _run(db, _KEEP, key, value, until, now)
            _run(db, "DELETE FROM answers WHERE expires <= ?", now)
            while self.max_bytes is not None and _total(db) > self.max_bytes:
                _run(db, _DROP_LEAST_USED)

        self._open().writer.put(keep)

    def delete(self, key: str) -> None:
        self._open().writer.put(lambda db: _run(db, "DELETE FROM answers WHERE key = ?", key))

    def clear(self, namespace: str | None = None) -> None:
        if namespace is None:
            self._open().writer.put(lambda db: _run(db, "DELETE FROM answers"))
            return
        start = f"{namespace}:"
        where = "DELETE FROM answers WHERE substr(key, 1, ?) = ?"
        self._open().writer.put(lambda db: _run(db, where, len(start), start))

    def close(self) -> None:
        """Closes the file; a later use opens it again."""
        with self._opening:
            opened, self._opened = self._opened, None
        if opened is not None and opened.pid == os.getpid():
            opened.close()

    def __len__(self) -> int:
        return int(self._open().read("SELECT COUNT(*) FROM answers")[0])

    def __bool__(self) -> bool:
        return True

    def _open(self) -> _Opened:
        opened = self._opened
        if opened is not None and opened.pid == os.getpid():
            return opened
        if self._pid != os.getpid():  # whoever held the lock is not in this process
            self._opening, self._pid = Lock(), os.getpid()
        with self._opening:
            opened = self._opened
            if opened is None or opened.pid != os.getpid():
                if opened is not None:
                    _OF_PARENTS.append(opened)
                opened = self._opened = _Opened(self.path)
        return opened

    def __reduce__(self) -> Any:
        return _made, (str(self.path), self.ttl, self.max_bytes)

    def __repr__(self) -> str:
        return f"SQLiteCache({str(self.path)!r})"


# A forked child must not touch its parent's connections, not even to close them:
# https://www.sqlite.org/howtocorrupt.html section 2.6 (read 2026-11)
_OF_PARENTS: list[_Opened] = []


class _Opened:
    """The connections of one process: one to read by, one that its writer writes by."""

    def __init__(self, path: Path) -> None:
        self.pid = os.getpid()
        self._reading, self._writing = Lock(), Lock()
        self._out = _connect(path)
        _prepare(self._out)
        self._in = _connect(path)
        self.writer: Batcher[Task] = Batcher(self._write)

    def read(self, query: str, *args: Any) -> Any:
        with self._reading:
            return self._in.execute(query, args).fetchone()

    def _write(self, tasks: list[Task]) -> None:
        with self._writing:
            _transact(self._out, tasks)

    def close(self) -> None:
        with self._writing, self._reading:
            self._out.close()
            self._in.close()


def _connect(path: Path) -> sqlite3.Connection:
    # Autocommit: transactions are begun by hand. The locks above keep threads apart.
    return sqlite3.connect(path, timeout=_BUSY, isolation_level=None, check_same_thread=False)


def _prepare(db: sqlite3.Connection) -> None:
    for left in reversed(range(_TRIES)):
        try:
            db.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError:  # another process changes it: SQLite does not wait here
            if not left:
                raise
            _transact(db, [])  # but it does here
    db.execute("PRAGMA synchronous = NORMAL")
    if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'answer_went'").fetchone() is None:
        _transact(db, [_create])


def _create(db: sqlite3.Connection) -> None:
    for statement in _statements(_SCHEMA):
        db.execute(statement)


def _transact(db: sqlite3.Connection, tasks: list[Task]) -> None:
    # Immediate, so that it waits for another process now and not in the middle.
    db.execute("BEGIN IMMEDIATE")
    try:
        for task in tasks:
            task(db)
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _statements(script: str) -> list[str]:
    """The statements of a script; `executescript` would commit before each."""
    found, start = [""], True
    for line in script.strip().splitlines():
        if start:
            found.append("")
        found[-1] += line + "\n"
        start = sqlite3.complete_statement(found[-1])
    return found[1:]


def _run(db: sqlite3.Connection, query: str, *args: Any) -> None:
    db.execute(query, args)


def _total(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT bytes FROM total").fetchone()[0])


def _made(path: str, ttl: float | None, max_bytes: int | None) -> SQLiteCache:
    return SQLiteCache(path, ttl=ttl, max_bytes=max_bytes)
