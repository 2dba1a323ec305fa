"""Random bytes, spelled in several ways."""

import base64

from apim_emulator.azure.providers.random import RANDOM_ID
from apim_emulator.azure.providers.random.characters import seeded
from apim_emulator.azure.resource_types import Shape, immutable_type
from apim_emulator.azure.state import Properties, Resource, State


def _create(state: State, name: str, inputs: Properties) -> Resource:
    value = seeded(state, "randomId", name).randbytes(int(inputs["byteLength"]))
    prefix = inputs.get("prefix") or ""
    url = base64.urlsafe_b64encode(value).decode().rstrip("=")
    outputs = {
        "hex": prefix + value.hex(),
        "dec": f"{prefix}{int.from_bytes(value, 'big')}",
        "b64Std": prefix + base64.b64encode(value).decode(),
        "b64Url": prefix + url,
    }
    return Resource(id=url, token=RANDOM_ID, inputs=inputs, outputs={**inputs, **outputs})


TYPE = immutable_type(token=RANDOM_ID, shape=Shape("byteLength", "keepers prefix"), create=_create, kept=False)
