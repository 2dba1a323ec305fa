"""Rules that several policies share."""

import ipaddress
import re
from urllib.parse import urlsplit

from policies.errors import PolicyError
from policies.options import is_expression, starts_expression

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def check_filled(what: str, value: str | None) -> None:
    """Refuse a text that is empty or blank."""
    if value is not None and not value.strip():
        raise PolicyError(f"{what} {value!r} is empty; give it a value")


def check_one_line(what: str, value: str | None) -> None:
    """Refuse a literal text with a line break, which would end the line that HTTP sends it on."""
    if value is not None and not is_expression(value) and ("\r" in value or "\n" in value):
        raise PolicyError(f"{what} has a line break; write it on one line")


def check_header_name(what: str, value: str) -> None:
    """Refuse what is neither a header name (token, RFC 9110 section 5.6.2) nor a policy expression."""
    if not is_expression(value) and not _TOKEN.fullmatch(value):
        raise PolicyError(f"{what} {value!r} is not a header name; use letters, digits and !#$%&'*+-.^_`|~")


def check_decided(what: str, value: str) -> None:
    """Refuse a value that decides who is let in but that is known only when the gateway runs."""
    check_filled(what, value)
    if starts_expression(value):
        raise PolicyError(
            f"{what} {value!r} is a policy expression; it decides who is let in, so give the value itself"
        )
    if "{{" in value:
        raise PolicyError(f"{what} {value!r} has a named value; it decides who is let in, so give the value itself")
    if value != value.strip():
        raise PolicyError(f"{what} {value!r} has spaces around it; remove them")


def check_failure_code(what: str, value: int) -> None:
    """Refuse a status code that would not tell the caller of a failure."""
    if not 400 <= value <= 599:
        raise PolicyError(f"{what} {value} is not an error status code; use 400 to 599")


def check_url(what: str, value: str) -> None:
    """Refuse a URL over which an impostor could answer: anything but https, except on the loopback interface."""
    check_decided(what, value)
    try:
        parts = urlsplit(value)
        host = parts.hostname if parts.port != 0 else None  # reading a bad port raises ValueError
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https") or re.search(r"[\s\\@#]", value):
        raise PolicyError(f"{what} {value!r} is not a URL; use one such as https://login.example.com/path")
    if parts.scheme == "http" and not _is_loopback(host):
        raise PolicyError(f"{what} {value!r} is not https; use https (http is for loopback hosts only)")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
