"""How what the gateway said of its work is shown: at the end of a call, when every secret of it is known."""

from collections.abc import Sequence
from math import isfinite

from apim_emulator.gateway.loading.document import Node
from apim_emulator.gateway.witness import Demanded, Fact, Sent, Tried
from apim_emulator.tracing.known import SHORTEST_FOUND
from apim_emulator.tracing.mask import HIDDEN, Mask
from apim_emulator.tracing.model import Attempt, Claim, SubCall

_LONGEST_SOURCE = 500
"""Characters of attributes that are shown; each is shortened too."""
_SECRET_ATTRIBUTES = frozenset({"password", "token-value"})
_PUBLIC_CLAIMS = frozenset(
    {
        "aud", "iss", "exp", "nbf", "iat", "tid", "ver", "appid", "azp", "appidacr", "azpacr", "idtyp", "scp", "scope",
        "roles", "signature",
    }
)  # fmt: skip
"""Claims that are shown although nobody demands them; `signature` is the row of what signed the token."""
_PERSONAL_CLAIMS = frozenset(
    {
        "email", "verified_primary_email", "verified_secondary_email", "preferred_username", "upn", "unique_name",
        "name", "given_name", "family_name", "middle_name", "nickname", "phone_number", "address", "birthdate",
        "gender", "picture", "profile", "ipaddr", "sub", "oid", "puid", "onprem_sid", "sid", "in_corp", "login_hint",
    }
)  # fmt: skip
"""Claims about a person (Microsoft Entra: "Access token claims reference", OpenID Connect: "Standard Claims")."""


def source(node: Node, mask: Mask) -> str:
    """Write the start tag of a policy as its document has it, with `{{name}}` for a named value."""
    named = next((node.written[name] for name in ("name", "variable-name") if name in node.written), "")
    secret = _SECRET_ATTRIBUTES | ({"value", "default-value"} if named and mask.is_secret(named) else set())
    attributes = "".join(
        f' {name}="{HIDDEN if name in secret else mask.code(value)}"' for name, value in node.written.items()
    )
    if len(attributes) > _LONGEST_SOURCE:
        return f"<{node.name}{attributes[:_LONGEST_SOURCE]}…"
    return f"<{node.name}{attributes}{'>' if node.children or node.text.strip() else '/>'}"


def words(text: str, values: Sequence[Fact], mask: Mask) -> str:
    """Write a note."""
    return text.format(*(_fact(value, mask) for value in values))


def _fact(value: Fact, mask: Mask) -> str:
    if isinstance(value, str):
        return mask.code(value)
    if isinstance(value, float):
        return f"{value:g}" if isfinite(value) else "no end"
    return "none" if value is None else str(value)


def sub_call(call: Sent, begun: float, mask: Mask) -> SubCall:
    """Write a call that the gateway made on its own account."""
    return SubCall(
        purpose=call.purpose, method=mask.text(call.method), url=mask.url(call.url), status=call.status,
        error=mask.maybe(call.error), started=ms(call.started - begun), duration=ms(call.seconds),
    )  # fmt: skip


def attempt(call: Tried, begun: float, mask: Mask) -> Attempt:
    """Write a call to the backend."""
    return Attempt(
        backend=call.backend, pool=call.pool, url=mask.url(call.url), status=call.status,
        error=mask.maybe(call.error), started=ms(call.started - begun), duration=ms(call.seconds),
        breaker=call.breaker,
    )  # fmt: skip


def claim(row: Demanded, mask: Mask) -> Claim:
    """Write a row of a token; what is about a person, or nobody's business, is hidden on both sides."""
    hidden = _is_private(row, mask) or (row.demanded is None and row.name not in _PUBLIC_CLAIMS)
    found = ", ".join(HIDDEN if hidden else mask.text(value) for value in row.found[:_MOST_VALUES]) or None
    demanded = None if row.demanded is None else HIDDEN if hidden else mask.code(row.demanded)
    return Claim(mask.text(row.name), found, demanded, row.ok)


def _is_private(row: Demanded, mask: Mask) -> bool:
    return row.name.lower() in _PERSONAL_CLAIMS or (row.name != "signature" and mask.is_secret(row.name))


def private_values(rows: Sequence[Demanded], mask: Mask) -> list[str]:
    """List what a token says about a person: messages may repeat it."""
    public = {value for row in rows if row.name in _PUBLIC_CLAIMS for value in row.found}
    private = (value for row in rows if _is_private(row, mask) for value in row.found[:_MOST_VALUES])
    return [value for value in private if len(value) >= SHORTEST_FOUND and value not in public]


_MOST_VALUES = 20
"""Values of a claim that are shown."""


def ms(seconds: float) -> float:
    """Write seconds as milliseconds."""
    return round(seconds * 1000, 3)
