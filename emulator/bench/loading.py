"""Loads one policy document of a repository by itself, with a stand-in for whatever is defined elsewhere."""

import base64
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from apim_emulator.gateway import PolicyLoadError
from apim_emulator.gateway.failures import Problem
from apim_emulator.gateway.loading.document import NAMED_VALUE, SECTIONS
from apim_emulator.gateway.loading.plan import compile_plan
from apim_emulator.gateway.standalone import IDENTITIES, OPERATIONS, format_of
from apim_emulator.model import Api, Backend, Certificate, Gateway, Product
from apim_emulator.testing.certificates import CertificateAuthority
from emulator.bench.placeholders import filled
from emulator.bench.repositories import File, fragment_name

URL = "https://example.com"
_GUID = "00000000-0000-4000-8000-000000000000"
_ISSUED = CertificateAuthority("CN=Made up").issue("CN=made.up")
_PLACES = (
    (re.compile(r"(?:tenant-id=[\"']|login\.microsoftonline\.com/|<application-id>)\s*$"), _GUID),
    (re.compile(r"(?:\b(?:base-url|url)=[\"']|<(?:origin|set-url)>)\s*$"), URL),
    (re.compile(r"<key[^>]*>\s*$"), base64.b64encode(bytes(64)).decode()),
    (re.compile(r"(?:from|to)=[\"']$|<address>\s*$"), "10.0.0.1"),
    (re.compile(r"\btemplate=[\"']$"), "/path"),
    (re.compile(r"\bcondition=[\"']@\(\s*!?$"), "true"),
    (re.compile(r"\bthumbprint=[\"']$"), _ISSUED.thumbprint),
)
"""What must stand before a named value that cannot be just anything, and what it may be."""
_OTHERS = ("1", "true")
_BACKEND = re.compile(r"backend-id\s*=\s*[\"']([^\"'@]+)[\"']")
_CERTIFICATE = re.compile(r"certificate-id\s*=\s*[\"']([^\"'@]+)[\"']")
_THUMBPRINT = re.compile(r"\bthumbprint=[\"'](\{\{)")
_FRAGMENT = re.compile(r"fragment-id\s*=\s*[\"']([^\"']+)[\"']")
_EMPTY = "<fragment/>"
_SCOPES = ("api", "product", "operation", "global")
_SKUS = ("Developer", "BasicV2")
_DEFINITION: dict[str, Any] = {
    "paths": {one.url_template: {each.method.lower(): {} for each in OPERATIONS} for one in OPERATIONS}
}


PLACEHOLDERS = "a placeholder of another tool filled"
NAMED_VALUES = "named values made up"
BACKENDS = "backends made up"
CERTIFICATES = "certificates made up"
FRAGMENTS = "fragments of its repository"
STAND_INS = "an empty fragment for one that its repository has under no such file"
NEEDS = (PLACEHOLDERS, NAMED_VALUES, BACKENDS, CERTIFICATES, FRAGMENTS, STAND_INS)
"""What a document may need to load by itself."""


@dataclass(frozen=True, slots=True)
class Loading:
    """How a document loads, or why it loads nowhere."""

    problems: tuple[Problem, ...] = ()
    needs: frozenset[str] = frozenset()


def load(file: File, fragments: Mapping[str, str]) -> Loading:
    """Load one document wherever it may stand."""
    best: tuple[Problem, ...] = ()
    for text in dict.fromkeys((file.text, *filled(file.text))):
        own = {**fragments, file.name: text} if file.root == "fragment" else fragments
        for document, scope, sku, other in itertools.product(_documents(file, text), _SCOPES, _SKUS, _OTHERS):
            used, standing_in = _used(document, own)
            try:
                compile_plan(_gateway(document, scope, sku, used, other))
            except PolicyLoadError as error:
                if not best or len(error.problems) < len(best):
                    best = error.problems
            else:
                return Loading(needs=frozenset(_needs(file, text, used, standing_in)))
    return Loading(best)


def _needs(file: File, text: str, used: Mapping[str, str], standing_in: bool) -> Iterator[str]:
    texts = (text, *used.values())
    if text != file.given:
        yield PLACEHOLDERS
    if any(NAMED_VALUE.search(one) for one in texts):
        yield NAMED_VALUES
    if any(_BACKEND.search(one) for one in texts):
        yield BACKENDS
    if any(_CERTIFICATE.search(one) or _THUMBPRINT.search(one) for one in texts):
        yield CERTIFICATES
    if any(one != _EMPTY for name, one in used.items() if name != file.name):
        yield FRAGMENTS
    if standing_in:
        yield STAND_INS


def _documents(file: File, text: str) -> Iterable[str]:
    if file.root == "policies":
        return (text,)
    include = f'<include-fragment fragment-id="{file.name}"/>'
    return (f"<policies><{section}>{include}</{section}></policies>" for section in SECTIONS)


def _gateway(document: str, scope: str, sku: str, used: Mapping[str, str], other: str) -> Gateway:
    texts = (document, *used.values())
    values = _named_values(texts, other)
    backends, certificates = (
        sorted({NAMED_VALUE.sub(lambda found: values[found[1]], one) for one in _found(pattern, texts)})
        for pattern in (_BACKEND, _CERTIFICATE)
    )
    own: dict[str, Any] = {"policy": document, "policy_format": format_of(document)}
    operations = tuple(replace(one, **own) for one in OPERATIONS) if scope == "operation" else OPERATIONS
    api = Api(id="api", path="", operations=operations, service_url=URL, definition=_DEFINITION)
    if scope == "api":
        api = replace(api, **own)
    return Gateway(
        name="any",
        sku=sku,
        apis=(api,),
        products=(Product(id="product", api_ids=frozenset({"api"}), **own),) if scope == "product" else (),
        backends=tuple(Backend(id=one, url=URL) for one in backends),
        certificates=tuple(Certificate(id=one, data=_ISSUED.pem_with_key) for one in certificates or ("any",)),
        identities=IDENTITIES,
        named_values=values,
        fragments=used,
        raw_fragments=frozenset(name for name, text in used.items() if format_of(text) == "rawxml"),
        **(own if scope == "global" else {}),
    )


def _used(document: str, fragments: Mapping[str, str]) -> tuple[dict[str, str], bool]:
    """Pick the fragments that a document includes, and those that they include; tells whether one had to be made."""
    used: dict[str, str] = {}
    standing_in = False
    names = list(_found(_FRAGMENT, [document]))
    while names:
        name = names.pop()
        if name not in used:
            text = _fragment(fragment_name(name), fragments)
            standing_in |= text is None
            used[name] = _EMPTY if text is None else text
            names += _found(_FRAGMENT, [used[name]])
    return used, standing_in


def _fragment(name: str, fragments: Mapping[str, str]) -> str | None:
    """Find a fragment by its name, or by the end of it that its file has."""
    ends = [one for one in fragments if name == one or name.endswith(f"-{one}")]
    return fragments[max(ends, key=len)] if ends else None


def _named_values(texts: Iterable[str], other: str) -> dict[str, str]:
    """Make up values that fit the places that ask for them."""
    values: dict[str, str] = {}
    for text in texts:
        for match in NAMED_VALUE.finditer(text):
            before = text[max(match.start() - 60, 0) : match.start()]
            fitting = next((value for place, value in _PLACES if place.search(before)), None)
            if fitting is not None:
                values[match[1]] = fitting
            else:
                values.setdefault(match[1], other)
    return values


def _found(pattern: re.Pattern[str], texts: Iterable[str]) -> Iterator[str]:
    return (match[1] for text in texts for match in pattern.finditer(text))
