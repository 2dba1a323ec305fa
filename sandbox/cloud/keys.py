"""Keys that services make: never derived from anything, so never guessable."""

import secrets
from collections.abc import Mapping
from typing import Any


def new_key() -> str:
    """Access key, 32 hexadecimal digits."""
    return secrets.token_hex(16)


def new_keys(given: Mapping[str, Any]) -> tuple[str, str]:
    """Primary and secondary key: those that the inputs give, else new ones."""
    return given.get("primaryKey") or new_key(), given.get("secondaryKey") or new_key()
