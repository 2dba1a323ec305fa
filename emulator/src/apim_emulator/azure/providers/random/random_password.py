"""Random passwords."""

import secrets

from apim_emulator.azure.providers.random import RANDOM_PASSWORD
from apim_emulator.azure.providers.random.characters import CHARACTERS, characters
from apim_emulator.azure.resource_types import immutable_type
from apim_emulator.azure.state import Properties, Resource, State


def _create(_state: State, _name: str, inputs: Properties) -> Resource:
    result = characters(secrets.SystemRandom(), inputs)
    return Resource(id="none", token=RANDOM_PASSWORD, inputs=inputs, outputs={**inputs, "result": result})


TYPE = immutable_type(token=RANDOM_PASSWORD, shape=CHARACTERS, create=_create, kept=False)
