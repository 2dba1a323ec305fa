"""`mock-response`: ends the pipeline with an example from the API's definition."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from multidict import CIMultiDict

from apim_emulator.gateway.context.objects import Response
from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.failures import Finished
from apim_emulator.gateway.loading.element import Element
from apim_emulator.gateway.loading.policy import Policy, Run, Site
from apim_emulator.gateway.validation.definition import media_type
from apim_emulator.gateway.validation.json_schema import Schemas
from apim_emulator.gateway.witness import note
from apim_emulator.model import Api, Operation


@dataclass(frozen=True, slots=True)
class _Mock:
    """Which example of an operation is wanted."""

    status: int
    content_type: str | None
    """None: the first that the definition has."""
    index: int
    """Place among several examples (the schema alone knows this option)."""

    def of(self, api: Api, operation: Operation) -> tuple[str | None, bytes]:
        """Find content type and body; without an example and a schema there is no body.

        Raises `ValueError`: there is a schema, of which the service makes a sample that is not known.
        """
        schemas = Schemas(api.definition or {})
        paths: Any = (api.definition or {}).get("paths") or {}
        item = schemas.resolved(paths.get(operation.path) or {})
        responses = (item.get(operation.method.lower()) or {}).get("responses") or {}
        contents = schemas.resolved(responses.get(str(self.status)) or {}).get("content") or {}
        for name, media in contents.items():
            if self.content_type is None or media_type(name) == media_type(self.content_type):
                return self.content_type or name, self._body(media or {}, schemas)
        return self.content_type, b""

    def _body(self, media: Mapping[str, Any], schemas: Schemas) -> bytes:
        schema = schemas.resolved(media.get("schema") or {})
        found = [schemas.resolved(example).get("value") for example in (media.get("examples") or {}).values()]
        found += [holder["example"] for holder in (media, schema) if "example" in holder]
        if self.index < len(found):
            example = found[self.index]
            # How it is spaced is inferred.
            return (example if isinstance(example, str) else json.dumps(example)).encode()
        if schema:
            raise ValueError(f"has a schema but no example {self.index}, and the service's sample of it is not known")
        return b""


def _compile(element: Element, site: Site) -> Run:
    enabled = element.flag("enabled", default=True)
    status = element.whole("status-code", 200, 599) or 200
    mock = _Mock(status, element.name("content-type"), element.whole("index", 0, 1000) or 0)
    found: dict[tuple[str, str], tuple[str | None, bytes]] = {}
    for api in site.apis:
        for operation in api.operations:
            try:
                found[api.id, operation.name] = mock.of(api, operation)
            except ValueError as error:
                where = f"response {status} of the API {api.id}, operation {operation.name}"
                raise element.refused(f"{where}: {error}") from None

    async def run(exchange: Exchange) -> None:
        if not enabled:
            note("is not enabled")
            return
        context = exchange.context
        place = None if context.api is None or context.operation is None else (context.api.id, context.operation.id)
        content_type, body = (mock.content_type, b"") if place is None else found[place]
        headers = CIMultiDict[str]() if content_type is None else CIMultiDict({"Content-Type": content_type})
        context.response = Response(status, None, headers, body)
        raise Finished

    return run


POLICY = Policy(
    "mock-response",
    _compile,
    sections=(
        "inbound",
        "outbound",
        "on-error",
    ),
)
