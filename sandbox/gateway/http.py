"""HTTP details shared by the way in and the way out: headers, failure bodies, paths."""

import json
import re
from http import HTTPStatus
from urllib.parse import unquote
from uuid import UUID

from multidict import CIMultiDict, CIMultiDictProxy, istr

HOP_BY_HOP = tuple(
    istr(name)
    for name in (
        "Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "TE", "Trailer",
        "Transfer-Encoding", "Upgrade",
    )
)  # fmt: skip
"""Headers of one connection (RFC 9110, 7.6.1), never passed on."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}", re.ASCII)
_UNSAFE_VALUE = re.compile(r"[^\t\x20-\x7e\x80-\xff]")


_HOST = re.compile(r"(?:[A-Za-z0-9._~-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?", re.ASCII)
_PLAIN_PATH = re.compile(r"(?:/(?:[A-Za-z0-9_~-][A-Za-z0-9._~-]*+)?+)++", re.ASCII)
"""Paths without anything that could be decoded, or a segment that could be `.` or `..`."""
_UNSOUND = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")


def is_header_name(name: str) -> bool:
    """Tell whether a header may have this name."""
    return _TOKEN.fullmatch(name) is not None


def is_header_value(value: str) -> bool:
    """Tell whether a header may have this value: no control characters, so no second header hides in it."""
    return _UNSAFE_VALUE.search(value) is None and len(value) <= 65_536


def is_sound(value: str) -> bool:
    """Tell whether a header of a backend may be passed on: no control characters, and text that can be written."""
    return _UNSOUND.search(value) is None


def is_sound_head(version: tuple[int, int], headers: CIMultiDictProxy[str]) -> bool:
    """Tell whether a request's head leaves no doubt about host and framing, beyond what the parser sees to."""
    if "Transfer-Encoding" in headers:
        coding = headers.getall("Transfer-Encoding")
        if [value.lower() for value in coding] != ["chunked"] or "Content-Length" in headers:
            return False
    hosts = headers.getall("Host", ())
    return version in ((1, 1), (1, 0)) and len(hosts) == 1 and _HOST.fullmatch(hosts[0]) is not None


def end_to_end(headers: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    """Copy headers without those of the connection, be they standard or named by `Connection`."""
    found = headers.copy()
    for value in headers.getall("Connection", ()):
        for name in value.split(","):
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
    """Tell whether a raw path stays where it seems to be, however often somebody decodes it."""
    if not path.startswith("/") or not path.isascii() or not path.isprintable() or " " in path or len(path) > 16_384:
        return False
    if _PLAIN_PATH.fullmatch(path) is not None:
        return True
    text = path
    while True:
        if "\\" in text or any(ord(letter) < 0x20 for letter in text):
            return False
        if any(segment.partition(";")[0] in {".", ".."} for segment in text.split("/")):
            return False
        decoded = unquote(text, errors="replace")
        if decoded.count("/") != text.count("/"):
            return False
        if decoded == text:
            return True
        text = decoded
