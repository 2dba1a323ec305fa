"""Rules that several policies share."""

import ipaddress
import re
from collections.abc import Sized
from dataclasses import fields
from urllib.parse import urlsplit

from policies.errors import PolicyError
from policies.options import Options, is_expression, is_named_value, label, starts_expression

INT_MAX = 2**31 - 1
"""Largest `xs:int`."""
LONG_MAX = 2**63 - 1
"""Largest `xs:long`."""
UNSIGNED_MAX = 2**32 - 1
"""Largest `xs:unsignedInt`."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")

_NOT_IN_HEADERS = re.compile(r"[^\t\x20-\x7e\x80-\xff]")


def check_filled(what: str, value: str | None) -> None:
    """Refuse a text that is empty or blank."""
    if value is not None and not value.strip():
        raise PolicyError(f"{what} {value!r} is empty; give it a value")


def check_header_value(what: str, value: str | None) -> None:
    """Refuse a literal text that HTTP cannot send on the line of a header (RFC 9110, section 5.5)."""
    if value is None or is_expression(value):
        return
    if "\r" in value or "\n" in value:
        raise PolicyError(f"{what} has a line break; write it on one line")
    if found := _NOT_IN_HEADERS.search(value):
        raise PolicyError(f"{what} holds U+{ord(found[0]):04X}, which no header can carry; encode it")


def check_header_name(what: str, value: str) -> None:
    """Refuse what is neither a header name (token, RFC 9110 section 5.6.2) nor a policy expression."""
    if not is_expression(value) and not _TOKEN.fullmatch(value):
        raise PolicyError(f"{what} {value!r} is not a header name; use 1 to 256 letters, digits and !#$%&'*+-.^_`|~")


def check_literal(what: str, value: str | None) -> None:
    """Refuse a policy expression where the gateway takes none, and a text that is empty or blank."""
    check_filled(what, value)
    if value is not None and starts_expression(value):
        raise PolicyError(f"{what} {value!r} is a policy expression, which is not allowed here; give the value itself")


def check_output_names(policy: Options) -> None:
    """Refuse names of headers and variables that the gateway could not write to; it takes no expression for them."""
    for field in fields(policy):  # type: ignore[arg-type]  # every Options is a dataclass
        if field.name.endswith(("header_name", "variable_name")):
            what, value = f"{label(policy)} {field.name}", getattr(policy, field.name)
            check_literal(what, value)
            if value is not None and field.name.endswith("header_name"):
                check_header_name(what, value)


def check_range(what: str, value: int | str | None, low: int, high: int, unit: str = "") -> None:
    """Refuse a number outside `low` to `high`; an expression is the gateway's to check."""
    if isinstance(value, int) and not low <= value <= high:
        raise PolicyError(f"{what} {value} is not allowed; use {low} to {high}{unit and ' ' + unit}")


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


def check_secret(what: str, value: str | None) -> None:
    """Refuse a secret that is not in a named value: whoever may read the policy could read it."""
    if value is not None and not is_named_value(value):
        raise PolicyError(f"{what} is not a named value; keep it in a secret named value and give {{{{its-name}}}}")


def check_some(what: str, values: Sized, of: str) -> None:
    """Refuse an empty list where the policy would have nothing to do."""
    if not values:
        raise PolicyError(f"{what} is empty; give at least one {of}")


def check_method(what: str, value: str) -> None:
    """Refuse what is neither an HTTP method (token, RFC 9110 section 9.1) nor a policy expression."""
    if not is_expression(value) and not is_named_value(value) and not _TOKEN.fullmatch(value):
        raise PolicyError(f"{what} {value!r} is not a method; use one such as POST")


def check_status_code(what: str, value: int | str) -> None:
    """Refuse a number that no final response may have as its status code (RFC 9110, section 15)."""
    if isinstance(value, int) and not 200 <= value <= 599:
        raise PolicyError(f"{what} {value} is not the status code of a response; use 200 to 599")


def check_failure_code(what: str, value: int) -> None:
    """Refuse a status code that would not tell the caller of a failure."""
    if not 400 <= value <= 599:
        raise PolicyError(f"{what} {value} is not an error status code; use 400 to 599")


def check_url(what: str, value: str) -> None:
    """Refuse a URL over which an impostor could answer: anything but https, except on the loopback interface."""
    check_decided(what, value)
    check_location(what, value)


def check_location(what: str, value: str) -> None:
    """Refuse a literal text that is not a URL, or one over which an impostor could answer."""
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
