"""Secrets in requests of the engine: marked again in what goes back, masked in what is said about them."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pulumi.runtime import rpc

from apim_emulator.pulumi.property_values import is_secret, plain

_SIGNATURE = rpc._special_sig_key
_LEAST = 4
"""Characters from which a secret is also looked for inside longer texts; a shorter one would be found anywhere."""


def secret_texts(value: Any, *, inside: bool = False) -> Iterator[str]:
    """Texts inside the secrets of a value as it came over the wire."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key != _SIGNATURE:
                yield from secret_texts(item, inside=inside or _is_marked(value))
    elif isinstance(value, list):
        for item in value:
            yield from secret_texts(item, inside=inside)
    elif inside and isinstance(value, str) and value:
        yield value


def masked(message: str, secrets: Collection[str]) -> str:
    """Message without any of the secrets."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _LEAST:
            message = message.replace(secret, "[secret]")
    return message


def marked(value: Any, given: Any, secrets: Collection[str]) -> Any:
    """Plain value with marks wherever `given`, as it came over the wire, has a secret, or a secret's text appears."""
    if _is_marked(given) or (isinstance(value, str) and _shows(value, secrets)):
        return rpc.wrap_rpc_secret(value)
    if isinstance(value, Mapping):
        inner = given if isinstance(given, Mapping) else {}
        return {key: marked(item, inner.get(key), secrets) for key, item in value.items()}
    if isinstance(value, list | tuple):
        # The service may have changed the order, so a secret item makes the whole list a secret.
        if isinstance(given, list) and is_secret(given):
            return rpc.wrap_rpc_secret(value)
        return [marked(item, None, secrets) for item in value]
    return value


def keep_marks(value: Any, given: Any, secrets: Collection[str]) -> Any:
    """`given` as it came over the wire where it says the same as the plain `value`, else `value`, marked like it."""
    return given if given is not None and plain(given) == value else marked(value, given, secrets)


def _is_marked(value: Any) -> bool:
    return isinstance(value, Mapping) and _SIGNATURE in value and is_secret(value)


def _shows(text: str, secrets: Collection[str]) -> bool:
    return any(text == secret or (len(secret) >= _LEAST and secret in text) for secret in secrets)
