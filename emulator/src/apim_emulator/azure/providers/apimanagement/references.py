"""Who refers to what inside a service: nothing may point at what does not exist, now or after a deletion."""

from collections.abc import Iterator

from apim_emulator.azure.exceptions import ValidationError
from apim_emulator.azure.providers.apimanagement import (
    API_POLICY,
    BACKEND,
    CERTIFICATE,
    FRAGMENT,
    NAMED_VALUE,
    OPERATION_POLICY,
    POLICY,
    PRODUCT_POLICY,
)
from apim_emulator.azure.providers.apimanagement.policy_document import Reference, named_values, references
from apim_emulator.azure.providers.resources import RESOURCE
from apim_emulator.azure.state import Resource, State

POLICIES = (POLICY, PRODUCT_POLICY, API_POLICY, OPERATION_POLICY)


_COLLECTIONS = {"backend-id": "backends", "certificate-id": "certificates", "fragment-id": "policyFragments"}


def service_id(resource: Resource) -> str:
    """ID of the service that holds a resource."""
    return "/".join(resource.id.split("/")[:9])


def format_of(document: Resource) -> str:
    """Format of a policy document or fragment: `xml` or `rawxml`."""
    return str(document.inputs.get("format") or "xml")


def exists(state: State, service: str, reference: Reference) -> bool:
    """Whether the service has what a document or a backend refers to."""
    if reference.kind == "named-value":
        return any(value.outputs["displayName"] == reference.name for value in state.of(NAMED_VALUE, under=service))
    if reference.kind == "thumbprint":
        wanted = reference.name.strip().upper()
        return any(one.outputs["thumbprint"] == wanted for one in state.of(CERTIFICATE, under=service))
    return state.find(f"{service}/{_COLLECTIONS[reference.kind]}/{reference.name}") is not None


def backends(state: State, service: str) -> Iterator[Resource]:
    """All backends of a service, by whichever type they were given."""
    yield from state.of(BACKEND, under=service)
    yield from filter(None, map(as_backend, state.of(RESOURCE, under=service)))


def as_backend(resource: Resource) -> Resource | None:
    """Return a generic resource that is a backend as one of the backend's own type; None if it is something else."""
    *_, kind, _name = resource.id.rsplit("/", 2)
    if resource.token != RESOURCE or kind != "backends":
        return None
    return Resource(id=resource.id, token=BACKEND, inputs=resource.inputs.get("properties") or {})


def named_values_in_credentials(backend: Resource) -> Iterator[Reference]:
    """Named values that a backend's credentials refer to."""
    credentials = backend.inputs.get("credentials") or {}
    for part in ("header", "query"):
        for values in (credentials.get(part) or {}).values():
            for value in values:
                yield from (Reference("named-value", name) for name in named_values(value))


def member_id(service: str, given: str) -> str:
    """Resource ID of a pool's member, which may be given as `/backends/{id}`."""
    return f"{service}{given}" if given.startswith("/backends/") else given


def refuse_while_used(state: State, resource: Resource, change: str = "deleted") -> None:
    """Refuse a change of a named value, backend or fragment that something in the service refers to."""
    if resource.token == NAMED_VALUE:
        wanted, called = {("named-value", resource.outputs["displayName"])}, "named value"
    elif resource.token == BACKEND:
        wanted, called = {("backend-id", resource.name)}, "Backend"
    elif resource.token == CERTIFICATE:
        wanted, called = (
            {("certificate-id", resource.name), ("thumbprint", resource.outputs["thumbprint"])},
            "Certificate",
        )
    else:
        wanted, called = {("fragment-id", resource.name)}, "Policy Fragment"
    users = dict.fromkeys(
        user.id
        for user, reference in _uses(state, service_id(resource))
        if user is not resource and (reference.kind, reference.name) in wanted
    )
    if users:
        raise ValidationError(
            f"the {called} '{resource.name}' cannot be {change}: it is used by the following entities: "
            f"{', '.join(users)}",
            resource.id,
        )


def _uses(state: State, service: str) -> Iterator[tuple[Resource, Reference]]:
    for token in (*POLICIES, FRAGMENT):
        for document in state.of(token, under=service):
            found = references(document.outputs["value"], format_of(document))
            yield from ((document, reference) for reference in found)
    for backend in backends(state, service):
        yield from ((backend, reference) for reference in named_values_in_credentials(backend))
        for member in (backend.inputs.get("pool") or {}).get("services") or ():
            yield backend, Reference("backend-id", member_id(service, member["id"]).rsplit("/", 1)[1])
