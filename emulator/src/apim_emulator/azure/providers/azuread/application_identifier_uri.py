"""Identifier URIs that are added to an app registration."""

import base64

from apim_emulator.azure.providers.azuread import IDENTIFIER_URI
from apim_emulator.azure.providers.azuread.ownership import require_owner
from apim_emulator.azure.providers.azuread.references import by_id, require_application_owner, require_free_uri
from apim_emulator.azure.resource_types import Shape, immutable_type, required_text
from apim_emulator.azure.state import Properties, Resource, State


def _create(state: State, _logical_name: str, inputs: Properties) -> Resource:
    application = by_id(state, required_text(inputs, "applicationId"))
    require_owner(state, application)
    uri = required_text(inputs, "identifierUri")
    require_free_uri(state, uri)
    segment = base64.urlsafe_b64encode(uri.encode()).decode()
    return Resource(
        id=f"{application.id}/identifierUris/{segment}", token=IDENTIFIER_URI, inputs=inputs, outputs=dict(inputs)
    )


TYPE = immutable_type(
    token=IDENTIFIER_URI,
    shape=Shape("applicationId identifierUri"),
    create=_create,
    on_delete=require_application_owner,
)
