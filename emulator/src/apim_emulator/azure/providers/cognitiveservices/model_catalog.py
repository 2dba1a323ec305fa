"""Which models, versions and SKUs a Microsoft.CognitiveServices account deploys, and how it refuses others.

Models and versions: Microsoft's "Model retirement schedule" of 2026-09-02. A model that it does not name may
be newer than it, and is taken as it is. Error codes and words: Azure/azure-dev #6727, Azure/bicep-types-az #1735,
microsoft/azurechat #447 and akshata29/entaoai #36 show what Azure answered.
"""

from collections.abc import Mapping
from typing import Any

from apim_emulator.azure.providers.cognitiveservices.exceptions import (
    DeploymentModelNotSupportedError,
    InvalidResourcePropertiesError,
)

_VERSIONS: Mapping[str, str] = {
    "gpt-4.1": "2025-04-14",
    "gpt-4.1-mini": "2025-04-14",
    "gpt-4.1-nano": "2025-04-14",
    "gpt-4o": "2024-05-13 2024-08-06 2024-11-20",
    "gpt-4o-mini": "2024-07-18",
    "gpt-5": "2025-08-07",
    "gpt-5-mini": "2025-08-07",
    "gpt-5-nano": "2025-08-07",
    "gpt-5.1": "2025-11-13",
    "gpt-5.2": "2025-12-11",
    "gpt-5.4": "2026-03-05",
    "gpt-5.4-mini": "2026-03-17",
    "gpt-5.4-nano": "2026-03-17",
    "gpt-5.5": "2026-04-24",
    "gpt-5.6-luna": "2026-07-09",
    "gpt-5.6-sol": "2026-07-09",
    "gpt-5.6-terra": "2026-07-09",
    "o3-mini": "2025-01-31",
    "o4-mini": "2025-04-16",
    "text-embedding-3-large": "1",
    "text-embedding-3-small": "1",
    "text-embedding-ada-002": "1 2",
}
"""Versions that can be deployed, by model."""

_RETIRED = frozenset(
    {
        "gpt-35-turbo",
        "gpt-35-turbo-16k",
        "gpt-4",
        "gpt-4-32k",
        "gpt-4.5-preview",
        "gpt-5-chat",
        "gpt-5.1-chat",
        "gpt-5.2-chat",
        "gpt-5.3-chat",
        "o1-mini",
        "o1-preview",
        "text-davinci-003",
    }
)
"""Models of which no version can be deployed any more."""

STANDARD = {"GlobalStandard": "Global", "DataZoneStandard": "DataZone", "Standard": "Region"}
"""Where the data of a deployment is processed, by pay-as-you-go SKU ("Deployment types for Foundry Models")."""

PROVISIONED = {
    "GlobalProvisionedManaged": "Global",
    "DataZoneProvisionedManaged": "DataZone",
    "ProvisionedManaged": "Region",
}
"""The same by provisioned SKU."""

_SKUS = frozenset({*STANDARD, *PROVISIONED, "GlobalBatch", "DataZoneBatch", "DeveloperTier"})
_REGIONAL = frozenset({"gpt-5.1"})
"""The models of the gpt-5 family that a regional standard deployment takes."""


def check_model(kind: str, model: Mapping[str, Any], sku: str) -> None:
    """Refuse what an account of this kind cannot deploy."""
    name, version, made_by = str(model["name"]), model.get("version"), str(model["format"])
    versions = _VERSIONS.get(name, "").split()
    if name in _RETIRED:
        raise DeploymentModelNotSupportedError(
            f"Creating account deployment is not supported by the model '{name}'. This is usually because there are "
            "better models available for the similar functionality.",
            "properties.model",
        )
    # Only a Foundry resource has the models of other makers.
    if (kind == "OpenAI" and made_by != "OpenAI") or (version is not None and versions and version not in versions):
        raise DeploymentModelNotSupportedError(
            f"The model 'Format: {made_by}, Name: {name}, Version: {version or ''}, Source: ' of account deployment is "
            "not supported.",
            "properties.model",
        )
    if sku not in _SKUS or (sku == "Standard" and name.startswith("gpt-5") and name not in _REGIONAL):
        raise InvalidResourcePropertiesError(
            f"The specified SKU '{sku}' of account deployment is not supported by the model '{name}' version: "
            f"'{version or ''}'.",
            "sku.name",
        )


def check_spillover(source: Mapping[str, Any], target: Mapping[str, Any] | None, name: str) -> None:
    """Refuse a spillover deployment that cannot serve for a provisioned one.

    Both are deployments' inputs; `target` is None where the account has none of that name. Microsoft's pages on
    spillover and on provisioned throughput name the conditions; how Azure words their refusal is inferred.
    """
    of_source, of_target = sku_of(source), sku_of(target or {})
    if target is None:
        problem = f"the deployment '{name}' does not exist in the account"
    elif of_source not in PROVISIONED:
        problem = f"a deployment of the SKU '{of_source}' cannot spill over; only provisioned ones can"
    elif STANDARD.get(of_target) != PROVISIONED[of_source]:
        problem = f"the SKU '{of_target}' of '{name}' does not process data where '{of_source}' does"
    elif _model_of(source) != _model_of(target):
        problem = f"the deployment '{name}' is of another model or version"
    else:
        return
    raise InvalidResourcePropertiesError(
        f"The spillover deployment '{name}' is not supported: {problem}.",
        "properties.spilloverDeploymentName",
    )


def sku_of(inputs: Mapping[str, Any]) -> str:
    """SKU of a deployment's inputs; Azure takes Standard where there is none (Azure/bicep #16642)."""
    return str((inputs.get("sku") or {}).get("name") or "Standard")


def _model_of(inputs: Mapping[str, Any]) -> tuple[Any, Any]:
    model = inputs["properties"]["model"]
    return model["name"], model.get("version")
