"""Client secrets."""

import secrets

from apim_emulator.azure.providers.azuread import PASSWORD
from apim_emulator.azure.providers.azuread.ownership import require_owner
from apim_emulator.azure.providers.azuread.references import by_id, require_application_owner
from apim_emulator.azure.resource_types import Shape, immutable_type, required_text
from apim_emulator.azure.state import Properties, Resource, State


def _create(state: State, logical_name: str, inputs: Properties) -> Resource:
    require_owner(state, by_id(state, required_text(inputs, "applicationId")))
    return new_password(state, logical_name, inputs)


def new_password(state: State, logical_name: str, inputs: Properties) -> Resource:
    """Client secret of an application, with a new value."""
    application = by_id(state, required_text(inputs, "applicationId"))
    key_id = state.fresh_guid("password", application.id, logical_name)
    value = secrets.token_urlsafe(30)
    return Resource(
        id=f"{application.id}/password/{key_id}",
        token=PASSWORD,
        inputs=inputs,
        outputs={**inputs, "keyId": key_id, "value": value},
        private={"value": value},
    )


TYPE = immutable_type(
    token=PASSWORD,
    shape=Shape("applicationId", "displayName endDate endDateRelative rotateWhenChanged startDate"),
    create=_create,
    on_delete=require_application_owner,
)
