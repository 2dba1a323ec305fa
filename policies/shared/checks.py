"""Checks of option values that several policies share."""

import ipaddress
import re
from collections.abc import Sized
from dataclasses import fields
from urllib.parse import urlsplit

from policies.shared.errors import PolicyError
from policies.shared.options import Options, is_expression, is_named_value, label, starts_expression

INT_MAX = 2**31 - 1
"""Largest `xs:int`."""
LONG_MAX = 2**63 - 1
"""Largest `xs:long`."""
UNSIGNED_MAX = 2**32 - 1
"""Largest `xs:unsignedInt`."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")

_NOT_IN_HEADERS = re.compile(r"[^\t\x20-\x7e\x80-\xff]")


def check_not_blank(what: str, value: str | None) -> None:
    """Refuse blank text."""
    if value is not None and not value.strip():
        raise PolicyError(f"{what} {value!r} is empty; give it a value")


def check_header_value(what: str, value: str | None) -> None:
    """Refuse literal text that cannot be the value of an HTTP header (RFC 9110, section 5.5)."""
    if value is None or is_expression(value):
        return
    if "\r" in value or "\n" in value:
        raise PolicyError(f"{what} has a line break; write it on one line")
    if found := _NOT_IN_HEADERS.search(value):
        raise PolicyError(f"{what} holds U+{ord(found[0]):04X}, which headers cannot contain; encode it")


def check_header_name(what: str, value: str) -> None:
    """Refuse what is neither a header name (token, RFC 9110 section 5.6.2) nor a policy expression."""
    if not is_expression(value) and not _TOKEN.fullmatch(value):
        raise PolicyError(f"{what} {value!r} is not a header name; use 1 to 256 letters, digits and !#$%&'*+-.^_`|~")


def check_literal(what: str, value: str | None) -> None:
    """Refuse a policy expression where the gateway does not evaluate one, and blank text."""
    check_not_blank(what, value)
    if value is not None and starts_expression(value):
        raise PolicyError(f"{what} {value!r} is a policy expression, which is not allowed here; give the value itself")


def check_output_names(policy: Options) -> None:
    """Refuse invalid names of headers and variables that the policy writes to; they cannot be expressions."""
    for field in fields(policy):  # type: ignore[arg-type]  # every Options is a dataclass
        if field.name.endswith(("header_name", "variable_name")):
            what, value = f"{label(policy)} {field.name}", getattr(policy, field.name)
            check_literal(what, value)
            if value is not None and field.name.endswith("header_name"):
                check_header_name(what, value)


def check_range(what: str, value: int | str | None, low: int, high: int, unit: str = "") -> None:
    """Refuse a number outside `low` to `high`; only the gateway can check an expression."""
    if isinstance(value, int) and not low <= value <= high:
        raise PolicyError(f"{what} {value} is not allowed; use {low} to {high}{unit and ' ' + unit}")


def check_static(what: str, value: str) -> None:
    """Refuse an expression, a named value and surrounding spaces in a value that decides who is admitted.

    Such a value must be known before the gateway runs.
    """
    check_not_blank(what, value)
    if starts_expression(value):
        raise PolicyError(
            f"{what} {value!r} is a policy expression; it decides who is admitted, so give the value itself"
        )
    if "{{" in value:
        raise PolicyError(f"{what} {value!r} has a named value; it decides who is admitted, so give the value itself")
    if value != value.strip():
        raise PolicyError(f"{what} {value!r} has spaces around it; remove them")


def check_secret(what: str, value: str | None) -> None:
    """Refuse a secret that is not in a named value: everyone who can read the policy could read it."""
    if value is not None and not is_named_value(value):
        raise PolicyError(f"{what} is not a named value; keep it in a secret named value and give {{{{its-name}}}}")


def check_not_empty(what: str, values: Sized, of: str) -> None:
    """Refuse an empty list of what the policy needs."""
    if not values:
        raise PolicyError(f"{what} is empty; give at least one {of}")


def check_method(what: str, value: str) -> None:
    """Refuse what is neither an HTTP method (token, RFC 9110 section 9.1) nor a policy expression."""
    if not is_expression(value) and not is_named_value(value) and not _TOKEN.fullmatch(value):
        raise PolicyError(f"{what} {value!r} is not a method; use one such as POST")


def check_status_code(what: str, value: int | str) -> None:
    """Refuse a number that is not the status code of a final response (RFC 9110, section 15)."""
    if isinstance(value, int) and not 200 <= value <= 599:
        raise PolicyError(f"{what} {value} is not the status code of a response; use 200 to 599")


def check_failure_code(what: str, value: int) -> None:
    """Refuse a status code that does not mean an error."""
    if not 400 <= value <= 599:
        raise PolicyError(f"{what} {value} is not an error status code; use 400 to 599")


def check_url(what: str, value: str) -> None:
    """Refuse a URL that is not static, or that is not https, except on the loopback interface."""
    check_static(what, value)
    check_location(what, value)


def check_location(what: str, value: str) -> None:
    """Refuse literal text that is not a URL, or that is not https, except on the loopback interface."""
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
