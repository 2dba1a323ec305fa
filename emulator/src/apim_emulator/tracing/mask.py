"""Keeping secrets out of traces: by name, by shape, and by being a secret that is known."""

import json
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from urllib.parse import unquote
from uuid import UUID

from multidict import CIMultiDict

from apim_emulator.gateway.context.objects import Request, Response
from apim_emulator.gateway.context.query import Query
from apim_emulator.model import Gateway
from apim_emulator.tracing.known import LONGEST_FORM, SHORTEST_FOUND, Budget, Known, Place

HIDDEN = "***"
NOT_TRACED = "not traced further"
"""What is shown in place of every value once hiding secrets has become too much work."""
LONGEST = 200
"""Characters of a value that are kept."""

_WINDOW = LONGEST + LONGEST_FORM
"""Characters that are looked at: what is secret and begins among those that are kept ends within them."""
_BUDGET = 400_000
"""Characters that are looked at for one call; a call with thirty policies takes some ten thousand."""
_NAME = 16
"""Work of judging a name, beyond its characters."""
_MAX_BODY = 64 * 1024
"""Bytes of a body in which secrets are looked for by their names."""
_NO_FORM = re.compile(rb"[\s<>{}]")
"""What no form has in it, and most other texts have."""
_MAX_LEARNED = 128
"""Secrets that are taken from one call."""
_NAMES = re.compile(
    r"(?!access-control-).*?(?:authorization|cookie|api[-_]?key|subscription[-_]?key|functions-key|^(?:key|code|sig)$|secret|token(?!s)|passw"
    r"|^pwd$|[-_.]pwd$|^session$|session[-_]?(?:id|key|token)|credential|signature|assertion)",
    re.IGNORECASE | re.DOTALL,
)
_SHAPES = re.compile(
    r"eyJ[\w-]{6,}(?:\.[\w-]*)*"
    r"|(?<=\bbearer )\S+|(?<=\bbasic )\S+|(?<=\bdigest )\S+|(?<=\bsharedaccesssignature )\S+"
    r"|(?<=\bbearer%20)\S+|(?<=\bbasic%20)\S+|(?<=\bbearer\+)\S+"
    r"|(?<=//)[^\s/@:]*:[^\s/@]+(?=@)"
    r"|(?<=[?&;]sig=)[^&;\s]+|(?<=[?&;]code=)[^&;\s]+|(?<=[?&;]key=)[^&;\s]+|(?<=[?&;]token=)[^&;\s]+",
    re.IGNORECASE,
)
_ASSIGNED = re.compile(
    r"(?P<name>(?<![\w-])[\w-]++(?:(?<=secret)|(?<=apikey)|(?<=api[-_]key)|(?<=subscriptionkey)|(?<=subscription[-_]key)"
    r"|(?<=access_token)|(?<=id_token)|(?<=refresh_token)|(?<=pwd)|(?<=session))|(?<!\w)(?>\w*?passw)\w*+)"
    r"(?P<between>\\*+[\"']?\s*+[=:>]\s*+\\*+[\"']?)(?P<value>[^\s\"'&;,}<\\]+)",
    re.IGNORECASE,
)
"""Each word is read once: a caller decides how long a text is, and no text may hold up the gateway."""
_QUOTED = re.compile(r"([\"'])([^\"']+)")
"""Texts between quotes, in each of which a piece of a secret may stand."""
_MAYBE_SECRET = re.compile("auth|key|secret|token|pass|pwd|pin|otp|sess|sig|cert|cred|jwt|cookie", re.IGNORECASE)
"""What is in the names of headers that are better hidden where nobody asked for them."""
_SCHEMES = frozenset({"bearer", "basic", "digest", "sharedaccesssignature"})
"""Schemes of `Authorization`; any other first word may be a secret itself."""
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_ENCODED = 3
"""How often a name may be percent-encoded."""

Masks = tuple["Mask", ...]


class Mask:
    """Shows values without the secrets among them."""

    def __init__(
        self,
        secrets: Iterable[str] = (),
        names: Iterable[str] = (),
        *,
        limit: int | None = None,
        within: Masks = (),
        budget: Budget | None = None,
    ) -> None:
        """Take secrets, and names beyond the usual ones whose values are secret.

        Of the forms of secrets that are learned, the last `limit` are kept; the secrets of the masks `within` are
        hidden too. Once a `budget` is spent, no text is shown.
        """
        self._names = frozenset(name.lower() for name in names)
        self._within = within
        self._known = Known(limit)
        self._bounded = budget is not None
        self._budget = budget or Budget()
        self._learned = 0
        self._seen: set[str] = set()
        """What was hidden for its shape, and may stand elsewhere in another."""
        self._queries: dict[tuple[object, ...], str] = {}
        self.add(secrets)

    @classmethod
    def of_call(cls, within: Masks) -> "Mask":
        """Make the mask of one call, whose work is bounded."""
        return cls(within=within, budget=Budget(_BUDGET))

    def is_spent(self) -> bool:
        """Whether nothing more is shown."""
        return self._budget.is_spent()

    def add(self, secrets: Iterable[str]) -> bool:
        """Learn more secrets; tells whether any was new."""
        if not self._bounded:
            return self._known.add(secrets)
        new = list(islice(secrets, _MAX_LEARNED + 1))
        self._learned += len(new)
        self._budget.spend(sum(map(len, new)))
        if self._learned > _MAX_LEARNED:
            self._budget.end()
        if self.is_spent():
            return True  # what is shown already has to be looked at again
        return self._known.add(new)

    def add_seen(self) -> bool:
        """Learn what was hidden for its shape alone; tells whether any was new."""
        return self.add(self._seen)

    def is_secret(self, name: str) -> bool:
        """Tell whether what has this name is a secret whatever it holds."""
        self._budget.spend(len(name) + _NAME)
        return len(name) > _WINDOW or self._is_named(name.lower()) or _NAMES.match(name) is not None

    def _is_named(self, lowered: str) -> bool:
        return lowered in self._names or any(mask._is_named(lowered) for mask in self._within)

    def text(self, text: str) -> str:
        """Show a text: secrets in it hidden, shortened, on one line of printable characters."""
        if self.is_spent():
            return NOT_TRACED
        window = text[:_WINDOW]
        masks = (*self._within, self)
        if self._is_piece(window):
            return HIDDEN
        lowered = window.lower()
        places = [place for mask in masks for place in mask._known.places(lowered, self._budget)]
        if self.is_spent():
            return NOT_TRACED
        if places and len(lowered) != len(window):
            # Of some letters the lower case is longer: where the secret is in the text is not sure.
            return HIDDEN
        shapes = [found.span() for found in _SHAPES.finditer(window)]
        shapes += [found.span("value") for found in _ASSIGNED.finditer(window)]
        if self._bounded and len(self._seen) <= _MAX_LEARNED:
            self._seen.update(window[start:end] for start, end in shapes if end - start >= SHORTEST_FOUND)
        places += shapes
        shown = _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", _hidden(window, places)).replace("\n", " ")
        return shown if len(text) <= LONGEST else f"{shown[:LONGEST]}…"

    def code(self, text: str) -> str:
        """Show a piece of a document: a secret may also stand there in pieces, each between quotes."""
        # Blanks go last: without them a secret that is cut off at the end of what is looked at would come into view.
        shown = " ".join(self.text(text).split())
        return _QUOTED.sub(lambda found: f"{found[1]}{HIDDEN if self._is_piece(found[2]) else found[2]}", shown)

    def _is_piece(self, text: str) -> bool:
        return any(mask._known.has(text, self._budget) for mask in (*self._within, self))

    def maybe(self, text: str | None) -> str | None:
        """Show a text that may be absent."""
        return None if text is None else self.text(text)

    def named(self, name: str, value: object) -> str | None:
        """Show a value that has a name; None stays None."""
        if value is None:
            return None
        return HIDDEN if value != "" and self.is_secret(name) else self._value(value)

    def header(self, name: str, value: str) -> str:
        """Show the value of a request's header that no policy asked for; of a credential its scheme."""
        scheme, blank, _ = value.partition(" ")
        hidden = value != "" and _MAYBE_SECRET.search(name[:_WINDOW]) is not None
        shown = HIDDEN if hidden else self.named(name, value) or ""
        return f"{scheme} {HIDDEN}" if shown == HIDDEN and blank and scheme.lower() in _SCHEMES else shown

    def url(self, raw: str) -> str:
        """Show a path and query; a query is shown alike wherever a call has it, and looked at once."""
        path, mark, query = raw.partition("?")
        known = (query, *(mask._known.version for mask in (*self._within, self)))
        shown = self._queries.get(known)
        if shown is None:
            shown = self._queries[known] = self._query(query) if mark else ""
        return self.text(path) + mark + shown

    def _query(self, query: str) -> str:
        shown: list[str] = []
        length = 0
        for piece in query.split("&", LONGEST)[:LONGEST]:
            shown.append(self._piece(piece))
            length += len(shown[-1]) + 1
            if length > LONGEST:
                break
        joined = "&".join(shown)
        return joined if len(joined) <= LONGEST else f"{joined[:LONGEST]}…"

    def _piece(self, piece: str) -> str:
        name, sign, value = piece.partition("=")
        return f"{self.text(name)}{sign}{self.named(_decoded(name), value)}"

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


def _decoded(name: str) -> str:
    """Return a name without its percent-encoding, however often it was encoded."""
    for _ in range(_ENCODED):
        if "%" not in name:
            break
        name = unquote(name[:_WINDOW])
    return name


def _hidden(text: str, places: Iterable[Place]) -> str:
    """Hide places, which may overlap, in the part of a text that is kept."""
    pieces: list[str] = []
    end = 0
    for start, stop in sorted(places):
        if start >= LONGEST:
            break
        if start >= end:
            pieces += [text[end:start], HIDDEN]
        end = max(end, stop)
    return "".join([*pieces, text[end:LONGEST]])


def gateway_mask(gateway: Gateway) -> Mask:
    """Make the mask of a service: its secret named values, subscription keys and backends' credentials."""
    secrets = [gateway.named_values[name] for name in gateway.secret_names if name in gateway.named_values]
    for subscription in gateway.subscriptions:
        secrets += [subscription.primary_key, subscription.secondary_key]
    for backend in gateway.backends:
        secrets += [value for values in (*backend.header.values(), *backend.query.values()) for value in values]
    secrets += [one.password for one in gateway.certificates if one.password]
    secrets += [one.access_token for one in gateway.connections]
    names = [name for api in gateway.apis for name in (api.key_header, api.key_query)]
    return Mask((one for one in secrets if not one.startswith("{{")), names)


def request_secrets(request: Request, mask: Mask) -> Iterator[str]:
    """List the secrets that a caller presents."""
    yield from header_secrets(request.headers, mask)
    for name, value in request.query.pairs():
        if mask.is_spent():
            return
        if mask.is_secret(_decoded(name)):
            yield value


def header_secrets(headers: CIMultiDict[str], mask: Mask) -> Iterator[str]:
    """List the values of headers that are secret by their names."""
    for name, value in headers.items():
        if mask.is_spent():
            return
        if mask.is_secret(name):
            yield from credentials(name, value)


def credentials(name: str, value: str) -> Iterator[str]:
    """List what is secret about a header or variable: policies take a credential out of what is around it."""
    secret = value.partition(";")[0] if name.lower() == "set-cookie" else value
    yield secret
    yield from (part.partition("=")[2] or part for part in re.split(r"[;,]?\s+", secret) if len(part) > 6)


def body_secrets(body: bytes, mask: Mask) -> Iterator[str]:
    """List the values in a JSON object or a form that are secret by their names."""
    if len(body) > _MAX_BODY:
        return
    pairs: Iterable[tuple[str, object]]
    try:
        pairs = _members(json.loads(body))
    except (ValueError, RecursionError):
        pairs = () if _NO_FORM.search(body) else Query(body.decode("utf-8", "replace")).pairs()
    for name, value in pairs:
        if mask.is_spent():
            return
        if isinstance(value, str) and len(value) >= SHORTEST_FOUND and mask.is_secret(name):
            yield value


def _members(value: object) -> Iterator[tuple[str, object]]:
    """List the members of all objects in a JSON value."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            yield from one.items()
            left += one.values()
        elif isinstance(one, list):
            left += one
