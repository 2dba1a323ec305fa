"""Keys that services make: never derived from anything, so never guessable."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any


def new_key() -> str:
    """Access key, 32 hexadecimal digits."""
    return secrets.token_hex(16)


def new_keys(given: Mapping[str, Any], before: Sequence[str] | None = None) -> tuple[str, str]:
    """Primary and secondary key: those that the inputs give, else those from before, else new ones."""
    first, second = before or (new_key(), new_key())
    return given.get("primaryKey") or first, given.get("secondaryKey") or second
