"""The sandbox: the cloud, the gateway and the services around it, on this machine."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Never, Self
from urllib.parse import urlsplit

from apim_emulator.azure import Cloud
from apim_emulator.clock import Clock
from apim_emulator.errors import EmulatorError
from apim_emulator.gateway import GatewayServer, PolicyLoadError, Recorder, TokenRequirement, token_requirements
from apim_emulator.listening import serve
from apim_emulator.model import Gateway, Subscription
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


def deploy_to(
    cloud: Cloud, project: Project, config: Mapping[str, Any], stack: str, after: Deployment | None = None
) -> Deployment:
    """Run a project's program with `config` (full keys) against a cloud, as an update of `after` if it is given.

    Resources that the config adopts are created first. Raises what `apim_emulator.pulumi.deploy.deploy` raises.
    """
    create_existing(cloud, config)
    return deploy(project.program, config, cloud, project=project.name, stack=stack, after=after)


def only_service(cloud: Cloud) -> Gateway | None:
    """Return the API Management service that has APIs, or None if none has. Raises `EmulatorError` if two have."""
    found = [service for service in cloud.gateways() if service.apis]
    if len(found) > 1:
        names = ", ".join(service.name for service in found)
        raise EmulatorError(f"the sandbox serves one API Management service, and {names} have APIs; destroy one stack")
    return found[0] if found else None


def deployed_service(cloud: Cloud, deployment: Deployment) -> Gateway:
    """Return the API Management service that a program deployed to, found by its export `gatewayUrl`."""
    host = urlsplit(str(deployment.outputs.get("gatewayUrl"))).hostname
    for service in cloud.gateways():
        if host == f"{service.name.lower()}.azure-api.net":
            return service
    raise EmulatorError(
        "the program has no export gatewayUrl of an API Management service; export ApiGateway.gateway_url"
    )


def subscription_of(service: Gateway, api_id: str) -> Subscription | None:
    """Return the subscription that was created for an API's callers."""
    scope = f"/apis/{api_id}"
    return next((found for found in service.subscriptions if found.active and found.scope == scope), None)


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
        """Serve the gateway on `port` once entered; 0 is any free port. `recorder` is called for each of its calls.

        `blocklists` are those of Azure AI Content Safety, by name, with their terms; every account has them.

        With `trace`, traces of the last calls are kept and shown at `trace_url`.
        """
        self.clock = clock or Clock()
        self.cloud = cloud or Cloud()
        self.callers = Callers.register(self.cloud)
        self.entra = Entra(self.cloud, self.clock)
        self.openai = AzureOpenAI(self.cloud, self.entra, self.clock)
        self.content_safety = ContentSafety(self.entra.verify, blocklists=blocklists, allowed=self._may_check)
        self.network = Network()
        traces = TraceRecorder() if trace else None
        self._traces = None if traces is None else TraceServer(traces)
        self.telemetry = AzureMonitor(self.cloud, self.clock)
        """What the gateway's diagnostics sent to Log Analytics workspaces, by table."""
        self.gateway = GatewayServer(self.network, self.entra, self.clock, recorder, traces, monitor=self.telemetry)
        self._providers = ProviderStandIns(self.network, self.clock)
        self.url = ""
        """Where the gateway listens, without a trailing slash."""
        self.entra_url = ""
        """Where Microsoft Entra ID listens."""
        self.trace_url: str | None = None
        """Page with the traces of the last calls, or None if none are kept."""
        self.telemetry_url = ""
        """Where other processes learn what was spent, with a slash at its end."""
        self._spend = SpendServer(lambda: spent(self.telemetry.table("AppMetrics"), deployed_prices(self.cloud)))
        self._port = port
        self._deployment: Deployment | None = None
        self._served: Gateway | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Start the servers; the gateway has no API yet. Raises `EmulatorError` if the port is in use."""
        try:
            gateway = await self._stack.enter_async_context(self.gateway.running())
            self.url = await serve(self._stack, gateway, self._port)
            self.entra_url = await serve(self._stack, self.entra.app)
            if self._traces is not None:
                self.trace_url = f"{await serve(self._stack, self._traces.app)}{self._traces.path}"
            self.telemetry_url = f"{await serve(self._stack, self._spend.app)}{self._spend.path}"
            self.network.route("login.microsoftonline.com", self.entra_url)
            self.network.route("*.openai.azure.com", await serve(self._stack, self.openai.app))
            self.network.route("*.cognitiveservices.azure.com", await serve(self._stack, self.content_safety.app))
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
        """Run a project's program with `config` (full keys), and let the gateway serve what it deployed.

        Called again, it updates what was deployed before, which the gateway serves until the update is done.

        Only one sandbox in a process can deploy at a time. Raises what `deploy_to` raises, and `PolicyLoadError` for a
        policy document that the gateway cannot run.
        """
        self._deployment = await asyncio.to_thread(deploy_to, self.cloud, project, config, stack, self._deployment)
        await self._load(self.service)
        return self._deployment

    async def follow(self, changed: Callable[[str | None], None]) -> Never:
        """Serve what the engine deploys to the cloud, and follow its changes, until cancelled.

        A call in progress is not affected by a change. `changed` is called after each change with None, or with the
        reason why the gateway still serves the previous state.
        """
        version = -1
        while True:
            found = await asyncio.to_thread(lambda: self.cloud.version)
            if found != version:
                version = found
                try:
                    service = await asyncio.to_thread(only_service, self.cloud)
                    await self._load(service or Gateway(name="", sku="", apis=()))
                except (PolicyLoadError, EmulatorError) as error:
                    changed(str(error))
                else:
                    changed(None)
            await asyncio.sleep(_POLL)

    async def reload(self) -> None:
        """Let the gateway serve what was changed on the cloud directly, and not by a deployment."""
        await self._load(self.service)

    async def _load(self, service: Gateway) -> None:
        self.gateway.load(service)
        self._served = service
        wanted = [requirement for api in service.apis for requirement in token_requirements(service, api.id)]
        await self._providers.serve(self._stack, wanted)

    @property
    def deployment(self) -> Deployment:
        """The exports and registrations of the program."""
        if self._deployment is None:
            raise EmulatorError("nothing is deployed yet")
        return self._deployment

    @property
    def service(self) -> Gateway:
        """The current state of the API Management service that is served."""
        if self._deployment is not None:
            return deployed_service(self.cloud, self._deployment)
        if self._served is None:
            raise EmulatorError("nothing is deployed yet")
        return self._served

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

    def revoke_roles(self) -> None:
        """Remove all assignments of the role *Cognitive Services OpenAI User*."""
        for registration in self.deployment.registrations:
            if registration.type == "azure-native:authorization:RoleAssignment" and registration.inputs[
                "roleDefinitionId"
            ].endswith(OPENAI_USER):
                self.cloud.delete(registration.id)
