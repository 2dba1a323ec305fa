"""Keeping secrets out of traces: by name, by shape, and by being a secret that is known."""

import base64
import json
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from urllib.parse import parse_qsl, quote
from uuid import UUID

from multidict import CIMultiDict

from apim_emulator.gateway.context.objects import Request, Response
from apim_emulator.model import Gateway
from apim_emulator.tracing.model import Change, Read, Span

HIDDEN = "***"
LONGEST = 200
"""Characters of a value that are kept."""

_SHORTEST = 4
"""Characters of a secret from which on it is looked for inside other text; a shorter one only as the whole value."""
_SHORTEST_PIECE = 6
SHORTEST_FOUND = 8
"""Characters of a secret that is only known by its name, from which on it is looked for elsewhere too."""
_MAX_BODY = 64 * 1024
"""Bytes of a body in which secrets are looked for by their names."""
_MAX_FOUND = 32
"""Secrets that are taken from one body."""
_NAMES = re.compile(
    r"^(?!access-control-).*(?:authorization|cookie|api[-_]?key|subscription[-_]?key|functions-key|^(?:key|code|sig)$|secret|token(?!s)|passw"
    r"|credential|signature|assertion)",
    re.IGNORECASE | re.DOTALL,
)
_SHAPES = re.compile(
    r"eyJ[\w-]{6,}(?:\.[\w-]*)*"
    r"|(?<=\bbearer )\S+|(?<=\bbasic )\S+|(?<=\bdigest )\S+|(?<=\bsharedaccesssignature )\S+"
    r"|(?<=//)[^\s/@:]*:[^\s/@]+(?=@)"
    r"|(?<=[?&;]sig=)[^&;\s]+|(?<=[?&;]code=)[^&;\s]+|(?<=[?&;]key=)[^&;\s]+",
    re.IGNORECASE,
)
_ASSIGNED = re.compile(
    r"(?P<name>(?<![\w-])[\w-]++(?:(?<=secret)|(?<=apikey)|(?<=api[-_]key)|(?<=subscriptionkey)|(?<=subscription[-_]key)"
    r"|(?<=access_token)|(?<=id_token)|(?<=refresh_token))|(?<!\w)(?>\w*?passw)\w*+)"
    r"(?P<between>\\*+[\"']?\s*+[=:>]\s*+\\*+[\"']?)[^\s\"'&;,}<\\]+",
    re.IGNORECASE,
)
"""Each word is read once: a caller decides how long a text is, and no text may hold up the gateway."""
Masks = tuple["Mask", ...]
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class Mask:
    """Shows values without the secrets among them."""

    def __init__(
        self, secrets: Iterable[str] = (), names: Iterable[str] = (), *, limit: int | None = None, within: Masks = ()
    ) -> None:
        """Take secrets, and names beyond the usual ones whose values are secret.

        Of the secrets that are learned, the last `limit` are kept; those of the masks `within` are hidden too.
        """
        self._names = frozenset(name.lower() for name in names)
        self._within = within
        self._forms: deque[str] = deque(maxlen=limit)
        self._searched: list[str] = []
        """Forms that are looked for inside other text, in lower case, the longest first."""
        self.add(secrets)

    def add(self, secrets: Iterable[str]) -> bool:
        """Learn more secrets; tells whether any was new."""
        known = dict.fromkeys(form for secret in secrets if secret for form in _forms(secret))
        new = [form for form in known if form not in self._forms]
        if new:
            self._forms.extend(new)
            lowered = {one.lower() for one in self._forms if len(one) >= _SHORTEST}
            self._searched = sorted(lowered, key=len, reverse=True)
        return bool(new)

    def is_secret(self, name: str) -> bool:
        """Tell whether what has this name is a secret whatever it holds."""
        return (
            name.lower() in self._names
            or _NAMES.search(name) is not None
            or any(mask.is_secret(name) for mask in self._within)
        )

    def text(self, text: str) -> str:
        """Show a text: secrets in it hidden, shortened, on one line of printable characters."""
        text = self._without_known(text)
        text = _ASSIGNED.sub(lambda match: f"{match['name']}{match['between']}{HIDDEN}", _SHAPES.sub(HIDDEN, text))
        text = _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text).replace("\n", " ")
        return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"

    def maybe(self, text: str | None) -> str | None:
        """Show a text that may be absent."""
        return None if text is None else self.text(text)

    def _without_known(self, text: str) -> str:
        for mask in self._within:
            text = mask._without_known(text)
        is_piece = len(text) >= _SHORTEST_PIECE and any(text in form for form in self._forms)
        if is_piece or text in self._forms:
            return HIDDEN
        lowered = text.lower()
        for form in self._searched:
            if form in lowered:
                text = _hidden(text, lowered, form)
                lowered = text.lower()
        return text

    def named(self, name: str, value: object) -> str | None:
        """Show a value that has a name; None stays None."""
        if value is None:
            return None
        return HIDDEN if value != "" and self.is_secret(name) else self._value(value)

    def url(self, raw: str) -> str:
        """Show a path and query."""
        path, mark, query = raw.partition("?")
        pieces = [self._piece(piece) for piece in query.split("&")] if mark else []
        return self.text(path) + mark + "&".join(pieces)[:LONGEST]

    def _piece(self, piece: str) -> str:
        name, sign, value = piece.partition("=")
        return f"{self.text(name)}{sign}{self.named(name, value)}"

    def _value(self, value: object) -> str:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | float | UUID):
            return self.text(str(value))
        if isinstance(value, bytes):
            return f"{len(value)} bytes"
        if isinstance(value, Response):
            return f"Response {value.status}"
        # Whatever else a variable holds may hold a secret: tokens' claims, parsed bodies.
        return type(value).__name__


def _hidden(text: str, lowered: str, secret: str) -> str:
    """Hide a secret, in lower case, wherever a text has it in any case.

    A regular expression would do it too, but to compile one of a token takes longer than the call that is traced.
    """
    if len(lowered) != len(text):
        # Of some letters the lower case is longer: where the secret is in the text is not sure.
        return HIDDEN
    pieces, place = [], 0
    while (found := lowered.find(secret, place)) >= 0:
        pieces += [text[place:found], HIDDEN]
        place = found + len(secret)
    return "".join([*pieces, text[place:]])


def remasked(span: Span, mask: Mask) -> Span:
    """Hide in a span, and in those inside it, what became known as a secret later."""
    return replace(
        span,
        reads=tuple(Read(mask.text(one.what), mask.maybe(one.value)) for one in span.reads),
        changes=tuple(remasked_change(one, mask) for one in span.changes),
        error=mask.maybe(span.error),
        children=tuple(remasked(child, mask) for child in span.children),
    )


def remasked_change(change: Change, mask: Mask) -> Change:
    """Hide in a change what became known as a secret later."""
    return Change(mask.text(change.what), mask.maybe(change.before), mask.maybe(change.after))


def gateway_mask(gateway: Gateway) -> Mask:
    """Make the mask of a service: its secret named values, subscription keys and backends' credentials."""
    secrets = [gateway.named_values[name] for name in gateway.secret_names if name in gateway.named_values]
    for subscription in gateway.subscriptions:
        secrets += [subscription.primary_key, subscription.secondary_key]
    for backend in gateway.backends:
        secrets += [value for values in (*backend.header.values(), *backend.query.values()) for value in values]
    names = [name for api in gateway.apis for name in (api.key_header, api.key_query)]
    return Mask((one for one in secrets if not one.startswith("{{")), names)


def request_secrets(request: Request, mask: Mask) -> Iterator[str]:
    """List the secrets that a caller presents."""
    yield from header_secrets(request.headers, mask)
    for name in request.query.names():
        if mask.is_secret(name):
            yield from request.query.values(name)


def header_secrets(headers: CIMultiDict[str], mask: Mask) -> Iterator[str]:
    """List the values of headers that are secret by their names."""
    for name, value in headers.items():
        if mask.is_secret(name):
            yield from credentials(name, value)


def credentials(name: str, value: str) -> Iterator[str]:
    """List what is secret about a header or variable: policies take a credential out of what is around it."""
    secret = value.partition(";")[0] if name.lower() == "set-cookie" else value
    yield secret
    yield from (part.partition("=")[2] or part for part in re.split(r"[;,]?\s+", secret) if len(part) > 6)


def body_secrets(body: bytes, mask: Mask) -> list[str]:
    """List the values in a JSON object or a form that are secret by their names."""
    if len(body) > _MAX_BODY:
        return []
    pairs: Iterable[tuple[str, object]]
    try:
        pairs = list(_members(json.loads(body)))
    except (ValueError, RecursionError):
        pairs = parse_qsl(body.decode("utf-8", "replace"))
    found = (value for name, value in pairs if isinstance(value, str) and mask.is_secret(name))
    return list(islice((value for value in found if len(value) >= SHORTEST_FOUND), _MAX_FOUND))


def _members(value: object) -> Iterator[tuple[str, object]]:
    children: list[object] = []
    if isinstance(value, dict):
        yield from value.items()
        children = list(value.values())
    elif isinstance(value, list):
        children = value
    for child in children:
        yield from _members(child)


def _forms(secret: str) -> Iterator[str]:
    """List how a secret may look elsewhere."""
    yield secret
    if len(secret) >= _SHORTEST:
        yield quote(secret, safe="")
        data = secret.encode("utf-8", "surrogateescape")
        yield base64.b64encode(data).decode()
        yield from _inside_base64(data)
        yield data.hex()
        yield data.hex("-")
        yield from (part for part in secret.split(".") if secret.startswith("eyJ") and len(part) > 8)


def _inside_base64(data: bytes) -> Iterator[str]:
    """List what is surely in the Base64 of a longer text with this one in it, at any place."""
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + data).decode().rstrip("=")
        whole = encoded[-(-before * 8 // 6) : len(encoded) - (1 if (before + len(data)) % 3 else 0)]
        if len(whole) >= SHORTEST_FOUND:
            yield whole
            yield whole.replace("+", "-").replace("/", "_")
