"""What callers of the gateway are refused with: each case provokes one, and is a row of `docs/operations.md`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Literal

from apim_emulator.model import Reach
from apim_emulator.services.azure_openai import OPENAI_USER
from apim_emulator.services.content_safety import COGNITIVE_SERVICES_USER
from apim_emulator.services.signing import tamper
from tests.refusals.hub import Answer, Hub

V1 = "/v1/chat/completions"
HARM = {"messages": [{"role": "user", "content": "trigger-hate-4"}]}
UNAUTHORIZED = "Unauthorized. Access token is missing or invalid."
NO_CAPACITY = "No account can take the call at the moment. Retry after the number of seconds in the Retry-After header."

Provoke = Callable[[Hub], Awaitable[Answer]]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A refusal."""

    status: int
    message: str
    """What the caller reads; `…` stands for what differs from call to call."""
    code: str | None = None
    """`error.code`, where the body has one."""
    by: Literal["gateway", "policy", "account"]
    """Who answers: API Management itself or one of its policies, an answer that the program wrote into a policy, or the
    Azure OpenAI account, whose answer is passed on."""
    reason: str | None = None
    """`LastErrorReason` in the logs, and in the trace."""
    policies: tuple[str, ...] = ()
    """Elements of the program's policies that refuse with this, apart from `return-response`."""
    asked: bool | None = None
    """Whether an account was asked. Defaults to whether it answers."""
    inferred: bool = False
    """Whether no source says that the service answers or logs this."""
    retry_after: bool = False
    """Whether `Retry-After` says when to call again."""
    cause: str
    remedy: str
    provoke: Provoke
    last: int = 0
    """Cases that spoil the stack for others come after those, in this order."""

    @property
    def id(self) -> str:
        """Name of the test."""
        return f"{self.status} {self.code or self.reason or self.by}: {self.cause}"


async def _without_key(hub: Hub) -> Answer:
    return await hub.call("keyed", key="")


async def _wrong_key(hub: Hub) -> Answer:
    return await hub.call("keyed", key=hub.key("chosen"))


async def _opened_by_hand(hub: Hub) -> Answer:
    service = hub.sandbox.service
    apis = tuple(replace(api, subscription_required=False) for api in service.apis)
    hub.sandbox.gateway.load(replace(service, apis=apis))
    try:
        return await hub.call("keyed", key="")
    finally:
        await hub.sandbox.reload()


async def _no_token(hub: Hub) -> Answer:
    return await hub.call("tokens", key="")


async def _expired(hub: Hub) -> Answer:
    token = await hub.token("tokens")
    hub.sandbox.clock.advance(5000)
    return await hub.call("tokens", token=token)


async def _other_audience(hub: Hub) -> Answer:
    return await hub.call("tokens", token=await hub.token("several"))


async def _unknown_provider(hub: Hub) -> Answer:
    return await hub.call("tokens", token=hub.issued())


async def _forged_claims(hub: Hub) -> Answer:
    return await hub.call("tokens", token=tamper(await hub.token("tokens"), roles=["Chat.User"]))


async def _no_role(hub: Hub) -> Answer:
    return await hub.call("tokens", token=await hub.token("tokens"))


async def _no_role_alone(hub: Hub) -> Answer:
    return await hub.call("several", token=await hub.token("several"))


async def _no_known_issuer(hub: Hub) -> Answer:
    return await hub.call("several", token="none")


async def _nameless(hub: Hub) -> Answer:
    return await hub.call("several", token=hub.issued(subject=None))


def _remove_roles(hub: Hub, role: str) -> None:
    for registration in hub.sandbox.deployment.registrations:
        if str(registration.inputs.get("roleDefinitionId", "")).endswith(role):
            hub.sandbox.cloud.delete(registration.id)


async def _without_role(hub: Hub) -> Answer:
    _remove_roles(hub, OPENAI_USER)
    return await hub.call("keyed")


async def _dead_key(hub: Hub) -> Answer:
    hub.sandbox.cloud.regenerate_key(hub.account(2).id, "key1")
    return await hub.call("bykey")


async def _with_account(hub: Hub, api: str, **properties: object) -> Answer:
    """Call while somebody has changed the account by hand."""
    cloud, account = hub.sandbox.cloud, hub.account(2)
    [made] = [one for one in hub.sandbox.deployment.registrations if one.id == account.id]
    cloud.update(made.type, made.id, {**made.inputs, "properties": {**made.inputs["properties"], **properties}})
    try:
        return await hub.call(api)
    finally:
        cloud.update(made.type, made.id, made.inputs)


async def _keys_disabled(hub: Hub) -> Answer:
    return await _with_account(hub, "bykey", disableLocalAuth=True)


async def _account_closed(hub: Hub) -> Answer:
    return await _with_account(hub, "keyed", publicNetworkAccess="Disabled")


async def _without_identity(hub: Hub) -> Answer:
    hub.sandbox.gateway.load(replace(hub.sandbox.service, identities=()))
    try:
        return await hub.call("keyed")
    finally:
        await hub.sandbox.reload()


async def _from_internet(hub: Hub) -> Answer:
    hub.sandbox.gateway.load(replace(hub.sandbox.service, from_internet=Reach.FORBIDDEN))
    try:
        return await hub.call("keyed")
    finally:
        await hub.sandbox.reload()


async def _harmful(hub: Hub) -> Answer:
    return await hub.call("safe", body=HARM)


async def _unchecked(hub: Hub) -> Answer:
    _remove_roles(hub, COGNITIVE_SERVICES_USER)
    return await hub.call("safe")


async def _quota_spent(hub: Hub) -> Answer:
    assert (await hub.call("quota")).status == 200
    return await hub.call("quota")


async def _model_not_offered(hub: Hub) -> Answer:
    return await hub.call("chosen", "/deployments/small/chat/completions")


async def _model_of_another_team(hub: Hub) -> Answer:
    return await hub.call("keyed", key=hub.team_key())


async def _image_model(hub: Hub) -> Answer:
    headers = {"x-ms-oai-image-generation-deployment": "draw"}
    return await hub.call("v1", "/v1/responses", body={"model": "chat", "input": "hi"}, headers=headers)


async def _no_model(hub: Hub) -> Answer:
    return await hub.call("v1", V1)


async def _bad_parameter(hub: Hub) -> Answer:
    return await hub.call("keyed", body={"messages": []})


async def _no_operation(hub: Hub) -> Answer:
    return await hub.call("keyed", "/models", method="GET")


async def _no_deployment(hub: Hub) -> Answer:
    return await hub.call("pool", "/deployments/none/chat/completions")


async def _no_deployment_of_one_account(hub: Hub) -> Answer:
    return await hub.call("keyed", "/deployments/none/chat/completions")


async def _response_of_another(hub: Hub) -> Answer:
    return await hub.call("v1", "/v1/responses/resp_1", method="GET")


async def _tokens_spent(hub: Hub) -> Answer:
    assert (await hub.call("rate")).status == 200
    return await hub.call("rate")


async def _requests_spent(hub: Hub) -> Answer:
    assert (await hub.call("several", token=hub.issued())).status == 200
    return await hub.call("several", token=hub.issued())


async def _throttled(hub: Hub) -> Answer:
    hub.sandbox.openai.throttle(hub.account(2).host, 20)
    return await _after(hub, "keyed")


async def _all_throttled(hub: Hub) -> Answer:
    for deployments in (1, 2):
        hub.sandbox.openai.throttle(hub.account(deployments).host, 20)
    hub.sandbox.clock.advance(1)
    return await _after(hub, "pool")


async def _after(hub: Hub, api: str) -> Answer:
    """Call, and let what was throttled and every circuit breaker recover."""
    try:
        return await hub.call(api)
    finally:
        hub.sandbox.clock.advance(120)


async def _breakers_open(hub: Hub) -> Answer:
    for deployments in (1, 2):
        hub.sandbox.openai.throttle(hub.account(deployments).host, 20)
    await hub.call("pool")
    return await _after(hub, "pool")


async def _unreachable(hub: Hub) -> Answer:
    hub.sandbox.network.route(hub.account(2).host, "http://127.0.0.1:1")
    return await _after(hub, "keyed")


async def _leaking(hub: Hub) -> Answer:
    return await hub.call("leak")


CASES = (
    Case(
        status=400,
        code="missing_model",
        message="The request needs a JSON body that names a model.",
        by="policy",
        cause="on v1, with `models` or accounts that differ: a body that names no model, or two, or is no JSON",
        remedy="the caller sends `model` once",
        provoke=_no_model,
    ),
    Case(
        status=400,
        message="…",
        by="account",
        cause="the account does not take the body: a parameter, an empty prompt, its own content filter",
        remedy="the message says which parameter; the caller changes it",
        provoke=_bad_parameter,
    ),
    Case(
        status=401,
        message="Access denied due to missing subscription key. Make sure to include subscription key when making "
        "requests to an API.",
        by="gateway",
        reason="SubscriptionKeyNotFound",
        cause="no subscription key",
        remedy="the caller sends its key in `api-key`",
        provoke=_without_key,
    ),
    Case(
        status=401,
        message="Access denied due to invalid subscription key. Make sure to provide a valid key for an active "
        "subscription.",
        by="gateway",
        reason="SubscriptionKeyInvalid",
        cause="a key that is wrong, regenerated or suspended, or of a subscription or team that may not call this API",
        remedy="give the caller the key in the stack's outputs, or add the API to the team's `apis`",
        provoke=_wrong_key,
    ),
    Case(
        status=401,
        message="A subscription key is required.",
        by="policy",
        cause="no subscription key, and somebody has set *Subscription required* of the API off by hand",
        remedy="`pulumi up --refresh` sets it again; the policy holds meanwhile",
        provoke=_opened_by_hand,
    ),
    Case(
        status=401,
        message=UNAUTHORIZED,
        by="gateway",
        reason="TokenNotPresent",
        policies=("validate-azure-ad-token", "validate-jwt"),
        cause="no `Authorization`, or one that does not begin with `Bearer`",
        remedy="the caller sends a token",
        provoke=_no_token,
    ),
    Case(
        status=401,
        message=UNAUTHORIZED,
        by="gateway",
        reason="TokenExpired",
        cause="a token that has expired",
        remedy="the caller gets a new one; if it has just done so, its clock or the cache of its SDK is wrong",
        provoke=_expired,
    ),
    Case(
        status=401,
        message=UNAUTHORIZED,
        by="gateway",
        reason="TokenAudienceNotAllowed",
        cause="a token for another API",
        remedy="the caller asks for the scope in the stack's output `…Scopes`",
        provoke=_other_audience,
    ),
    Case(
        status=401,
        message=UNAUTHORIZED,
        by="gateway",
        reason="TokenSignatureKeyNotFound",
        cause="a token of another tenant or provider, or of one that has just replaced its keys",
        remedy="compare `iss` with `tenantId` or `issuers`; new keys are read within an hour",
        provoke=_unknown_provider,
    ),
    Case(
        status=401,
        message=UNAUTHORIZED,
        by="gateway",
        reason="TokenSignatureInvalid",
        cause="a token that was changed after it was issued",
        remedy="none: somebody forges tokens",
        provoke=_forged_claims,
    ),
    Case(
        status=401,
        message=UNAUTHORIZED,
        by="gateway",
        reason="TokenClaimNotFound",
        cause="a token without a role, a scope or another claim that the API requires",
        remedy="assign the role (`roleAssignments`, or a team's `principals`); the caller then gets a new token",
        provoke=_no_role_alone,
    ),
    Case(
        status=401,
        message=UNAUTHORIZED,
        by="policy",
        cause="with `roles` and `scopes`: a user's token without any of the scopes, an application's without any role",
        remedy="consent to the scope, or assign the role; the caller then gets a new token",
        provoke=_no_role,
    ),
    Case(
        status=401,
        message=UNAUTHORIZED,
        by="policy",
        cause="with `identityProviders`: no token, or one whose issuer is not of any provider",
        remedy="compare `iss`, by case and to the last slash, with the `issuers` of the providers",
        provoke=_no_known_issuer,
    ),
    Case(
        status=401,
        message="The token names no caller.",
        by="policy",
        cause="a limit per `caller`, or `ownResponses`, and a token without `azp` or `appid`, `oid`, or `sub`",
        remedy="the caller gets an access token rather than another one; or limit per `subscription`",
        provoke=_nameless,
    ),
    Case(
        status=401,
        code="PermissionDenied",
        message="The principal `…` lacks the required data action `…` to perform `…` operation.",
        by="account",
        cause="the gateway's identity does not hold *Cognitive Services OpenAI User* on the account, or not yet",
        remedy="`pulumi up --refresh`; a new role takes up to ten minutes; with `roleAssigned`, ask its owner",
        provoke=_without_role,
        last=3,
    ),
    Case(
        status=401,
        code="401",
        message="Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key "
        "for an active subscription and use a correct regional API endpoint for your resource.",
        by="account",
        cause="the account's key was regenerated while the gateway presents it",
        remedy="`pulumi up`; see [Rotate keys](#rotate-keys) for a way without failed calls",
        provoke=_dead_key,
        last=2,
    ),
    Case(
        status=403,
        code="model_not_found",
        message="This API does not offer that model; it offers ….",
        by="policy",
        cause="a model that the API's `models` do not list",
        remedy="the caller names one of those, by case; or list it",
        provoke=_model_not_offered,
    ),
    Case(
        status=403,
        code="model_not_found",
        message="This API does not offer that image model.",
        by="policy",
        cause="the header `x-ms-oai-image-generation-deployment` names a deployment that is not in `models`",
        remedy="the caller names one of those, or leaves the header out",
        provoke=_image_model,
    ),
    Case(
        status=403,
        code="model_not_found",
        message="Your team may not call that model here; it may call ….",
        by="policy",
        cause="a model that the team's `models` do not list",
        remedy="the caller names one of those; or add it to the team",
        provoke=_model_of_another_team,
    ),
    Case(
        status=403,
        message="Token quota is exceeded. Try again in ….",
        by="gateway",
        reason="OpenAITokenQuotaExceeded",
        policies=("llm-token-limit", "azure-openai-token-limit"),
        retry_after=True,
        cause="the caller's `tokenQuota` is used up",
        remedy="the caller waits for the next period; or raise the quota",
        provoke=_quota_spent,
    ),
    Case(
        status=403,
        message="Request failed content safety check.",
        by="gateway",
        reason="ContentSafetyCheckFailed",
        policies=("llm-content-safety",),
        cause="a harmful prompt or answer",
        remedy="none, or another threshold in `safety.categories`",
        provoke=_harmful,
    ),
    Case(
        status=403,
        message="Request failed content safety check.",
        by="gateway",
        reason="ContentSafetyCheckFailed",
        cause="a prompt that could not be checked: no role on the Content Safety account, no such blocklist, no text, "
        "or the service fails",
        remedy="if all prompts are refused: `pulumi up --refresh` for the role, then the account's health and lists",
        provoke=_unchecked,
        last=1,
    ),
    Case(
        status=403,
        message="Request originated from client public IP address …, public network access on this "
        "'Microsoft.ApiManagement/service/…' is disabled. To connect to 'Microsoft.ApiManagement/service/…', please "
        "use the Private Endpoint from inside your virtual network.",
        by="gateway",
        cause="a call from the internet to a service without public access; it is in no log",
        remedy="the caller uses the private endpoint: check what its DNS resolves the gateway's name to",
        provoke=_from_internet,
    ),
    Case(
        status=403,
        code="AuthenticationTypeDisabled",
        message="Key based authentication is disabled for this resource.",
        by="account",
        cause="an API with auth `key`, and somebody has turned the account's keys off, a policy of Azure for example",
        remedy="`pulumi up --refresh` turns them on again; or change `auth` to `managed-identity`",
        provoke=_keys_disabled,
    ),
    Case(
        status=403,
        code="AccessDenied",
        message="Public access is disabled. Please configure private endpoint.",
        by="account",
        cause="the account has no public access, and the gateway does not come through its private endpoint",
        remedy="check what the gateway's network resolves the account's name to, or open the account",
        provoke=_account_closed,
    ),
    Case(
        status=404,
        message="Resource not found",
        by="gateway",
        reason="OperationNotFound",
        cause="no API at that path, or no such operation in it",
        remedy="compare the URL with the stack's output `…Url`, and the operation with `surface` and `operations`",
        provoke=_no_operation,
    ),
    Case(
        status=404,
        code="DeploymentNotFound",
        message="The API deployment for this resource does not exist. If you created the deployment within the last 5 "
        "minutes, please wait a moment and try again.",
        by="policy",
        cause="a deployment that no account has, where accounts have different ones",
        remedy="the caller names a deployment of `openai.deployments`, by case; or deploy it",
        provoke=_no_deployment,
    ),
    Case(
        status=404,
        code="DeploymentNotFound",
        message="The API deployment for this resource does not exist. If you created the deployment within the last 5 "
        "minutes, please wait a moment and try again.",
        by="account",
        cause="a deployment that the account does not have",
        remedy="as above; of an adopted account, ask its owner",
        provoke=_no_deployment_of_one_account,
    ),
    Case(
        status=404,
        message="No response with that ID is yours.",
        by="policy",
        cause="with `ownResponses`: a stored response that another caller made, that was streamed, or that the cache "
        "has forgotten",
        remedy="the caller creates responses without `stream`, or keeps the conversation itself",
        provoke=_response_of_another,
    ),
    Case(
        status=429,
        message="Rate limit is exceeded. Try again in … seconds.",
        by="gateway",
        reason="RateLimitExceeded",
        policies=("rate-limit-by-key",),
        retry_after=True,
        cause="more calls than `requestsPerMinute`",
        remedy="the caller waits, which the OpenAI SDKs do; or raise the limit",
        provoke=_requests_spent,
    ),
    Case(
        status=429,
        message="Token limit is exceeded. Try again in … seconds.",
        by="gateway",
        reason="OpenAITokenLimitExceeded",
        retry_after=True,
        cause="more tokens than `tokensPerMinute`",
        remedy="the caller waits, or asks for shorter answers; or raise the limit",
        provoke=_tokens_spent,
    ),
    Case(
        status=429,
        code="429",
        message="Requests to the … Operation under Azure OpenAI API version … have exceeded token rate limit of your "
        "current OpenAI S0 pricing tier. Please retry after … seconds. …",
        by="account",
        retry_after=True,
        cause="the deployment's quota at the only account is used up",
        remedy="raise `capacity`, set `spillover`, or add an account",
        provoke=_throttled,
    ),
    Case(
        status=429,
        code="NoCapacity",
        message=NO_CAPACITY,
        by="policy",
        retry_after=True,
        asked=True,
        cause="all accounts that were tried have just refused the call for want of quota",
        remedy="as above; see [the alert](#alert-no-account-left)",
        provoke=_all_throttled,
    ),
    Case(
        status=500,
        message="Internal server error",
        by="gateway",
        reason="BackendConnectionFailure",
        asked=True,
        cause="the only account could not be reached, or (`Timeout`) did not begin to answer within `timeout`",
        remedy="DNS and firewall of the account; for `Timeout`, a longer `timeout` or a smaller prompt",
        provoke=_unreachable,
        last=4,
    ),
    Case(
        status=500,
        message="Internal server error",
        by="gateway",
        reason="IdentityNotFound",
        inferred=True,
        cause="the gateway gets no token: its identity was removed from the service",
        remedy="`pulumi up --refresh`",
        provoke=_without_identity,
    ),
    Case(
        status=500,
        message="The API's policies would pass on the caller's credential.",
        by="policy",
        cause="your own policies (`policy`) copied the caller's key or token into the request",
        remedy="change them: nothing of the caller's credentials may go to the account",
        provoke=_leaking,
    ),
    Case(
        status=503,
        code="NoCapacity",
        message=NO_CAPACITY,
        by="policy",
        reason="BackendUnavailable",
        inferred=True,
        retry_after=True,
        cause="the circuit breakers of all accounts are open, or the last one tried answered 503 or not at all",
        remedy="see [the alert](#alert-no-account-left)",
        provoke=_breakers_open,
    ),
)
