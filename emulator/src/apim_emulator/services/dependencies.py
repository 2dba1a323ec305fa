"""Stand-ins for what a policy document depends on: token providers, content safety, embeddings."""

import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import urlsplit

from aiohttp import web

from apim_emulator.clock import Clock
from apim_emulator.gateway.loading.document import Node
from apim_emulator.gateway.loading.effective import own_sections
from apim_emulator.gateway.standalone import IDENTITIES
from apim_emulator.gateway.tokens.requirements import (
    TokenRequirement,
    all_token_requirements,
    token_requirements,
)
from apim_emulator.listening import serve
from apim_emulator.model import Backend, Gateway, ManagedIdentity, ModelDeployment
from apim_emulator.network import Network
from apim_emulator.services.azure_openai.embeddings import embeddings
from apim_emulator.services.azure_openai.exceptions import AzureOpenAIError
from apim_emulator.services.content_safety import ContentSafety
from apim_emulator.services.openid.stand_ins import ProviderStandIns, as_openid_requirement
from apim_emulator.services.signing import InvalidTokenError
from apim_emulator.services.token_client import Caller

_MODEL = ModelDeployment(name="embeddings", model="text-embedding-3-small")
_MAX_BODY = 1024 * 1024
_SAFETY_KEY = "Ocp-Apim-Subscription-Key"


@dataclass(frozen=True, kw_only=True, slots=True)
class References:
    """Names that policies refer to; what an expression gives is not known."""

    backends: frozenset[str]
    """Backends that calls are forwarded to."""
    content_safety: frozenset[str]
    """Backends of `llm-content-safety`."""
    embeddings: frozenset[str]
    """Backends of the semantic cache."""
    client_ids: frozenset[str]
    """User-assigned identities."""


def references(gateway: Gateway) -> References:
    """Read all documents of a service; raises `PolicyLoadError`."""
    nodes = list(_nodes(own_sections(gateway, gateway.named_values)))
    safety_checks = [node for node in nodes if node.name == "llm-content-safety"]
    authentications = [node for node in nodes if node.name == "authentication-managed-identity"]
    return References(
        backends=_values((node for node in nodes if node.name != "llm-content-safety"), "backend-id"),
        content_safety=_values(safety_checks, "backend-id"),
        embeddings=_values(nodes, "embeddings-backend-id"),
        client_ids=_values(authentications, "client-id"),
    )


def _values(nodes: Iterable[Node], attribute: str) -> frozenset[str]:
    found = (node.attributes.get(attribute, "") for node in nodes)
    return frozenset(one for one in found if one and not one.strip().startswith("@"))


def _nodes(sections: Iterable[Iterable[Node]]) -> Iterator[Node]:
    def walk(nodes: Iterable[Node]) -> Iterator[Node]:
        for node in nodes:
            yield node
            yield from walk(node.children)

    for nodes in sections:
        yield from walk(nodes)


class DependencyStandIns:
    """Stand-ins for what documents refer to, and the `TokenSource` of their managed identities.

    Each provider of tokens, Microsoft Entra tenants among them, issues tokens of its own keys alone. Content
    safety finds the trigger words of `apim_emulator.services.content_safety`.
    """

    def __init__(
        self,
        network: Network,
        clock: Clock,
        allowed: Iterable[str] = (),
        blocklists: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        """Stand in for none of the `allowed` hosts: they are called as they are. `blocklists` have terms by name."""
        self._providers = ProviderStandIns(network, clock)
        self._allowed = frozenset(host.lower() for host in allowed)
        self._blocklists = blocklists
        self._safety_key = secrets.token_urlsafe(24)
        self._url = ""

    async def start(self, stack: AsyncExitStack) -> None:
        """Serve what needs no document, until the stack is closed."""
        app = web.Application(client_max_size=_MAX_BODY)
        app.add_subapp("/safety/", ContentSafety(_no_token, (self._safety_key,), self._blocklists).app)
        app.router.add_post("/embeddings", _embed)
        self._url = await serve(stack, app)

    async def serve_providers(self, gateway: Gateway, stack: AsyncExitStack) -> None:
        """Stand in for the providers that the policies of a gateway name."""
        wanted = map(as_openid_requirement, all_token_requirements(gateway))
        await self._providers.serve(stack, [one for one in wanted if not self._is_allowed(one)])

    def token_requirements(self, gateway: Gateway, api_id: str) -> list[TokenRequirement]:
        """List the tokens that an API's policies require, those of Entra tenants as of any other provider."""
        return list(map(as_openid_requirement, token_requirements(gateway, api_id)))

    def _is_allowed(self, requirement: TokenRequirement) -> bool:
        return bool({urlsplit(url).hostname for url in requirement.openid_config_urls} & self._allowed)

    def callers(self, gateway: Gateway, api_id: str) -> list[Caller]:
        """List who can get a token; those of a second requirement have its number in their names."""
        found = []
        for number, requirement in enumerate(self.token_requirements(gateway, api_id), 1):
            suffix = "" if number == 1 else f"-{number}"
            found += [replace(one, name=f"{one.name}{suffix}") for one in self._providers.callers(requirement)]
        return found

    def backends(
        self, wanted: References, given: Mapping[str, str], default: str, known: Mapping[str, Backend] | None = None
    ) -> tuple[Backend, ...]:
        """Make the backends of documents: as they are given, else as they are known, else a stand-in or the default.

        Where any are `known`, what documents name beside those and those `given` does not exist.
        """
        found = dict(known or {name: Backend(id=name, url=default) for name in wanted.backends})
        for kind, names in (("embeddings", wanted.embeddings), ("safety", wanted.content_safety)):
            header = {_SAFETY_KEY: (self._safety_key,)} if kind == "safety" else {}
            for name in names - wanted.backends:
                if known is None or (name in known and known[name].url == default):
                    found[name] = Backend(id=name, url=f"{self._url}/{kind}", header=header)
        for name, url in given.items():
            found[name] = replace((known or {}).get(name, Backend(id=name)), url=url, members=())
        return tuple(found[name] for name in sorted(found))

    def describe(self, backend: Backend) -> str:
        """Say what answers for a backend: a stand-in, or its URL."""
        kinds = {"embeddings": "embeddings of a stand-in", "safety": "a stand-in for Azure AI Content Safety"}
        return kinds.get((backend.url or "").removeprefix(f"{self._url}/"), backend.url or "")

    def managed_identity_token(self, principal_id: str, resource: str) -> tuple[str, float]:
        """Issue a token that nothing but this emulator accepts: it is not even signed."""
        return f"identity-token.{principal_id}.{resource}", float("inf")


def managed_identities(client_ids: Iterable[str]) -> tuple[ManagedIdentity, ...]:
    """Make the system-assigned identity and the user-assigned ones that a document names."""
    own = (ManagedIdentity(principal_id=one, client_id=one, system_assigned=False) for one in sorted(client_ids))
    return (*IDENTITIES, *own)


def _no_token(_token: str) -> Mapping[str, object]:
    raise InvalidTokenError("only the key is accepted")


async def _embed(request: web.Request) -> web.Response:
    try:
        body = json.loads(await request.read())
        found = embeddings(_MODEL, body if isinstance(body, dict) else {}, 0)
        return web.json_response(found, dumps=partial(json.dumps, default=list))  # vectors are arrays
    except AzureOpenAIError as refused:
        return web.json_response(refused.body, status=refused.status)
    except (ValueError, RecursionError):
        return web.json_response({"error": {"message": "not JSON"}}, status=400)
