"""Characters of the wanted number and classes."""

import random
import string

from apim_emulator.azure.exceptions import ValidationError
from apim_emulator.azure.resource_types import Shape
from apim_emulator.azure.state import Properties, State

_SPECIAL = "!@#$%&*()-_=+[]{}<>:?"

CHARACTERS = Shape(
    "length",
    "keepers lower minLower minNumeric minSpecial minUpper number numeric overrideSpecial special upper",
)


def characters(source: random.Random, inputs: Properties) -> str:
    """Text of the wanted length and classes (Terraform's random provider: every class on unless turned off)."""
    classes = (
        ("lower", string.ascii_lowercase, "minLower"),
        ("upper", string.ascii_uppercase, "minUpper"),
        ("numeric", string.digits, "minNumeric"),
        ("special", inputs.get("overrideSpecial") or _SPECIAL, "minSpecial"),
    )
    length = int(inputs["length"])
    allowed = {name: alphabet for name, alphabet, _ in classes if inputs.get(name, True)}
    if inputs.get("number") is False:
        allowed.pop("numeric", None)
    wanted = [source.choice(alphabet) for _, alphabet, least in classes for _ in range(int(inputs.get(least) or 0))]
    if not allowed or length < max(1, len(wanted)):
        raise ValidationError(f"length {length} and the character classes contradict each other", "length")
    pool = "".join(allowed.values())
    wanted += [source.choice(pool) for _ in range(length - len(wanted))]
    source.shuffle(wanted)
    return "".join(wanted)


def seeded(state: State, token: str, name: str) -> random.Random:
    """Source of what follows from the seed of the cloud and the name of a resource."""
    return random.Random(state.fresh_guid(token, name))  # noqa: S311 - names, not secrets
