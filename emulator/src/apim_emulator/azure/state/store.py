"""A cloud's state in an SQLite file, which several processes share."""

import json
import os
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from apim_emulator.azure.state import Resource, State
from apim_emulator.errors import EmulatorError

_FORMAT = 1
_BUSY = 30.0
"""Seconds to wait for another process's change."""

_TABLES = """
CREATE TABLE cloud (seed TEXT NOT NULL, subscription_id TEXT NOT NULL, version INTEGER NOT NULL);
CREATE TABLE resource (position INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT UNIQUE NOT NULL, body TEXT NOT NULL);
CREATE TABLE given (parts TEXT PRIMARY KEY, count INTEGER NOT NULL);
"""


class MemoryStore:
    """A state in this process alone."""

    def __init__(self, state: State) -> None:
        """Keep a state in this process."""
        self.state = state
        self.version = 0
        """Grows with every change."""

    def refresh(self) -> None:
        """Take over what other processes changed since the last time: nothing."""

    @contextmanager
    def change(self) -> Iterator[None]:
        """Keep what the block changes in the state, or nothing if it raises."""
        with self.state.transaction():
            yield
        self.version += 1

    def close(self) -> None:
        """Do nothing: no file is open."""


class FileStore(MemoryStore):
    """The file. It holds keys and secrets, so only its owner may read it.

    Write-ahead logging ("Write-Ahead Logging", SQLite) lets others read during a change, and leaves nothing of a
    change whose process was killed. Not for several threads at once.
    """

    def __init__(self, path: Path, seed: str, subscription_id: str | None) -> None:
        """Open the file, or make it with an empty cloud. One that exists keeps its seed and its subscription.

        Raises `EmulatorError` where it is not such a file, or cannot be written.
        """
        self._path = path
        with self._explained():
            if not path.exists():
                _make(path, State(seed, subscription_id))
            self._connection = sqlite3.connect(path, timeout=_BUSY, isolation_level=None, check_same_thread=False)
            try:
                if self._one("PRAGMA user_version") != _FORMAT:
                    raise sqlite3.DatabaseError("the file is not a cloud of this version")
                path.chmod(0o600)
                self._connection.execute("PRAGMA synchronous = NORMAL")
                seed, subscription_id = self._connection.execute("SELECT seed, subscription_id FROM cloud").fetchone()
            except BaseException:
                self._connection.close()
                raise
        super().__init__(State(seed, subscription_id))
        self.version = -1
        self._seen = -1

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def refresh(self) -> None:
        """Take over what other processes changed since the last time."""
        with self._explained():
            # The number changes when another connection commits ("PRAGMA data_version"), and costs no read.
            seen = self._one("PRAGMA data_version")
            if seen != self._seen or self.version < 0:
                self._connection.execute("BEGIN")
                try:
                    self._load()
                finally:
                    self._connection.execute("ROLLBACK")
                self._seen = seen

    @contextmanager
    def change(self) -> Iterator[None]:
        """Write what the block changes in the state, in one transaction, or nothing if it raises."""
        with self._explained():
            self._connection.execute("BEGIN IMMEDIATE")
        try:
            with self._explained():
                self._load()
            before, given = _rows(self.state), self.state.given.copy()
            with self.state.transaction():
                yield
                with self._explained():
                    version = self.version + self._save(before, given)
                    self._connection.execute("COMMIT")
            self.version = version
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def _load(self) -> None:
        version = self._one("SELECT version FROM cloud")
        if version == self.version:
            return
        state = self.state
        state.resources, state.deleted = {}, {}
        for key, body in self._connection.execute("SELECT key, body FROM resource ORDER BY position"):
            resource = Resource(**json.loads(body))
            (state.resources if resource.purge_at is None else state.deleted)[key] = resource
        counts = self._connection.execute("SELECT parts, count FROM given")
        state.given = Counter({tuple(json.loads(parts)): count for parts, count in counts})
        self.version = version

    def _save(self, before: dict[str, Resource], given: Counter[tuple[str, ...]]) -> int:
        """Write what differs, and return by how much the version grew."""
        after = _rows(self.state)
        gone = [(key,) for key, old in before.items() if key not in after or after[key].purge_at != old.purge_at]
        changed = [(key, json.dumps(asdict(new))) for key, new in after.items() if before.get(key) is not new]
        counts = [(json.dumps(parts), count) for parts, count in self.state.given.items() if given[parts] != count]
        execute = self._connection.executemany
        execute("DELETE FROM resource WHERE key = ?", gone)
        upsert = "INSERT INTO resource (key, body) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET body = excluded.body"
        execute(upsert, changed)
        execute("INSERT OR REPLACE INTO given (parts, count) VALUES (?, ?)", counts)
        grown = int(bool(gone or changed or counts))
        self._connection.execute("UPDATE cloud SET version = version + ?", (grown,))
        return grown

    def _one(self, query: str) -> int:
        return int(self._connection.execute(query).fetchone()[0])

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise EmulatorError(
                f"{self._path}: {error}; end what else uses it, and see that it can be written"
            ) from None
        except sqlite3.DatabaseError as error:
            raise EmulatorError(f"{self._path}: {error}; delete the file to start with an empty cloud") from None
        except OSError as error:
            raise EmulatorError(f"{self._path}: {error.strerror}; choose a folder that can be written") from None


def _rows(state: State) -> dict[str, Resource]:
    return {**state.deleted, **state.resources}


def _make(path: Path, state: State) -> None:
    """Make the file whole, then put it in place, so that nobody meets half of it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
    os.close(handle)
    made = Path(name)
    try:
        connection = sqlite3.connect(made, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(_TABLES)
            connection.execute(f"PRAGMA user_version = {_FORMAT}")
            connection.execute("INSERT INTO cloud VALUES (?, ?, 0)", (state.seed, state.subscription_id))
        finally:
            connection.close()
        try:
            os.link(made, path)
        except FileExistsError:
            return  # Another process was faster.
    finally:
        made.unlink()
