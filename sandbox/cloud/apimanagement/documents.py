"""Policy documents as API Management checks them when they are saved: well formed, and every reference known."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lxml import etree

from sandbox.cloud.errors import CloudError, invalid

_NAMED_VALUE = re.compile(r"\{\{\s*([A-Za-z0-9._-]+)\s*\}\}")
_SECTIONS = frozenset({"inbound", "backend", "outbound", "on-error"})
_KB = 1024

_REFERENCES = {"set-backend-service": "backend-id", "include-fragment": "fragment-id"}
"""Policies that name another resource by a literal attribute."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Something that a document names and that must exist."""

    kind: str
    """`named-value`, `backend-id` or `fragment-id`."""
    name: str
    line: int | None = None


def named_values(text: str) -> list[str]:
    """Display names of the named values that a text refers to as `{{name}}`."""
    return _NAMED_VALUE.findall(text)


def references(text: str) -> Iterator[Reference]:
    """Find what a checked document refers to; what an expression computes is not known before it runs."""
    for number, line in enumerate(text.splitlines(), 1):
        for name in named_values(line):
            yield Reference("named-value", name, number)
    for element in _parse(text).iter(*_REFERENCES):
        attribute = _REFERENCES[str(element.tag)]
        named = element.get(attribute)
        if named and not named.startswith("@") and not named_values(named):
            yield Reference(attribute, named, element.sourceline)


def check(text: str, content_format: str, *, root: str, sku: str) -> None:
    """Refuse a document that API Management would not save, with the line.

    `rawxml`, in which expressions are not escaped, is taken when it is well-formed XML all the same.
    """
    if content_format not in {"xml", "rawxml"}:
        raise invalid(f"format {content_format!r}: the sandbox downloads nothing; use xml", "format")
    limit = (16 if sku == "Consumption" else 256) * _KB
    if len(text.encode()) > limit:
        raise invalid(f"the policy document is larger than the {limit // _KB} KiB that {sku} takes", "value")
    document = _parse(text)
    if document.tag != root:
        raise invalid(f"line {document.sourceline}: the root element is <{document.tag!s}>, not <{root}>", "value")
    if root == "policies":
        _check_sections(document)


def _check_sections(document: etree._Element) -> None:
    seen = set()
    for section in document.iterchildren(etree.Element):
        if section.tag not in _SECTIONS or section.tag in seen:
            raise invalid(f"line {section.sourceline}: <{section.tag!s}> is not a section that may stand here", "value")
        seen.add(section.tag)


def _parse(text: str) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        document = etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError as error:
        raise invalid(f"the policy document is not well-formed XML: {error.msg}", "value") from error
    if document.getroottree().docinfo.doctype:
        raise invalid("line 1: a document type declaration may not stand in a policy document", "value")
    return document


def require(text: str, exists: Callable[[Reference], bool]) -> None:
    """Refuse a document with a reference to what does not exist."""
    for reference in references(text):
        if not exists(reference):
            raise _unknown(reference)


def _unknown(reference: Reference) -> CloudError:
    where = f"line {reference.line}: "
    if reference.kind == "named-value":
        return invalid(f"{where}cannot find a property {reference.name!r}; create this named value first", "value")
    return invalid(f"{where}{reference.kind} {reference.name!r} does not exist in the service", "value")
