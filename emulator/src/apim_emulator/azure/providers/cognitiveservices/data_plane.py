"""Accounts as the data plane sees them."""

from urllib.parse import urlsplit

from apim_emulator.azure.providers.cognitiveservices import ACCOUNT, DEPLOYMENT, OPENAI_ENDPOINT
from apim_emulator.azure.state import Properties, Resource, State
from apim_emulator.model import Account, ModelDeployment


def accounts(state: State) -> tuple[Account, ...]:
    """Accounts with an endpoint of their own; those without a custom subdomain accept no Microsoft Entra token."""
    return tuple(
        Account(
            id=account.id,
            host=_openai_host(account.outputs["properties"]),
            safety_host=_safety_host(account),
            keys=(account.private["keys"][0], account.private["keys"][1]),
            local_auth=not account.outputs["properties"]["disableLocalAuth"],
            public_access=account.outputs["properties"].get("publicNetworkAccess") != "Disabled",
            deployments=tuple(_model(deployment) for deployment in state.of(DEPLOYMENT, under=account.id)),
        )
        for account in state.of(ACCOUNT)
        if "customSubDomainName" in account.outputs["properties"]
    )


def _openai_host(properties: Properties) -> str:
    """Host of Azure OpenAI's operations; a Foundry resource has others beside it."""
    url = properties.get("endpoints", {}).get(OPENAI_ENDPOINT, properties["endpoint"])
    return str(urlsplit(url).hostname)


def _safety_host(account: Resource) -> str | None:
    """Host of Azure AI Content Safety's operations, which a Foundry resource has as well."""
    if account.outputs["kind"] == "OpenAI":
        return None
    return str(urlsplit(account.outputs["properties"]["endpoint"]).hostname)


def _model(deployment: Resource) -> ModelDeployment:
    model = deployment.outputs["properties"]["model"]
    return ModelDeployment(name=deployment.name, model=model["name"], version=model.get("version"))
