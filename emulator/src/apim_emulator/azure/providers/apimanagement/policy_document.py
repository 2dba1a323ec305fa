"""Policy documents as API Management checks them when they are saved: well formed, and every reference known."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lxml import etree

from apim_emulator.azure.exceptions import CloudError, ValidationError
from apim_emulator.gateway.loading.raw_xml import Document, DocumentError, parse

_NAMED_VALUE = re.compile(r"\{\{\s*([A-Za-z0-9._-]+)\s*\}\}")
_SECTIONS = frozenset({"inbound", "backend", "outbound", "on-error"})
_KB = 1024

_REFERENCES = {
    "set-backend-service": {"backend-id": "backend-id"},
    "include-fragment": {"fragment-id": "fragment-id"},
    "authentication-certificate": {"certificate-id": "certificate-id", "thumbprint": "thumbprint"},
    "key": {"certificate-id": "certificate-id"},
    "identity": {"issuer-certificate-id": "certificate-id"},
}
"""Elements that name another resource by a literal attribute, and what kind of name it is."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Something that a document names and that must exist."""

    kind: str
    """`named-value`, `backend-id`, `fragment-id`, `certificate-id` or `thumbprint`."""
    name: str
    line: int | None = None


def named_values(text: str) -> list[str]:
    """Display names of the named values that a text refers to as `{{name}}`."""
    return _NAMED_VALUE.findall(text)


def references(text: str, content_format: str) -> Iterator[Reference]:
    """Find what a checked document refers to; what an expression computes is not known before it runs."""
    for number, line in enumerate(text.splitlines(), 1):
        for name in named_values(line):
            yield Reference("named-value", name, number)
    for element, place in _elements(_parse(text, content_format)):
        for attribute, kind in _REFERENCES.get(str(element.tag), {}).items():
            named = element.get(attribute)
            if named and not named.startswith("@") and not named_values(named):
                yield Reference(kind, named, place)


def check(text: str, content_format: str, *, root: str, sku: str) -> None:
    """Refuse a document that API Management would not save, with the place."""
    if content_format not in {"xml", "rawxml"}:
        raise ValidationError(f"format {content_format!r}: the emulator downloads nothing; use xml or rawxml", "format")
    limit = (16 if sku == "Consumption" else 256) * _KB
    if len(text.encode()) > limit:
        raise ValidationError(f"the policy document is larger than the {limit // _KB} KiB that {sku} takes", "value")
    document = _parse(text, content_format)
    if document.root.tag != root:
        line = document.positions[0][0]
        raise ValidationError(f"line {line}: the root element is <{document.root.tag!s}>, not <{root}>", "value")
    if root == "policies":
        _check_sections(document)


def _check_sections(document: Document) -> None:
    seen = set()
    for section, line in _elements(document):
        if section.getparent() is document.root:
            if section.tag not in _SECTIONS or section.tag in seen:
                raise ValidationError(f"line {line}: <{section.tag!s}> is not a section that may stand here", "value")
            seen.add(section.tag)


def _elements(document: Document) -> Iterator[tuple[etree._Element, int]]:
    """Go through the elements, each with its line in the text as it was given."""
    for element, (line, _) in zip(document.root.iter(), document.positions, strict=True):
        yield element, line


def _parse(text: str, content_format: str) -> Document:
    try:
        return parse(text, raw=content_format == "rawxml")
    except DocumentError as error:
        raise ValidationError(f"the policy document cannot be read: {error}", "value") from error


def require_references(text: str, content_format: str, exists: Callable[[Reference], bool]) -> None:
    """Refuse a document with a reference to what does not exist."""
    for reference in references(text, content_format):
        if not exists(reference):
            raise _unknown(reference)


def _unknown(reference: Reference) -> CloudError:
    where = f"line {reference.line}: "
    if reference.kind == "named-value":
        return ValidationError(
            f"{where}cannot find a property {reference.name!r}; create this named value first", "value"
        )
    if reference.kind == "thumbprint":
        return ValidationError(f"{where}Certificate with thumbprint '{reference.name}' could not be resolved.", "value")
    return ValidationError(f"{where}{reference.kind} {reference.name!r} does not exist in the service", "value")
