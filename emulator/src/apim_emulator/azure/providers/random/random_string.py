"""Random strings."""

from apim_emulator.azure.providers.random import RANDOM_STRING
from apim_emulator.azure.providers.random.characters import CHARACTERS, characters, seeded
from apim_emulator.azure.resource_types import immutable_type
from apim_emulator.azure.state import Properties, Resource, State


def _create(state: State, name: str, inputs: Properties) -> Resource:
    result = characters(seeded(state, "randomString", name), inputs)
    return Resource(id=result, token=RANDOM_STRING, inputs=inputs, outputs={**inputs, "result": result})


TYPE = immutable_type(token=RANDOM_STRING, shape=CHARACTERS, create=_create, kept=False)
