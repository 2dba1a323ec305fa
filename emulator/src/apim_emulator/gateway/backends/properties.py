"""Backends as Azure Resource Manager has them (ARM: `Microsoft.ApiManagement/service/backends`)."""

from collections.abc import Mapping
from typing import Any

from apim_emulator.gateway.backends.breaker_rule import circuit_breaker
from apim_emulator.model import Backend, BackendIdentity, PoolMember


def backend_of(name: str, properties: Mapping[str, Any]) -> Backend:
    """Read a backend's properties; raises `RuleError` for a circuit breaker that makes no sense."""
    credentials = properties.get("credentials") or {}
    identity = credentials.get("managedIdentity")
    return Backend(
        id=name,
        url=properties.get("url"),
        header={header: tuple(values) for header, values in (credentials.get("header") or {}).items()},
        query={parameter: tuple(values) for parameter, values in (credentials.get("query") or {}).items()},
        identity=BackendIdentity(resource=identity["resource"], client_id=identity.get("clientId"))
        if identity
        else None,
        certificates=(
            *(one.rsplit("/", 1)[-1] for one in credentials.get("certificateIds") or ()),
            *(credentials.get("certificate") or ()),
        ),
        members=tuple(
            PoolMember(
                backend_id=member["id"].rsplit("/", 1)[-1],
                priority=member.get("priority") or 0,
                weight=1 if member.get("weight") is None else member["weight"],
            )
            for member in (properties.get("pool") or {}).get("services") or ()
        ),
        circuit_breaker=circuit_breaker(properties),
    )
