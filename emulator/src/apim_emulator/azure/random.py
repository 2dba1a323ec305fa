"""Values of the random provider: the same for the same seed and name, passwords excepted."""

import base64
import random
import secrets
import string

from apim_emulator.azure.errors import invalid
from apim_emulator.azure.shape import Shape
from apim_emulator.azure.state import Properties, Resource, State, fixed

_SPECIAL = "!@#$%&*()-_=+[]{}<>:?"

_STRING = Shape(
    "length",
    "keepers lower minLower minNumeric minSpecial minUpper number numeric overrideSpecial special upper",
)


def _characters(source: random.Random, inputs: Properties) -> str:
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
        raise invalid(f"length {length} and the character classes contradict each other", "length")
    pool = "".join(allowed.values())
    wanted += [source.choice(pool) for _ in range(length - len(wanted))]
    source.shuffle(wanted)
    return "".join(wanted)


def _seeded(state: State, token: str, name: str) -> random.Random:
    return random.Random(state.fresh_guid(token, name))  # noqa: S311 - names, not secrets


def _string(state: State, name: str, inputs: Properties) -> Resource:
    result = _characters(_seeded(state, "randomString", name), inputs)
    return Resource(id=result, token=RANDOM_STRING, inputs=inputs, outputs={**inputs, "result": result})


def _password(_state: State, _name: str, inputs: Properties) -> Resource:
    result = _characters(secrets.SystemRandom(), inputs)
    return Resource(id="none", token=RANDOM_PASSWORD, inputs=inputs, outputs={**inputs, "result": result})


def _uuid(state: State, name: str, inputs: Properties) -> Resource:
    result = state.fresh_guid("randomUuid", name)
    return Resource(id=result, token=RANDOM_UUID, inputs=inputs, outputs={**inputs, "result": result})


def _id(state: State, name: str, inputs: Properties) -> Resource:
    value = _seeded(state, "randomId", name).randbytes(int(inputs["byteLength"]))
    prefix = inputs.get("prefix") or ""
    url = base64.urlsafe_b64encode(value).decode().rstrip("=")
    outputs = {
        "hex": prefix + value.hex(),
        "dec": f"{prefix}{int.from_bytes(value, 'big')}",
        "b64Std": prefix + base64.b64encode(value).decode(),
        "b64Url": prefix + url,
    }
    return Resource(id=url, token=RANDOM_ID, inputs=inputs, outputs={**inputs, **outputs})


RANDOM_STRING = "random:index/randomString:RandomString"
RANDOM_PASSWORD = "random:index/randomPassword:RandomPassword"  # noqa: S105 - a type token
RANDOM_UUID = "random:index/randomUuid:RandomUuid"
RANDOM_ID = "random:index/randomId:RandomId"

# A change of any property makes a new value (pulumi-random).
TYPES = (
    fixed(RANDOM_STRING, _STRING, _string, kept=False),
    fixed(RANDOM_PASSWORD, _STRING, _password, kept=False),
    fixed(RANDOM_UUID, Shape("", "keepers"), _uuid, kept=False),
    fixed(RANDOM_ID, Shape("byteLength", "keepers prefix"), _id, kept=False),
)
