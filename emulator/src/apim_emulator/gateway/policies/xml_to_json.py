"""`xml-to-json`: makes JSON of a body in XML."""

import asyncio
from xml.parsers.expat import ExpatError

from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.failures import internal_error
from apim_emulator.gateway.http.bodies import decoded
from apim_emulator.gateway.loading.element import Element
from apim_emulator.gateway.loading.policy import Policy, Run, Site
from apim_emulator.gateway.xml_json import json_of_xml, media_type

_MOST = 4 * 1024 * 1024
_AT_ONCE = 16 * 1024
"""Bytes of a document that is converted at once; a larger one is converted beside other calls."""


def _compile(element: Element, site: Site) -> Run:
    element.only("kind")
    if not element.has("kind"):
        element.refuse("attribute is missing", "kind")
    apply = element.word("apply", ("always", "content-type-xml"))
    considers_accept = element.boolean("consider-accept-header", True)
    arrays = element.boolean("always-array-child-elements", False)
    on_request = site.section in {"inbound", "backend"}

    async def run(exchange: Exchange) -> None:
        context = exchange.context
        headers = context.request.headers if on_request else exchange.response.headers
        only_xml, several = apply(context) == "content-type-xml", arrays(context)
        if considers_accept(context) and not _asks_for_json(context.request.headers.getall("Accept", [])):
            return
        if only_xml and media_type(headers.get("Content-Type", "")) != "xml":
            return
        body = await (exchange.read_request() if on_request else exchange.read_response())
        try:
            data = decoded(body, headers, _MOST)
            text = (
                json_of_xml(data, several)
                if len(data) <= _AT_ONCE
                else await asyncio.to_thread(json_of_xml, data, several)
            )
        except (ValueError, ExpatError) as error:
            raise internal_error("BodyNotReadable", f"the body is no XML that can be converted: {error}") from None
        if on_request:
            exchange.replace_request_body(text.encode())
        else:
            exchange.replace_response_body(text.encode())
        headers["Content-Type"] = "application/json"

    return run


def _asks_for_json(accepted: list[str]) -> bool:
    """Tell whether `Accept` names JSON (inferred: a range such as `*/*` does not ask for it)."""
    return any(media_type(one) == "json" for value in accepted for one in value.split(","))


POLICY = Policy("xml-to-json", _compile)
