"""The effective policy of an API: what its documents of all scopes come to."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from lxml import etree

from apim_emulator.gateway.failures import PolicyLoadError, Problem, RefusedError
from apim_emulator.gateway.loading.document import EMPTY, GLOBAL, SECTIONS, Node, Reader, sections
from apim_emulator.gateway.loading.plan import RAW, max_size, read_fragments
from apim_emulator.model import Gateway

T = TypeVar("T")


def effective_policy(gateway: Gateway, api_id: str, operation: str | None = None, product: str | None = None) -> str:
    """Compose the document that runs for an API: `<base/>` and fragments inserted, `{{name}}` left as it is.

    Raises what `effective_sections` raises.
    """
    return _text(effective_sections(gateway, api_id, operation, product))


def effective_sections(
    gateway: Gateway,
    api_id: str,
    operation: str | None = None,
    product: str | None = None,
    named_values: Mapping[str, str] | None = None,
) -> dict[str, tuple[Node, ...]]:
    """Compose the policies that run for an API, by section, with these named values put in.

    Raises `LookupError` for an unknown API, operation or product and `PolicyLoadError` for a document that cannot be
    read.
    """
    api = _named((one for one in gateway.apis if one.id == api_id), f"api {api_id}")
    chain = [(GLOBAL, gateway.policy, gateway.policy_format)]
    if product is not None:
        owner = _named((one for one in gateway.products if one.id == product), f"product {product}")
        chain.append((f"product {product}", owner.policy, owner.policy_format))
    chain.append((f"api {api_id}", api.policy, api.policy_format))
    if operation is not None:
        found = _named((one for one in api.operations if one.name == operation), f"operation {operation}")
        chain.append((f"operation {api_id}/{operation}", found.policy, found.policy_format))
    return _composed(gateway, chain, Reader(max_size(gateway), named_values))


def own_sections(gateway: Gateway, named_values: Mapping[str, str] | None = None) -> Iterator[tuple[Node, ...]]:
    """Give the policies of every document of a service by itself, section by section, with fragments inserted.

    Raises `PolicyLoadError` for a document that cannot be read.
    """
    documents = [(GLOBAL, gateway.policy, gateway.policy_format)]
    documents += [(f"product {one.id}", one.policy, one.policy_format) for one in gateway.products]
    for api in gateway.apis:
        documents.append((f"api {api.id}", api.policy, api.policy_format))
        documents += [(f"operation {api.id}/{one.name}", one.policy, one.policy_format) for one in api.operations]
    reader, problems = Reader(max_size(gateway), named_values), list[Problem]()
    fragments = read_fragments(gateway, reader, problems)
    for label, text, text_format in documents:
        try:
            if text is not None:
                yield from sections(reader.read(text, label, raw=text_format == RAW), fragments).values()
        except RefusedError as refused:
            problems.append(refused.problem)
    if problems:
        raise PolicyLoadError(problems)


def _composed(
    gateway: Gateway, chain: list[tuple[str, str | None, str]], reader: Reader
) -> dict[str, tuple[Node, ...]]:
    problems: list[Problem] = []
    fragments = read_fragments(gateway, reader, problems)
    composed: dict[str, tuple[Node, ...]] = dict.fromkeys(SECTIONS, ())
    for label, text, text_format in chain:
        try:
            own = sections(reader.read(text or EMPTY, label, raw=text_format == RAW), fragments)
        except RefusedError as refused:
            problems.append(refused.problem)
            continue
        composed = {
            section: tuple(
                node for child in own[section] for node in (composed[section] if child.name == "base" else (child,))
            )
            for section in SECTIONS
        }
    if problems:
        raise PolicyLoadError(problems)
    return composed


def _text(composed: dict[str, tuple[Node, ...]]) -> str:
    root = etree.Element("policies")
    for section, nodes in composed.items():
        parent = etree.SubElement(root, section)
        for node in nodes:
            _append(parent, node)
    etree.indent(root, "    ")
    return etree.tostring(root, encoding="unicode") + "\n"


def _append(parent: etree._Element, node: Node) -> None:
    element = etree.SubElement(parent, node.name, dict(node.attributes))
    if node.text.strip():
        element.text = node.text
    for child in node.children:
        _append(element, child)


def _named(found: Iterable[T], what: str) -> T:
    for one in found:
        return one
    raise LookupError(f"{what} does not exist")
