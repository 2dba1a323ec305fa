"""Placeholders of other tools in policy documents: what a deployment would put in before the service sees the text."""

import re
from collections.abc import Iterator

_NAME = r"[\w.-]+"
_TERRAFORM = re.compile(rf"\{{\{{\$\{{({_NAME})\}}\}}\}}|\$\{{({_NAME})\}}")
_INNERMOST = re.compile(
    r"""
    %\{\s*~?\s*(?:if|for)\b[^}]*\}
    (?P<first>(?:(?!%\{).)*)
    (?:%\{\s*~?\s*else\b[^}]*\}(?:(?!%\{).)*)?
    %\{\s*~?\s*end(?:if|for)\b[^}]*\}
    """,
    re.VERBOSE | re.DOTALL,
)
_IN_ELEMENTS = re.compile(
    rf"""
    (?P<before>(?:</[\w-]+>|/>|-->|<(?P<parent>[\w-]+)[^<>]*>)\s*)
    (?:\{{\{{(?P<terraform>{_NAME})\}}\}}|\{{(?P<braces>{_NAME})\}})
    (?=\s*<(?P<next>/?[\w!-]+))
    """,
    re.VERBOSE,
)
_VALUE = re.compile(
    rf"""(?P<before>(?P<attribute>[\w-]+)=")(?:\{{(?P<braces>{_NAME})\}}|<(?P<angles>[^<>="]+)>)(?=")"""
    rf"""|(?P<open>>)\{{(?P<text>{_NAME})\}}(?=<)"""
)
_MARKED = re.compile(rf"#\{{({_NAME})\}}#?|\$\(({_NAME})\)|__({_NAME}?)__|(?<=\")#({_NAME})#(?=\")")
_TEMPLATES = frozenset({"template", "copy-unmatched-params"})
_CHILDREN = {
    "allowed-origins": "<origin>https://example.com</origin>",
    "allowed-methods": "<method>GET</method>",
    "audiences": "<audience>any</audience>",
}


def terraform(text: str) -> str:
    """Write Terraform's `${name}` as `{{name}}`, and take the first branch of its conditions, and loops once."""
    while (taken := _INNERMOST.sub(r"\g<first>", text)) != text:
        text = taken
    return _TERRAFORM.sub(lambda found: f"{{{{{found[1] or found[2]}}}}}", text)


def filled(text: str) -> Iterator[str]:
    """Write the placeholders of further tools as `{{name}}` too, then leave out those that stand for elements."""
    values = _MARKED.sub(lambda found: f"{{{{{next(filter(None, found.groups()))}}}}}", _VALUE.sub(_named, text))
    yield values
    yield _IN_ELEMENTS.sub(_elements, values)


def _named(found: re.Match[str]) -> str:
    if found["open"]:
        return f">{{{{{found['text']}}}}}"
    if found["attribute"] in _TEMPLATES:
        return found[0]
    name = found["braces"] or re.sub(r"[^A-Za-z0-9]+", "-", found["angles"]).strip("-")
    return f"{found['before']}{{{{{name}}}}}" if name else found[0]


def _elements(found: re.Match[str]) -> str:
    """Put ordinary elements in the place of a placeholder, unless it is all that an element holds and so a text."""
    parent = found["parent"]
    if parent is not None and parent not in _CHILDREN and found["next"] == f"/{parent}":
        return found[0]
    return found["before"] + _CHILDREN.get(parent or "", "")
