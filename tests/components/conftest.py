from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from apim_emulator.azure import Cloud
from apim_emulator.clock import Clock
from components import OpenAIAccount

GROUP = "rg"
SERVICE = "apim"


class Azure:
    """A cloud in which an API's surroundings exist already: a service, accounts and a backend."""

    def __init__(self, cloud: Cloud | None = None) -> None:
        self.cloud = cloud or Cloud()
        self.create("resources:ResourceGroup", {"location": "swedencentral"})
        service = {
            "serviceName": SERVICE,
            "location": "swedencentral",
            "sku": {"name": "StandardV2", "capacity": 1},
            "publisherName": "Contoso",
            "publisherEmail": "ai@contoso.com",
            "identity": {"type": "SystemAssigned"},
        }
        outputs = self.create("apimanagement:ApiManagementService", service)[1]
        self.principal_id: str = outputs["identity"]["principalId"]
        backend = {
            "backendId": "openai-backend",
            "type": "Single",
            "protocol": "http",
            "url": "https://a.example/openai",
        }
        self.create("apimanagement:Backend", {"serviceName": SERVICE, **backend})

    def create(self, token: str, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        return self.cloud.create(f"azure-native:{token}", "test", {"resourceGroupName": GROUP, **inputs})

    def account(self, name: str, *, local_auth: bool = True) -> OpenAIAccount:
        inputs = {
            "accountName": name,
            "location": "swedencentral",
            "kind": "OpenAI",
            "sku": {"name": "S0"},
            "properties": {"customSubDomainName": name, "disableLocalAuth": not local_auth},
        }
        account_id, _ = self.create("cognitiveservices:Account", inputs)
        return OpenAIAccount(key=name, id=account_id, url=f"https://{name}.openai.azure.com/openai")

    def vault(self, name: str, *, rbac: bool = True) -> str:
        properties: dict[str, Any] = {
            "tenantId": self.cloud.tenant_id,
            "sku": {"family": "A", "name": "standard"},
            "enableRbacAuthorization": rbac,
            **({} if rbac else {"accessPolicies": []}),
        }
        inputs = {"vaultName": name, "location": "swedencentral", "properties": properties}
        return self.create("keyvault:Vault", inputs)[0]

    def group(self, name: str = "research") -> str:
        """Object ID of a security group."""
        inputs = {"displayName": name, "securityEnabled": True}
        return str(self.cloud.create("azuread:index/group:Group", name, inputs)[1]["objectId"])

    def api_args(self, *accounts: OpenAIAccount, **more: Any) -> Any:
        """Inputs that all API components share; untyped, since each component takes some of its own."""
        return {
            "resource_group_name": GROUP,
            "service_name": SERVICE,
            "path": "team/openai",
            "backend_id": "openai-backend",
            "accounts": list(accounts),
            "principal_id": self.principal_id,
            **more,
        }


@pytest.fixture
def azure() -> Azure:
    return Azure()


@pytest.fixture
def clock() -> Clock:
    return Clock(1_700_000_000)


@pytest.fixture
def slept(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that the program waited, which pass on the cloud's clock."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        clock.advance(seconds)

    monkeypatch.setattr("components._waiting.sleep", sleep)
    return waits


def exporting(build: Callable[[], Any], *outputs: str) -> Callable[[], None]:
    """Run `build` and export some outputs of what it makes."""

    def program() -> None:
        component = build()
        for name in outputs:
            value = getattr(component, name)
            if value is not None:
                pulumi.export(name, value)

    return program
