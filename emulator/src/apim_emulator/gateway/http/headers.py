"""HTTP details that requests and responses share: headers, failure bodies, paths."""

import json
import re
from http import HTTPStatus
from urllib.parse import unquote
from uuid import UUID

from multidict import CIMultiDict, CIMultiDictProxy, istr

HOPS = "X-Apim-Emulator-Hops"
"""How often a call went from the gateway to itself."""
HOP_BY_HOP = tuple(
    istr(name)
    for name in (
        "Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "TE", "Trailer",
        "Transfer-Encoding", "Upgrade", "HTTP2-Settings", HOPS,
    )
)  # fmt: skip
"""Headers of one connection (RFC 9110, 7.6.1; RFC 7540, 3.2.1), never passed on."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}", re.ASCII)
_UNSAFE_VALUE = re.compile(r"[^\t\x20-\x7e\x80-\xff]")


_HOST = re.compile(r"(?:[A-Za-z0-9._~-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?", re.ASCII)
_UNSOUND = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")

_UNDECODED = re.compile(r"[\ud800-\udfff]")
_PATH = re.compile(r"/[!-\"$-\[\]-~]{0,16383}", re.ASCII)
"""A path as it may arrive: no blank, no fragment, no backslash."""
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})", re.ASCII)
_ASTRAY = re.compile(
    r"[\x00-\x1f\x7f-\x9f#?\\\u2044\u2215\u2216\u29f5\u29f8\u29f9\ufe68\uff0f\uff3c]"
    r"|/(?:/| *+[.\u2024-\u2026\ufe52\uff0e][ .\u2024-\u2026\ufe52\uff0e]*+(?:[/;]|\Z))"
    r"|%u[0-9A-Fa-f]{4}"
)
"""Delimiters and their look-alikes; segments that are empty or nothing but dots and blanks; escapes of old servers."""
_MOST_ENCODINGS = 4
"""Decodings after which a path that is still encoded is refused."""


def is_header_name(name: str) -> bool:
    """Tell whether a header may have this name."""
    return _TOKEN.fullmatch(name) is not None


def is_header_value(value: str) -> bool:
    """Tell whether a header may have this value: no control characters, so no second header hides in it."""
    return _UNSAFE_VALUE.search(value) is None and len(value) <= 65_536


def is_sound(value: str) -> bool:
    """Tell whether a header of a backend may be passed on: no control characters, and text that can be written."""
    return _UNSOUND.search(value) is None


def is_sound_head(version: tuple[int, int], target: str, headers: CIMultiDictProxy[str]) -> bool:
    """Tell whether a request's head is clear about host, query and framing, beyond what the parser checks."""
    if "Transfer-Encoding" in headers:
        if version < (1, 1):  # where the body ends is not sure (RFC 9112, 6.1)
            return False
        coding = headers.getall("Transfer-Encoding")
        if [value.lower() for value in coding] != ["chunked"] or "Content-Length" in headers:
            return False
    hosts = headers.getall("Host", ())
    return (
        version in ((1, 1), (1, 0))
        # A query has no fragment (RFC 9112, 3.2): some servers would cut it off, others take it for a part.
        and "#" not in target.partition("?")[2]
        and len(hosts) == 1
        and _HOST.fullmatch(hosts[0]) is not None
        # Bytes that are no UTF-8: policies would see another value than the backend, which gets it without them.
        and not any(_UNDECODED.search(value) for value in headers.values() if not value.isascii())
    )


_CREDENTIALS = frozenset({"authorization", "api-key", "ocp-apim-subscription-key"})
"""What `Connection` cannot take off: it may not name what is meant for all recipients (RFC 9110, 7.6.1)."""


def end_to_end(headers: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    """Copy headers without those of the connection: the standard ones and those that `Connection` names."""
    found = headers.copy()
    for value in headers.getall("Connection", ()):
        for name in value.split(","):
            if name.strip().lower() not in _CREDENTIALS:
                found.popall(name.strip(), None)
    for name in HOP_BY_HOP:
        found.popall(name, None)
    return found


def envelope(status: int, message: str, activity: UUID | None = None) -> bytes:
    """Write the service's failure body, byte for byte."""
    tail = "" if activity is None else f', "activityId": "{activity}"'
    return f'{{ "statusCode": {status}, "message": {json.dumps(message, ensure_ascii=False)}{tail} }}'.encode()


def phrase(status: int) -> str:
    """Give the standard reason phrase."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def is_safe_path(path: str) -> bool:
    """Tell whether a raw path stays where it seems to lead, however often and leniently it is decoded.

    Refused are dot segments, empty segments, what decodes to a delimiter or to something that lenient servers take for
    one, escapes that are none, and bytes that are not UTF-8 (inferred: the service's own list is not documented).
    """
    if _PATH.fullmatch(path) is None or _BROKEN_ESCAPE.search(path) is not None:
        return False
    text = path
    for _ in range(_MOST_ENCODINGS):
        if _ASTRAY.search(text) is not None:
            return False
        if "%" not in text:
            return True
        try:
            decoded = unquote(text, errors="strict")
        except UnicodeDecodeError:
            return False
        if decoded == text:
            return True
        if decoded.count("/") != text.count("/"):
            return False
        text = decoded
    return False
