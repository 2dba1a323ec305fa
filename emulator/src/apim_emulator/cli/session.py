"""A running emulator as other processes see it: a file that says how to call it."""

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import RawIOBase
from pathlib import Path

from pydantic import TypeAdapter

from apim_emulator.cli.program import command, starting
from apim_emulator.cli.program import folder as session_folder
from apim_emulator.errors import EmulatorError
from apim_emulator.services.token_client import Caller

__all__ = ["Api", "Session", "SessionFile", "only_running", "to_json"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Api:
    """A published API and how to call it."""

    name: str
    url: str
    key: str | None = field(repr=False)
    """Subscription key, None where callers need none."""
    callers: list[Caller]
    """Who can get a token; none where callers need none, or where the provider is no stand-in."""
    needs_token: bool
    model: str | None = None
    """Deployment behind it that answers chat completions."""
    product_keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Keys of the subscriptions of products that contain it, by the subscription's name."""
    curl: str = field(default="", repr=False)
    """Shell command that calls it."""
    python: str = field(default="", repr=False)
    """Program that calls it with the OpenAI client."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """A running emulator."""

    stack: str
    url: str
    """Where the gateway listens, or the first of several."""
    model: str | None
    """Deployment that answers chat completions, for the first API that has one."""
    apis: list[Api]
    services: Mapping[str, str] = field(default_factory=dict)
    """Where the gateway of each API Management service listens, by the service's name; empty if none is deployed."""
    trace_url: str | None = field(default=None, repr=False)
    """Where the traces of the last calls are, None where none are kept."""
    telemetry_url: str | None = field(default=None, repr=False)
    """Where what the gateway's diagnostics recorded is, None where nothing is."""

    def api(self, name: str | None) -> Api:
        """Return the API of a name, or the first. Raises `EmulatorError`."""
        for api in self.apis:
            if name in (api.name, None):
                return api
        if not self.apis:
            raise EmulatorError(f"stack {self.stack} has no API yet; deploy one")
        names = ", ".join(api.name for api in self.apis)
        raise EmulatorError(f"--api {name}: stack {self.stack} has no such API; it has {names}")


_SESSION = TypeAdapter(Session)


def to_json(session: Session) -> str:
    """Write a session as JSON."""
    return _SESSION.dump_json(session, indent=2).decode()


class SessionFile:
    """The file of a stack's running emulator, locked for as long as it runs."""

    def __init__(self, folder: Path, stack: str) -> None:
        """Name the file `.apim-emulator/{stack}.json` in the project's folder."""
        self._path = folder / session_folder() / f"{stack}.json"
        self._stack = stack

    @contextmanager
    def owned(self) -> Iterator[Callable[[Session], None]]:
        """Hold the file, which only its owner can read, and remove it at the end; yields what writes it.

        Raises `EmulatorError` where one of the stack runs already.
        """
        try:
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            self._path.parent.chmod(0o700)
            descriptor = self._created()
        except OSError as error:
            raise EmulatorError(f"{self._path}: {error.strerror}; what runs keeps its keys there") from None
        with os.fdopen(descriptor, "rb+", buffering=0) as file:
            try:
                yield lambda session: _write(file, session)
            finally:
                self._path.unlink(missing_ok=True)

    def _created(self) -> int:
        """Make the file, new and locked, in the place of one that nobody holds any more. Raises `OSError`."""
        while True:
            try:
                descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
                left_behind = False
            except FileExistsError:
                descriptor = os.open(self._path, os.O_RDWR | os.O_NOFOLLOW)
                left_behind = True
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                raise EmulatorError(f"stack {self._stack} is running already; stop it first") from None
            # Another process may have taken the one that was there, or this new one, for left behind.
            is_there = _same_file(descriptor, self._path)
            if is_there and not left_behind:
                return descriptor
            if is_there:
                self._path.unlink()
            os.close(descriptor)

    def read(self) -> Session:
        """Return the running emulator. Raises `EmulatorError` where none runs, whatever file one has left behind."""
        start = f"start it with: {starting(self._stack)}"
        try:
            with self._path.open(encoding="utf-8") as file:
                if _is_free(file.fileno()):
                    raise EmulatorError(f"stack {self._stack} is not running; {start}")
                text = file.read()
        except OSError:
            raise EmulatorError(f"stack {self._stack} is not running; {start}") from None
        if not text:
            raise EmulatorError(f"stack {self._stack} is still starting; try again when it says so")
        return _SESSION.validate_json(text)


def only_running(folder: Path) -> str:
    """Return the stack whose emulator runs in a project's folder; raises `EmulatorError` for none and for several."""
    names = list(_running(folder))
    if len(names) == 1:
        return names[0]
    if names:
        raise EmulatorError(f"several stacks run here: {', '.join(names)}; choose one with --stack")
    serving = f"{command()} serve"
    start = serving if starting() == serving else f"{starting()}, or serve"
    raise EmulatorError(f"nothing is running in this folder; start with: {start}")


def _running(folder: Path) -> Iterator[str]:
    for path in sorted((folder / session_folder()).glob("*.json")):
        with path.open("rb") as file:
            if not _is_free(file.fileno()):
                yield path.stem


def _same_file(descriptor: int, path: Path) -> bool:
    """Tell whether a path still leads to an open file."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False


def _write(file: RawIOBase, session: Session) -> None:
    """Write in place of what was there; a reader meets the old text, nothing, or the new one."""
    file.seek(0)
    file.truncate()
    file.write(to_json(session).encode())


def _is_free(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
