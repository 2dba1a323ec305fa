"""C# in policy expressions."""

import re
from collections.abc import Iterable


def array(values: Iterable[str], plain: str = "") -> str:
    """Return an array of string literals, escaped so that no character has a meaning to C#, XML or the gateway.

    `plain` are characters, beside letters, digits and `._-`, to which that applies as they are.
    """
    as_it_is = re.compile(f"[A-Za-z0-9._{re.escape(plain)}-]")

    def literal(value: str) -> str:
        units = value.encode("utf-16-be")
        codes = (int.from_bytes(units[i : i + 2]) for i in range(0, len(units), 2))
        return "".join(chr(code) if as_it_is.fullmatch(chr(code)) else f"\\u{code:04x}" for code in codes)

    return "new[] {{ {} }}".format(", ".join(f'"{literal(value)}"' for value in values))
