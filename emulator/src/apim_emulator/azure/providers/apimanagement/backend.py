"""Backends: one URL with its credentials and circuit breaker, or a pool over such backends."""

import re

from apim_emulator.azure.exceptions import ValidationError
from apim_emulator.azure.providers.apimanagement import BACKEND, PATH
from apim_emulator.azure.providers.apimanagement.references import (
    exists,
    member_id,
    named_values_in_credentials,
    refuse_while_used,
    service_id,
)
from apim_emulator.azure.resource_types import Shape, Text, arm_type, get_function
from apim_emulator.azure.state import Properties, Resource, State
from apim_emulator.gateway.backends.breaker_rule import RuleError, circuit_breaker
from apim_emulator.model import CircuitBreaker

_MOST_MEMBERS = 30

_NOT_OF_A_POOL = {"url": "Url", "protocol": "Protocol"}


def _complete(state: State, resource: Resource, service: Resource) -> None:
    inputs = resource.inputs
    kind, pool = _type_of(resource), inputs.get("pool")
    if (kind == "Pool") != (pool is not None):
        raise ValidationError(f"type {kind} and pool contradict each other", "pool")
    before = state.find(resource.id)
    if before is not None and _type_of(before) != kind:
        # Inferred: no document, sample or issue shows such a change.
        raise ValidationError(f"the type of a backend cannot be changed from {_type_of(before)} to {kind}", "type")
    if _breaker(inputs) is not None and service.outputs["sku"]["name"] == "Consumption":
        # Microsoft's "Backends in API Management" says that the tier lacks them; code and words are inferred.
        raise ValidationError("circuitBreaker is not supported in SkuType Consumption", "circuitBreaker")
    if pool is not None:
        _check_pool(state, service.id, inputs, pool)
    else:
        _check_single(state, service.id, resource)


def _breaker(inputs: Properties) -> CircuitBreaker | None:
    try:
        return circuit_breaker(inputs)
    except RuleError as error:
        raise ValidationError(str(error), error.path) from None


def _type_of(backend: Resource) -> str:
    return str(backend.inputs.get("type") or "Single")


def _check_single(state: State, service: str, backend: Resource) -> None:
    for required in ("url", "protocol"):
        if not backend.inputs.get(required):
            raise ValidationError(f"{required} is missing; it is required", required)
    if not re.match(r"^https?://[^/\s]+", backend.inputs["url"]):
        raise ValidationError(f"url {backend.inputs['url']!r} must be an absolute HTTP URL", "url")
    for reference in named_values_in_credentials(backend):
        if not exists(state, service, reference):
            raise ValidationError(
                f"cannot find a property {reference.name!r}; create this named value first", "credentials"
            )


def _check_pool(state: State, service: str, inputs: Properties, pool: Properties) -> None:
    for name, called in _NOT_OF_A_POOL.items():
        if inputs.get(name) is not None:
            raise ValidationError(f"{called} is not supported for backend pool.", name)
    members = pool.get("services") or ()
    if not 1 <= len(members) <= _MOST_MEMBERS:
        raise ValidationError(
            f"pool.services has {len(members)} members; a pool takes 1 to {_MOST_MEMBERS}", "pool.services"
        )
    for member in members:
        wanted = member_id(service, member["id"])
        found = state.find(wanted)
        if found is None or found.token != BACKEND or service_id(found) != service:
            raise ValidationError(f"Backend Entity '{wanted.rsplit('/', 1)[-1]}' not found.", "pool")
        if found.inputs.get("pool"):
            raise ValidationError(f"pool.services: {member['id']!r} is a pool itself", "pool.services")
        for share in ("priority", "weight"):
            if not 0 <= (member.get(share) or 0) <= 100:
                raise ValidationError(
                    f"pool.services.{share} {member[share]} is not 0 to 100", f"pool.services.{share}"
                )


TYPE = arm_type(
    token=BACKEND,
    path=f"{PATH}/backends",
    names="serviceName backendId",
    shape=Shape(
        "resourceGroupName serviceName",
        "backendId circuitBreaker credentials description pool properties protocol proxy resourceId title tls type url",
        circuitBreaker=Shape(
            "",
            "rules",
            rules=Shape(
                "",
                "acceptRetryAfter failureCondition name tripDuration",
                failureCondition=Shape(
                    "",
                    "count errorReasons interval percentage statusCodeRanges",
                    statusCodeRanges=Shape("", "max min"),
                ),
            ),
        ),
        credentials=Shape("", "authorization certificate certificateIds header query"),
        pool=Shape("", "services", services=Shape("id", "priority weight")),
        protocol=Text(values=("http", "soap")),
        tls=Shape("", "validateCertificateChain validateCertificateName"),
        type=Text(values=("Single", "Pool")),
    ),
    complete=_complete,
    pattern=r"^[^*#&+:<>?]{1,80}$",
    # What pulumi-azure-native sends for properties left out (`BackendTlsPropertiesArgs`).
    defaults={"tls.validateCertificateChain": True, "tls.validateCertificateName": True},
    on_delete=refuse_while_used,
)

GET = get_function("azure-native:apimanagement:getBackend", f"{PATH}/backends", "serviceName backendId")
