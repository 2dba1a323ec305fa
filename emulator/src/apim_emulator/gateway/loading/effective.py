"""The effective policy of an API: what its documents of all scopes come to."""

from collections.abc import Iterable, Mapping
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
