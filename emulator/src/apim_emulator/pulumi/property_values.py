"""Property values on the wire between a Pulumi program and its monitor (Pulumi's "property value" protocol)."""

from collections.abc import Mapping
from typing import Any

from google.protobuf import json_format, struct_pb2  # type: ignore[import-untyped]
from pulumi.runtime import rpc

__all__ = ["UNKNOWN", "is_secret", "plain"]

_SIGNATURE = rpc._special_sig_key
_SECRET = rpc._special_secret_sig
_OUTPUT = rpc._special_output_value_sig


class Unknown:
    """A value that is not known before the deployment."""

    def __repr__(self) -> str:
        return "<unknown>"


UNKNOWN = Unknown()


def decode(struct: struct_pb2.Struct) -> dict[str, Any]:
    """Properties of a request, with secrets still marked; see `plain` and `is_secret`."""
    return dict(json_format.MessageToDict(struct))


def is_secret(value: Any) -> bool:
    """Whether a value is, or anywhere inside has, a secret."""
    if isinstance(value, Mapping):
        if value.get(_SIGNATURE) == _SECRET:
            return True
        return bool(value.get("secret")) if _is_output(value) else any(map(is_secret, value.values()))
    return isinstance(value, list) and any(map(is_secret, value))


def plain(value: Any) -> Any:
    """Value without marks: secrets are themselves, unknown ones `UNKNOWN`, whole numbers `int`."""
    if isinstance(value, Mapping):
        if value.get(_SIGNATURE) == _SECRET or _is_output(value):
            return plain(value["value"]) if "value" in value else UNKNOWN
        if value.get(_SIGNATURE) == rpc._special_resource_sig:
            return value.get("id") or value["urn"]
        return {key: plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if value == rpc.UNKNOWN:
        return UNKNOWN
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def has_unknown(value: Any) -> bool:
    """Whether a plain value is, or anywhere inside has, an unknown one."""
    if isinstance(value, Mapping):
        return any(map(has_unknown, value.values()))
    if isinstance(value, list):
        return any(map(has_unknown, value))
    return value is UNKNOWN


def encode(properties: Mapping[str, Any], secret_names: frozenset[str] = frozenset()) -> struct_pb2.Struct:
    """Properties of a response; those in `secret_names` are marked as secrets."""
    marked = {name: rpc.wrap_rpc_secret(value) if name in secret_names else value for name, value in properties.items()}
    return json_format.ParseDict(_encoded(marked), struct_pb2.Struct())


def _encoded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _encoded(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_encoded(item) for item in value]
    return rpc.UNKNOWN if value is UNKNOWN else value


def _is_output(value: Mapping[str, Any]) -> bool:
    return bool(value.get(_SIGNATURE) == _OUTPUT)
