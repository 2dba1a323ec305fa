"""Regions, SKUs and models of Azure on a given day: other names may be new or misspelled, and cause a warning."""

from collections.abc import Callable, Iterator

from options.mistakes import Key, Mistake, Warn, suggestion
from options.retirements import RETIREMENTS

KNOWN_ON = "2026-11-29"
"""Day on which the lists below were taken."""


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


REGIONS = _names(
    """
    australiacentral australiacentral2 australiaeast australiasoutheast austriaeast belgiumcentral brazilsouth
    brazilsoutheast canadacentral canadaeast centralindia centralus chilecentral chinaeast chinaeast2 chinaeast3
    chinanorth chinanorth2 chinanorth3 denmarkeast eastasia eastus eastus2 francecentral francesouth germanynorth
    germanywestcentral indonesiacentral israelcentral italynorth japaneast japanwest jioindiacentral jioindiawest
    koreacentral koreasouth malaysiawest mexicocentral newzealandnorth northcentralus northeurope norwayeast
    norwaywest polandcentral qatarcentral southafricanorth southafricawest southcentralus southeastasia southindia
    spaincentral swedencentral swedensouth switzerlandnorth switzerlandwest uaecentral uaenorth uksouth ukwest
    usdodcentral usdodeast usgovarizona usgovtexas usgovvirginia westcentralus westeurope westindia westus westus2
    westus3
    """
)
"""Regions by their programmatic names ("Azure regions list"; sovereign clouds included)."""

DEPLOYMENT_SKUS = (
    "Standard",
    "GlobalStandard",
    "DataZoneStandard",
    "ProvisionedManaged",
    "GlobalProvisionedManaged",
    "DataZoneProvisionedManaged",
    "GlobalBatch",
    "DataZoneBatch",
    "DeveloperTier",
)
"""SKUs of model deployments ("Deployment types for Azure AI Foundry Models")."""

MODELS = (
    *_names(
        """
        gpt-35-turbo gpt-4 gpt-oss-20b gpt-oss-120b o3-pro o3-deep-research codex-mini computer-use-preview
        model-router whisper tts tts-hd gpt-4o-transcribe gpt-4o-mini-transcribe gpt-4o-transcribe-diarize
        gpt-4o-mini-tts gpt-4o-audio-preview gpt-4o-realtime-preview gpt-4o-mini-realtime-preview gpt-audio
        gpt-audio-mini gpt-realtime gpt-realtime-mini dall-e-3 gpt-image-1 gpt-image-1-mini gpt-image-1.5 sora
        sora-2
        """
    ),
    *RETIREMENTS,
)
"""Models of Azure OpenAI ("Foundry Models sold directly by Azure"), not a complete list."""


def known(kind: str, names: tuple[str, ...]) -> Callable[[Key, object], Iterator[Mistake]]:
    """Return the rule that warns of text that is not one of `names`; Azure has the last word."""
    folded = {_folded(name) for name in names}

    def rule(key: Key, value: object) -> Iterator[Mistake]:
        if isinstance(value, str) and _folded(value) not in folded:
            hint = suggestion(value, names)
            problem = f"is not a {kind} that Azure offered on {KNOWN_ON}; Azure refuses it unless it is newer{hint}"
            yield Warn(key=key, value=value, problem=problem)

    return rule


def _folded(word: str) -> str:
    """Fold case and spaces: a region may also be spelled as in the portal, such as `Sweden Central`."""
    return word.lower().replace(" ", "")


known_region = known("region", REGIONS)
known_deployment_sku = known("deployment SKU", DEPLOYMENT_SKUS)
known_model = known("model", MODELS)
