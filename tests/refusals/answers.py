"""What rendered policies can refuse calls with, read from their XML, and which of it has no case."""

import json
import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

from tests.refusals.cases import CASES

HARMLESS = frozenset(
    {
        "authentication-managed-identity",
        "azure-openai-emit-token-metric",
        "base",
        "cache-lookup-value",
        "cache-store-value",
        "choose",
        "emit-metric",
        "forward-request",
        "llm-emit-token-metric",
        "llm-semantic-cache-lookup",
        "llm-semantic-cache-store",
        "retry",
        "return-response",
        "rewrite-uri",
        "set-backend-service",
        "set-body",
        "set-header",
        "set-query-parameter",
        "set-variable",
        "trace",
    }
)
"""Policies that end no call themselves, apart from `return-response`, whose answers are looked at one by one. What goes
wrong in one, such as an expression that fails, is a 500 of the gateway."""
SECTIONS = ("inbound", "backend", "outbound", "on-error")
_CODES = {"@(context.Response.StatusCode)": 429}
"""Statuses that are expressions: of an account that was tried last, whose other status is 503."""


def unlisted(document: str) -> list[str]:
    """Return the answers and the refusing policies of a document that no case has."""
    return [problem for node in _policies(ET.fromstring(document)) for problem in _unlisted(node)]


def _policies(root: ET.Element) -> Iterator[ET.Element]:
    """Yield each policy, also those inside others."""
    pending = [node for name in SECTIONS for node in root.findall(f"{name}/*")]
    while pending:
        node = pending.pop()
        yield node
        inner = [child for branch in node if branch.tag in {"when", "otherwise"} for child in branch]
        pending += [*inner, *(list(node) if node.tag == "retry" else [])]


def _unlisted(node: ET.Element) -> Iterator[str]:
    if node.tag == "return-response":
        status, text = node.find("set-status"), node.findtext("set-body") or ""
        code = "200" if status is None else status.get("code", "")
        if not any(_tells(case.status, case.code, case.message, code, text) for case in CASES if case.by == "policy"):
            yield f"return-response {code} {text}"
    elif node.tag not in HARMLESS and not any(node.tag in case.policies for case in CASES):
        yield node.tag


def _tells(status: int, code: str | None, message: str, given: str, text: str) -> bool:
    if str(_CODES.get(given, given)) != str(status):
        return False
    body = json.loads(text)
    error = body.get("error", body)
    return (error.get("code") or None) == code and matches(message, error["message"])


def matches(message: str, text: str) -> bool:
    """Return whether a text is what a case says, `…` standing for anything."""
    return re.fullmatch(re.escape(message).replace("…", ".+"), text, re.DOTALL) is not None
