"""A call as a command that sends it once more, with shell variables in place of what is secret."""

import shlex
from dataclasses import dataclass

from yarl import URL

from apim_emulator.network import is_loopback
from apim_emulator.tracing.mask import HIDDEN, LONGEST, NOT_TRACED
from apim_emulator.tracing.model import CallTrace

_GLOBS = frozenset("[]{}")


@dataclass(frozen=True, slots=True)
class Command:
    """A command for a POSIX shell."""

    text: str
    variables: tuple[str, ...]
    """Shell variables that have to be set before."""
    file: str | None
    """File that has to hold the body, None where there is no body."""


def curl(call: CallTrace) -> Command | None:
    """Write the command; None where too little of the call was kept to send it again."""
    if any(NOT_TRACED in text for text in (call.method, call.url, *(value for _, value in call.headers))):
        return None
    headers = {name.lower(): value for name, value in call.headers}
    text = _Text()
    file = None if call.body == 0 else "body.json" if "json" in headers.get("content-type", "") else "body"
    parts = ["curl -i", *_method(call.method, has_body=file is not None)]
    host = headers.get("host", "")
    own = _is_own(host)
    parts.append(
        text.quoted("url", f"http://{host}{call.url}")
        if own
        else text.variable("GATEWAY") + text.quoted("url", call.url)
    )
    for name, value in call.headers:
        match name.lower():
            case "content-length":
                pass
            case "accept-encoding":
                parts.append("--compressed")
            case "host" if own:
                pass
            case _:
                parts.append(f"-H {text.quoted(name, f'{name}: {value}' if value else f'{name};')}")
    if _GLOBS.intersection(call.url):
        parts.append("--globoff")
    if file is not None:
        parts.append(f"--data-binary @{file}")
    return Command(" \\\n  ".join(parts), tuple(text.variables), file)


def _is_own(host: str) -> bool:
    try:
        return is_loopback(URL(f"http://{host}"))
    except ValueError:
        return False


def _method(method: str, *, has_body: bool) -> list[str]:
    if method == "HEAD":
        return ["--head"]
    return [] if method == "GET" and not has_body else [f"-X {shlex.quote(method)}"]


class _Text:
    """Quotes texts for the shell.

    The variables have names of ours: a caller who chose them could have somebody else's secrets sent.
    """

    def __init__(self) -> None:
        self.variables: list[str] = []
        self._number = 0

    def variable(self, name: str) -> str:
        if name not in self.variables:
            self.variables.append(name)
        return f'"${name}"'

    def quoted(self, name: str, text: str) -> str:
        """Quote a text; what is hidden in it becomes a variable, and so does its end where it was cut off."""
        cut = len(text) > LONGEST and text.endswith("\N{HORIZONTAL ELLIPSIS}")
        pieces = (text[:-1] + HIDDEN if cut else text).split(HIDDEN)
        shown = shlex.quote(pieces[0])
        for piece in pieces[1:]:
            shown += self.variable(self._name(name)) + (shlex.quote(piece) if piece else "")
        return shown

    def _name(self, name: str) -> str:
        lowered = name.lower()
        if lowered == "authorization":
            return "TOKEN"
        if lowered.endswith("key"):
            return "API_KEY"
        self._number += 1
        return f"SECRET_{self._number}"
