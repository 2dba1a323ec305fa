"""Stack configs at random: each value alone is right, and any of them may meet any other."""

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

from settings import Settings, SettingsError, load
from tests.deployed import ROOT

Config = dict[str, Any]
PROVIDER = "https://login.contoso.com/.well-known/openid-configuration"
OTHER_PROVIDER = "https://login.fabrikam.com/.well-known/openid-configuration"
AUDIENCE = "https://ai.contoso.com"
HOOK = "X-Team"
"""Header that the hook sets."""
_MODELS = ("chat", "small", "embed")
_REGIONS = ("swedencentral", "francecentral", "westeurope")
_PERIODS = ("Hourly", "Daily", "Weekly", "Monthly", "Yearly")
_SOURCES = {
    "API ID": "api",
    "Operation ID": "operation",
    "Key": "subscription",
    "Bundle": "product",
    "Team": "application",
    "Model": "model",
}
_OPERATIONS = {
    "dated": ["ChatCompletions_Create", "embeddings_create"],
    "v1": ["createChatCompletion", "createEmbedding", "createResponse", "getResponse", "listModels"],
}
_JWT = {"openidConfigUrls": [PROVIDER], "audiences": [AUDIENCE]}
_amounts = st.integers(10**5, 10**8)  # more than a test uses
_switch = st.booleans()


def options(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Config]:
    """Any of the fields, and as often as not none of one."""
    return st.fixed_dictionaries({}, optional=fields)


_deployments = st.lists(st.sampled_from(_MODELS[1:]), unique=True).map(
    # All accounts have the deployment that the tests call.
    lambda names: [
        {"name": name, "model": "text-embedding-3-small" if name == "embed" else "gpt-4o"}
        for name in (_MODELS[0], *names)
    ]
)
_account = options(
    deployments=_deployments, priority=st.integers(0, 2), weight=st.integers(1, 100), disableLocalAuth=_switch
)
_breaker = options(
    count=st.integers(1, 5),
    interval=st.sampled_from(["PT10S", "PT1M"]),
    trip=st.sampled_from(["PT5S", "PT2M"]),
    statusCodes=st.sampled_from([["429"], ["429", "500-599"]]),
    acceptRetryAfter=_switch,
)
_limit = st.fixed_dictionaries(
    {"per": st.sampled_from(["subscription", "caller", "product", "model", "api"])},
    optional={
        "tokensPerMinute": _amounts,
        "tokenQuota": _amounts,
        "tokenQuotaPeriod": st.sampled_from(_PERIODS),
        "requestsPerMinute": _amounts,
        "estimatePrompt": _switch,
        "shadow": _switch,
    },
)
_limits = st.lists(_limit, max_size=4)
_metrics = st.fixed_dictionaries(
    {"namespace": st.just("openai")},
    optional={
        "dimensions": st.sets(st.sampled_from(list(_SOURCES)), min_size=1).map(
            lambda names: {name: _SOURCES[name] for name in sorted(names)}
        )
    },
)
_key = options(
    source=st.sampled_from(["named-value", "key-vault"]),
    delivery=st.sampled_from(["backend", "header"]),
    rotation=st.sampled_from(["versioned", "refresh"]),
    accountKey=st.sampled_from(["key1", "key2"]),
)
_backend_auth = st.sampled_from(["key", "managed-identity"])
_entra = options(requiredClaims=st.just({"ver": ["2.0"]}), backendAuth=_backend_auth, assignmentRequired=st.just(False))
_jwt = options(backendAuth=_backend_auth, issuers=st.just(["https://login.contoso.com/"])).map(
    lambda more: {**_JWT, **more}
)
_other_jwt = {**_JWT, "openidConfigUrls": [OTHER_PROVIDER], "issuers": ["https://login.fabrikam.com/"]}
_provider = st.sampled_from(
    [
        {"entra": {"requiredClaims": {"ver": ["2.0"]}}},
        {"jwt": {**_JWT, "issuers": ["https://login.contoso.com/"]}},
        {"jwt": _other_jwt},
    ]
)
_providers = st.builds(
    lambda chosen, backend_auth: [
        {kind: {**tokens, "backendAuth": backend_auth}} for one in chosen for kind, tokens in one.items()
    ],
    st.lists(_provider, min_size=1, unique_by=str),
    _backend_auth,  # the same for all, since the gateway presents one credential
)
_auth = st.sampled_from(["key", "managed-identity", "entra"])
_token_policies = st.sampled_from(["llm", "azure-openai"])
_safety = options(
    categories=st.dictionaries(
        st.sampled_from(["Hate", "SelfHarm", "Sexual", "Violence"]), st.integers(1, 7), min_size=1
    ),
    outputType=st.sampled_from(["FourSeverityLevels", "EightSeverityLevels"]),
    shieldPrompt=_switch,
    enforceOnCompletions=_switch,
    window=st.fixed_dictionaries({"size": st.integers(100, 1000)}, optional={"overlap": st.integers(0, 200)}),
)
_cache = st.fixed_dictionaries(
    {
        "scoreThreshold": st.sampled_from([0, 0.05, 0.5]),
        "duration": st.integers(1, 3600),
        "embeddings": st.sampled_from(_MODELS[1:]),
        "varyBy": st.sampled_from(["caller", "subscription", "api"]),
    },
    optional={
        "redis": options(
            location=st.sampled_from(_REGIONS),
            sku=st.sampled_from(["Balanced_B0", "MemoryOptimized_M10"]),
            highAvailability=_switch,
            accessKey=st.sampled_from(["primary", "secondary"]),
            connected=_switch,
        )
    },
)
_observability = options(
    appInsights=st.sampled_from(["create", "off", {"enabled": True, "name": "appi-contoso"}]),
    logAnalytics=options(retentionDays=st.integers(30, 730), gatewayLogs=_switch),
    sampling=st.integers(0, 100),
    prompts=st.one_of(
        st.just("off"), st.builds(dict, maxBytes=st.integers(1, 262144), retentionDays=st.integers(4, 730))
    ),
    alerts=st.fixed_dictionaries(
        {"email": st.sampled_from(["ops@contoso.com", ["ops@contoso.com", "ai@contoso.com"]])},
        optional={name: st.integers(0, 100) for name in ("throttled", "unauthorized", "backendErrors", "quotaLeft")},
    ),
    budget=st.integers(1, 10**6),
    prices=st.just([{"model": "gpt-4o", "input": 2, "output": 8.5, "since": "2026-12-01"}]),
)
_models = st.lists(
    st.one_of(
        st.sampled_from(_MODELS),
        st.builds(lambda name, target: {"name": name, "deployment": target}, st.just("fast"), st.sampled_from(_MODELS)),
    ),
    max_size=2,
    unique_by=str,
).map(lambda others: [_MODELS[0], *(other for other in others if other != _MODELS[0])])
_set = f'<set-header name="{HOOK}" exists-action="override"><value>research</value></set-header>'
_policy = options(
    inbound=st.just(_set),
    backend=st.just('<set-variable name="mine" value="yes" />'),
    outbound=st.sampled_from([_set, "<set-body>@(context.Response.Body.As<string>())</set-body>"]),
    onError=st.just(_set),
)


_network = options(
    mode=st.sampled_from(["public", "private"]),
    # Not internal: the tests call from outside.
    gateway=st.sampled_from(["integration", "external"]),
    inboundEndpoint=st.just({}),
    publicAccess=_switch,
)


@st.composite
def _api(draw: st.DrawFn, name: str, accounts: int) -> Config:
    surface = draw(st.sampled_from(["dated", "v1"]))
    chosen = st.lists(st.sampled_from(_REGIONS[:accounts]), min_size=1, unique=True)
    # The first operation is the one that the tests call.
    operations = st.lists(st.sampled_from(_OPERATIONS[surface][1:]), unique=True).map(
        lambda more: [_OPERATIONS[surface][0], *more]
    )
    fields = options(
        auth=_auth,
        accounts=chosen,
        identity=st.sampled_from(["system-assigned", "user-assigned"]),
        key=_key,
        entra=_entra,
        jwt=_jwt,
        identityProviders=_providers,
        subscriptionRequired=_switch,
        bearerKeys=_switch,
        apiVersion=st.just("2024-10-21"),
        operations=operations,
        policy=_policy,
        retry=options(count=st.integers(0, 3), interval=st.integers(0, 3)),
        timeout=st.integers(1, 240),
        models=_models,
        includeUsage=_switch,
        limits=_limits,
        metrics=_metrics,
        safety=_safety,
        cache=_cache,
        tokenPolicies=_token_policies,
    )
    path = f"{name}/openai/v1" if surface == "v1" else f"{name}/openai"
    return {"name": name, "path": path, "surface": surface, **draw(fields)}


@st.composite
def _team(draw: st.DrawFn, name: str, apis: Sequence[str]) -> Config:
    fields = options(
        models=st.lists(st.sampled_from([*_MODELS, "fast"]), min_size=1, unique=True),
        limits=st.lists(_limit.filter(lambda limit: limit["per"] != "caller"), max_size=3),
        subscriptions=st.lists(st.sampled_from(["app", "batch"]), min_size=1, unique=True),
        keys=options(vault=_switch),
    )
    named = st.lists(st.sampled_from(apis), min_size=1, unique=True)
    return {"name": name, "apis": draw(named), **draw(fields)}


@st.composite
def stacks(draw: st.DrawFn) -> Config:
    """Config with full keys."""
    accounts = draw(st.integers(1, len(_REGIONS)))
    openai = draw(options(deployments=_deployments, breaker=_breaker))
    openai.setdefault("deployments", [{"name": _MODELS[0], "model": "gpt-4o"}])
    openai["accounts"] = [{"location": region, **draw(_account)} for region in _REGIONS[:accounts]]
    names = ("one", "two")[: draw(st.integers(1, 2))]
    gateway = options(
        sku=st.sampled_from(["Consumption", "Developer", "BasicV2", "StandardV2"]),
        identity=st.sampled_from(["system-assigned", "user-assigned"]),
        namePrefix=st.just("team-"),
    )
    stack = options(
        auth=_auth,
        key=_key,
        entra=_entra,
        jwt=_jwt,
        identityProviders=_providers,
        limits=_limits,
        metrics=_metrics,
        safety=_safety,
        cache=_cache,
        tokenPolicies=_token_policies,
        network=_network,
        protect=_switch,
        observability=_observability,
    )
    names_of_teams = ("red", "blue")[: draw(st.integers(0, 2))]
    values = {
        **draw(stack),
        "gateway": {"publisherName": "Contoso", "publisherEmail": "ai@contoso.com", **draw(gateway)},
        "openai": openai,
        "apis": [draw(_api(name, accounts)) for name in names],
        **({"teams": [draw(_team(name, names)) for name in names_of_teams]} if names_of_teams else {}),
    }
    found: Config = {f"openai-gateway:{key}": value for key, value in values.items()}
    return {"azure-native:location": "swedencentral", **found}


def refusals(config: Mapping[str, Any]) -> list[str]:
    """Return the lines of the refusal, or none."""
    try:
        accepted(config)
    except SettingsError as error:
        return list(error.lines)
    return []


def accepted(config: Mapping[str, Any]) -> Settings:
    return load(deepcopy(dict(config)), ROOT)


def keys_in(line: str) -> list[str]:
    """Return the full keys that a line names, such as `openai-gateway:apis[0].path`."""
    return [found.rstrip(".") for found in re.findall(r'openai-gateway:(?:[\w.]|\[\d+\]|\["[^"]*"\])+', line)]


def mend(config: Config) -> Iterator[str]:
    """Do as each refusal says, by removing what it names, until the config is accepted; yield the first line of each.

    Raises:
        LookupError: A line names no key that the config has.

    """
    while lines := refusals(config):
        yield lines[0]
        if not any(_remove(config, key) for key in keys_in(lines[0])):
            raise LookupError(lines[0])


def _remove(config: Config, key: str) -> bool:
    """Remove a value, or the whole entry of a list whose entries make sense only as a whole; return if it was there."""
    first, *rest = re.findall(r'openai-gateway:\w+|\w+|"[^"]*"', key)
    path: list[str | int] = [first, *(int(part) if part.isdigit() else part.strip('"') for part in rest)]
    if "cache" in path or path[0] == "openai-gateway:cache":
        at = next(i for i, part in enumerate(path) if str(part).endswith("cache"))
        path = path[: at + 1]
    if path[0] == "openai-gateway:teams" and "apis" in path:
        path = path[:2]
    for name in ("limits", "models"):
        if name in path[1:] or path[0] == f"openai-gateway:{name}":
            at = next(i for i, part in enumerate(path) if str(part).endswith(name))
            path = path[: at + 2]
    parent: Any = config
    for part in path[:-1]:
        if isinstance(parent, dict) and part not in parent:
            return False
        parent = parent[part]
    last: Any = path[-1]
    if (isinstance(parent, dict) and last not in parent) or (isinstance(parent, list) and last >= len(parent)):
        return False
    del parent[last]
    return True
