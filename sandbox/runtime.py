"""The sandbox: the cloud, the gateway and the services around it, on this machine."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Never, Self
from urllib.parse import urlsplit

from apim_emulator.azure import Cloud
from apim_emulator.clock import Clock
from apim_emulator.errors import EmulatorError
from apim_emulator.gateway import GatewayServer, PolicyLoadError, Recorder, TokenRequirement, token_requirements
from apim_emulator.listening import serve
from apim_emulator.model import Api, Gateway, Reach, Subscription
from apim_emulator.network import Network
from apim_emulator.pulumi.deploy import Deployment, Project, deploy
from apim_emulator.services.azure_monitor import AzureMonitor
from apim_emulator.services.azure_openai import OPENAI_USER, AzureOpenAI
from apim_emulator.services.content_safety import COGNITIVE_SERVICES_USER, ContentSafety
from apim_emulator.services.entra import Entra
from apim_emulator.services.openid.stand_ins import ProviderStandIn, ProviderStandIns
from apim_emulator.services.token_client import Caller
from apim_emulator.tracing import TraceRecorder
from apim_emulator.tracing.server import TraceServer
from sandbox.callers import Callers
from sandbox.existing import create_existing
from sandbox.spend import SpendServer, deployed_prices, spent

_POLL = 0.2
"""Seconds between two checks of the cloud's version."""

_NO_SERVICE = Gateway(name="", sku="", apis=())


def deploy_to(
    cloud: Cloud, project: Project, config: Mapping[str, Any], stack: str, after: Deployment | None = None
) -> Deployment:
    """Run a project's program with `config` (full keys) against a cloud, as an update of `after` if it is given.

    Resources that the config adopts are created first. Raises what `apim_emulator.pulumi.deploy.deploy` raises.
    """
    create_existing(cloud, config)
    return deploy(project.program, config, cloud, project=project.name, stack=stack, after=after)


def deployed_services(cloud: Cloud, deployment: Deployment) -> list[Gateway]:
    """List the API Management services that have APIs, first the one whose URL a program exports as `gatewayUrl`.

    Where none has APIs, all are listed. Raises `EmulatorError` if there is none.
    """
    services = cloud.gateways()
    if not services:
        raise EmulatorError("the program deploys no API Management service, so there is nothing to serve")
    exported = urlsplit(str(deployment.outputs.get("gatewayUrl"))).hostname
    found = [service for service in services if service.apis or exported in service.hosts]
    return sorted(found or services, key=lambda service: exported not in service.hosts)


def api_name(api: Api, service: Gateway, services: Sequence[Gateway]) -> str:
    """Return what an API of one of these services is called here: its ID, after its service's name if several exist."""
    return api.id if len(services) == 1 else f"{service.name}/{api.id}"


def subscription_of(service: Gateway, api_id: str) -> Subscription | None:
    """Return the subscription that was created for an API's callers, or else the first of a team's."""
    scope = f"/apis/{api_id}"
    own = [found for found in service.subscriptions if found.active and found.scope == scope]
    return next(iter([*own, *product_subscriptions(service, api_id)]), None)


def product_subscriptions(service: Gateway, api_id: str) -> list[Subscription]:
    """Return the subscriptions that somebody asked for of products with an API, such as those of teams."""
    scopes = {f"/products/{product.id}" for product in service.products if api_id in product.api_ids}
    return [found for found in service.subscriptions if found.active and found.scope in scopes and not found.unasked]


@dataclass(frozen=True, kw_only=True, slots=True)
class Served:
    """An API Management service and where its gateway listens."""

    service: Gateway
    url: str
    """Without a trailing slash; for callers in its virtual network, if the internet does not reach it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ServedApi:
    """An API, as it is served."""

    name: str
    """What `api_name` calls it."""
    api: Api
    service: Gateway
    url: str
    """Without a trailing slash."""


@dataclass(kw_only=True, slots=True)
class _Listener:
    """A port of the sandbox, and the gateway behind it."""

    gateway: GatewayServer
    url: str
    """For callers on the internet."""
    network_url: str
    """For callers in the gateway's virtual network."""
    service: Gateway = _NO_SERVICE

    def load(self, service: Gateway) -> None:
        """Serve a service from the next call on. Raises `PolicyLoadError`; what was served before then stays."""
        self.gateway.load(service)
        self.service = service


class Sandbox:
    """A cloud and everything that serves it; an asynchronous context manager."""

    def __init__(
        self,
        *,
        cloud: Cloud | None = None,
        port: int = 0,
        clock: Clock | None = None,
        recorder: Recorder | None = None,
        trace: bool = False,
        blocklists: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        """Serve the first gateway on `port` once entered, and others on the next ones; 0 is any free port.

        `recorder` is called for each call of theirs.

        `blocklists` are those of Azure AI Content Safety, by name, with their terms; every account has them.

        With `trace`, traces of the last calls are kept and shown at `trace_url`.
        """
        self.clock = clock or Clock()
        self.cloud = cloud or Cloud()
        self.callers = Callers.register(self.cloud)
        self.entra = Entra(self.cloud, self.clock)
        self.openai = AzureOpenAI(self.cloud, self.entra, self.clock)
        self.content_safety = ContentSafety(
            self.entra.verify, blocklists=blocklists, allowed=self._may_check, is_public=self._is_public
        )
        self.network = Network()
        self._recorder = recorder
        self._tracer = TraceRecorder() if trace else None
        self._traces = None if self._tracer is None else TraceServer(self._tracer)
        self.telemetry = AzureMonitor(self.cloud, self.clock)
        """What the gateways' diagnostics sent to Log Analytics workspaces, by table."""
        self._providers = ProviderStandIns(self.network, self.clock)
        self.entra_url = ""
        """Where Microsoft Entra ID listens."""
        self.trace_url: str | None = None
        """Page with the traces of the last calls, or None if none are kept."""
        self.telemetry_url = ""
        """Where other processes learn what was spent, with a slash at its end."""
        self._spend = SpendServer(lambda: spent(self.telemetry.table("AppMetrics"), deployed_prices(self.cloud)))
        self._port = port
        self._deployment: Deployment | None = None
        self._listeners: list[_Listener] = []
        self._loaded: list[_Listener] = []
        self._hosts: dict[str, str] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Start the servers; the gateway has no API yet. Raises `EmulatorError` if the port is in use."""
        try:
            await self._listen()
            self.entra_url = await serve(self._stack, self.entra.app)
            if self._traces is not None:
                self.trace_url = f"{await serve(self._stack, self._traces.app)}{self._traces.path}"
            self.telemetry_url = f"{await serve(self._stack, self._spend.app)}{self._spend.path}"
            self.network.route("login.microsoftonline.com", self.entra_url)
            for host, service in (
                ("*.openai.azure.com", self.openai),
                ("*.cognitiveservices.azure.com", self.content_safety),
            ):
                public = await serve(self._stack, service.app)
                self.network.route(host, public, await serve(self._stack, service.private_app))
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop all servers."""
        await self._stack.aclose()

    async def deploy(self, project: Project, config: Mapping[str, Any], stack: str = "sandbox") -> Deployment:
        """Run a project's program with `config` (full keys), and let a gateway serve each service that it deployed.

        Called again, it updates what was deployed before, which is served until the update is done.

        Only one sandbox in a process can deploy at a time. Raises what `deploy_to` raises, and `PolicyLoadError` for a
        policy document that the gateway cannot run.
        """
        self._deployment = await asyncio.to_thread(deploy_to, self.cloud, project, config, stack, self._deployment)
        await self.reload()
        return self._deployment

    async def follow(self, changed: Callable[[str | None], None]) -> Never:
        """Serve what the engine deploys to the cloud, and follow its changes, until cancelled.

        A call in progress is not affected by a change. `changed` is called after each change with None, or with the
        reason why a gateway still serves the previous state.
        """
        version = -1
        while True:
            found = await asyncio.to_thread(lambda: self.cloud.version)
            if found != version:
                version = found
                try:
                    services = await asyncio.to_thread(self.cloud.gateways)
                    await self._load([service for service in services if service.apis])
                except (PolicyLoadError, EmulatorError) as error:
                    changed(str(error))
                else:
                    changed(None)
            await asyncio.sleep(_POLL)

    async def reload(self) -> None:
        """Let the gateways serve what was changed on the cloud directly, and not by a deployment."""
        await self._load(deployed_services(self.cloud, self.deployment))

    async def _load(self, services: Sequence[Gateway]) -> None:
        """Serve these services, each on the port that it has already, and nothing on the ports of others.

        They reach each other by their host names, as from the internet.
        """
        named = {listener.service.name: listener for listener in self._listeners}
        free = [listener for listener in self._listeners if listener.service.name not in {one.name for one in services}]
        loaded = []
        for service in services:
            listener = named.get(service.name) or (free.pop(0) if free else await self._listen())
            listener.load(service)
            loaded.append(listener)
        for listener in free:
            listener.load(_NO_SERVICE)
        for host in self._hosts:
            self.network.forget(host)
        self._hosts = {host: listener.url for listener in loaded for host in listener.service.hosts}
        for host, url in self._hosts.items():
            self.network.route(host, url)
        self._loaded = loaded
        wanted = [
            requirement
            for service in services
            for api in service.apis
            for requirement in token_requirements(service, api.id)
        ]
        await self._providers.serve(self._stack, wanted)

    async def _listen(self) -> _Listener:
        """Open the next port, with a gateway that has nothing to serve."""
        gateway = GatewayServer(
            self.network, self.entra, self.clock, self._recorder, self._tracer, monitor=self.telemetry
        )
        server = await self._stack.enter_async_context(gateway.running())
        port = self._port and self._port + len(self._listeners)
        url, network_url = await serve(self._stack, server, port), await serve(self._stack, gateway.inside())
        listener = _Listener(gateway=gateway, url=url, network_url=network_url)
        self._listeners.append(listener)
        return listener

    @property
    def deployment(self) -> Deployment:
        """The exports and registrations of the program."""
        if self._deployment is None:
            raise EmulatorError("nothing is deployed yet")
        return self._deployment

    @property
    def services(self) -> list[Served]:
        """The API Management services that are served, in their current state."""
        current = {service.name: service for service in self.cloud.gateways()} if self._deployment else {}
        return [
            Served(service=service, url=found.url if service.from_internet is Reach.ANSWERED else found.network_url)
            for found in self._loaded
            for service in [current.get(found.service.name, found.service)]
        ]

    @property
    def apis(self) -> list[ServedApi]:
        """The APIs that are served, in their current state."""
        served = self.services
        services = [found.service for found in served]
        return [
            ServedApi(
                name=api_name(api, found.service, services),
                api=api,
                service=found.service,
                url=f"{found.url}/{api.path}",
            )
            for found in served
            for api in found.service.apis
        ]

    @property
    def service(self) -> Gateway:
        """The current state of the first API Management service that is served."""
        if not self._loaded:
            raise EmulatorError("nothing is deployed yet")
        return self.services[0].service

    @property
    def gateway(self) -> GatewayServer:
        """The gateway of the first service."""
        return (self._loaded or self._listeners)[0].gateway

    @property
    def url(self) -> str:
        """Where the gateway of the first service listens for callers on the internet, without a trailing slash."""
        return (self._loaded or self._listeners)[0].url

    @property
    def network_url(self) -> str:
        """Where it listens for callers in its virtual network."""
        return (self._loaded or self._listeners)[0].network_url

    @property
    def providers(self) -> Mapping[str, ProviderStandIn]:
        """Stand-ins for the OpenID Connect providers of the deployed policies, by configuration URL."""
        return self._providers.by_url

    def callers_of(self, requirement: TokenRequirement) -> list[Caller]:
        """List the callers that can get a token of such a provider for a requirement."""
        return self._providers.callers(requirement)

    @property
    def token_url(self) -> str:
        """Token endpoint of the home tenant."""
        return f"{self.entra_url}/{self.cloud.tenant_id}/oauth2/v2.0/token"

    def _may_check(self, host: str, principal_id: str) -> bool:
        """Return whether a principal may call Azure AI Content Safety at a host."""
        return any(
            account.safety_host == host.lower()
            and self.cloud.has_role(principal_id, COGNITIVE_SERVICES_USER, account.id)
            for account in self.cloud.accounts()
        )

    def _is_public(self, host: str) -> bool:
        """Return whether an account of Azure AI Content Safety answers the internet."""
        return all(account.public_access for account in self.cloud.accounts() if account.safety_host == host.lower())

    def revoke_roles(self) -> None:
        """Remove all assignments of the role *Cognitive Services OpenAI User*."""
        for registration in self.deployment.registrations:
            if registration.type == "azure-native:authorization:RoleAssignment" and registration.inputs[
                "roleDefinitionId"
            ].endswith(OPENAI_USER):
                self.cloud.delete(registration.id)
