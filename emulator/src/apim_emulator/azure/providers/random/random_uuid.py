"""Random UUIDs."""

from apim_emulator.azure.providers.random import RANDOM_UUID
from apim_emulator.azure.resource_types import Shape, immutable_type
from apim_emulator.azure.state import Properties, Resource, State


def _create(state: State, name: str, inputs: Properties) -> Resource:
    result = state.fresh_guid("randomUuid", name)
    return Resource(id=result, token=RANDOM_UUID, inputs=inputs, outputs={**inputs, "result": result})


TYPE = immutable_type(token=RANDOM_UUID, shape=Shape("", "keepers"), create=_create, kept=False)
