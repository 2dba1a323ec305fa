"""Several identity providers of one API, on a gateway that runs its policy, as callers and attackers meet it."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import OctKey, RSAKey
from multidict import CIMultiDict

from apim_emulator.azure import Deployer
from apim_emulator.pulumi.deploy import DeployError
from apim_emulator.testing import EntraTenant, PolicyBench, Reply, Request, Response, TokenIssuer
from apim_emulator.tracing import Span
from components import EntraProtectedApi
from components._api import policy_document
from components._caller import OF_SEVERAL
from components._identity_providers import IdentityProvider, validation
from components._limits import Limits
from components._metrics import Metrics
from components._responses import Responses
from options import (
    EntraOptions,
    ExistingApplication,
    IdentityProviderOptions,
    JwtOptions,
    LimitOptions,
    LimitPer,
    MetricsOptions,
    MetricSource,
    Mistake,
    Warn,
    mistakes_in,
)
from options.identity_providers import check_identity_providers, entra_issuers
from policies import SetBackendService
from tests import judges
from tests.components.conftest import Azure, exporting
from tests.deployed import Deployed, deploy_component

HOME, PARTNER, STRANGE = (f"{digit * 8}-0000-4000-8000-000000000000" for digit in "abc")
"""Tenants; nobody has configured the last one."""
CONTOSO, FABRIKAM, EVIL = (f"https://login.{name}.com" for name in ("contoso", "fabrikam", "evil"))
"""Other providers; nobody has configured the last one."""
APPLICATION = "11111111-1111-4111-8111-111111111111"
REFUSED = {"statusCode": 401, "message": "Unauthorized. Access token is missing or invalid."}
AUDIENCES = {HOME: "home", PARTNER: "partner", CONTOSO: "contoso", FABRIKAM: "fabrikam"}
PROVIDERS = [
    IdentityProvider(tokens=EntraOptions(roles=["Chat.User"], scopes=["chat"]), tenant_id=HOME, audiences=["home"]),
    IdentityProvider(tokens=EntraOptions(roles=["Chat.User"]), tenant_id=PARTNER.upper(), audiences=["partner"]),
    *(
        IdentityProvider(
            tokens=JwtOptions(
                openid_config_urls=[f"{url}/.well-known/openid-configuration"],
                issuers=[url],
                audiences=[AUDIENCES[url]],
            )
        )
        for url in (CONTOSO, FABRIKAM)
    ),
]


@dataclass
class Gateway:
    """An API of several providers, and everybody who issues tokens."""

    bench: PolicyBench
    issuers: Mapping[str, TokenIssuer]
    """By tenant or URL."""

    def token(self, signer: str, **claims: Any) -> str:
        """A token that `signer` issues for its own audience; `claims` replace its own, and None removes one."""
        issuer = self.issuers[signer]
        usual: dict[str, Any] = {}
        if isinstance(issuer, EntraTenant):
            usual = {"tid": signer, "ver": "2.0", "azp": "app", "oid": "me", "roles": ["Chat.User"]}
        audience = AUDIENCES.get(signer, "contoso")
        return issuer.issue(audience=audience, subject="me", claims={**usual, **claims})

    def call(self, *authorization: str, more: Mapping[str, str] | None = None, url: str = "") -> Response:
        """Call with as many headers of that name."""
        headers = CIMultiDict([*(more or {}).items(), *(("Authorization", value) for value in authorization)])
        return self.bench.post(f"/deployments/chat/chat/completions{url}", headers=headers, json={"messages": []})


def answer(_: Request) -> Reply:
    usage = {"prompt_tokens": 10, "completion_tokens": 30, "total_tokens": 40}
    return Reply(json={"id": "resp_1", "choices": [], "usage": usage})


def gateway(
    *limits: LimitOptions,
    providers: Sequence[IdentityProvider] = PROVIDERS,
    metrics: MetricsOptions | None = None,
    owned: bool = False,
) -> Gateway:
    found = Limits(api="openai", limits=limits, caller=OF_SEVERAL)
    text = policy_document(
        validation(providers, keep_token=bool(limits or metrics or owned), several=True),
        [SetBackendService(backend_id="openai")],
        limits=found,
        metrics=Metrics(metrics=metrics, caller=OF_SEVERAL),
        responses=Responses(owned=owned, caller=OF_SEVERAL),
        accounts=1,
        subscription_required=False,
        sku="Basic",
    )
    issuers: dict[str, TokenIssuer] = {}

    def login(request: Request) -> Reply:
        [asked] = [issuer for name, issuer in issuers.items() if f"/{name}/" in request.url]
        return asked.answer(request)

    bench = PolicyBench(text, backends={"openai": answer}, hosts={"login.microsoftonline.com": login}, sku="Basic")
    issuers |= {tenant: EntraTenant(bench.clock, tenant) for tenant in (HOME, PARTNER, STRANGE)}
    issuers |= {url: bench.issuer(url) for url in (CONTOSO, FABRIKAM, EVIL)}
    return Gateway(bench, issuers)


@pytest.fixture(scope="module")
def api() -> Gateway:
    return gateway()


def validations(response: Response) -> list[str]:
    """The policies that validated a token."""
    assert response.trace is not None
    return [span.policy for span in spans(response.trace.spans) if span.policy.startswith("validate-")]


def spans(found: Sequence[Span]) -> Iterator[Span]:
    for span in found:
        yield span
        yield from spans(span.children)


def seen(response: Response) -> list[Request]:
    """What reached Azure OpenAI."""
    return [request for request in response.requests if request.backend == "openai"]


def refused(response: Response) -> bool:
    """Whether nobody but the gateway saw the call; then the answer is the same, whatever was wrong."""
    told = seen(response)
    if response.status_code == 200:
        assert len(told) == 1
        assert len(validations(response)) == 1
        assert "authorization" not in told[0].headers
        return False
    assert (response.status_code, response.reason, told) == (401, "Unauthorized", [])
    assert response.content == b'{ "statusCode": 401, "message": "Unauthorized. Access token is missing or invalid." }'
    assert dict(response.headers) == {"Content-Type": "application/json"}
    assert len(validations(response)) <= 1
    return True


@pytest.mark.parametrize("signer", AUDIENCES)
def test_each_provider_lets_its_own_callers_in_by_a_single_validation(api: Gateway, signer: str) -> None:
    assert not refused(api.call(f"Bearer {api.token(signer)}"))


def test_a_tenant_is_known_by_both_of_its_issuers(api: Gateway) -> None:
    v1, v2 = entra_issuers(HOME)
    older = {"iss": v1, "ver": "1.0", "azp": None, "appid": "app"}

    assert not refused(api.call(f"Bearer {api.token(HOME, **older)}"))
    assert refused(api.call(f"Bearer {api.token(HOME, **older, tid=PARTNER)}"))
    assert refused(api.call(f"Bearer {api.token(HOME, iss=v2, ver='1.0')}"))


ISSUERS = [
    *(issuer for tenant in (HOME, PARTNER, STRANGE) for issuer in entra_issuers(tenant)),
    *(CONTOSO, FABRIKAM, EVIL),
    # No spelling is another issuer's.
    *(f"{CONTOSO}/", CONTOSO.upper(), f" {CONTOSO}", f"{CONTOSO}\u0000", "https://login.contoso.com.evil.com", ""),
    *(entra_issuers(HOME)[1].upper(), f"{entra_issuers(HOME)[1]}/", [CONTOSO], [CONTOSO, FABRIKAM], {"a": CONTOSO}, 1),
]
KINDS = (*["issued"] * 12, "forged", "public key as secret", "none", "tampered", "cut", "nonsense")
FORMS = (*["Bearer"] * 12, "bearer", "bare", "Basic", "twice", "beside", "comma", "empty", "query", "header")
_own = st.just("own")


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A token, and how it is sent."""

    kind: str
    signer: str
    beside: str
    """Who issues a right token that is sent too, in some forms."""
    issuer: Any
    audience: Any
    tenant: str
    version: str
    age: float
    roles: list[str] | None
    scope: str | None
    subject: str
    form: str

    @property
    def claims(self) -> dict[str, Any]:
        given: dict[str, Any] = {"sub": self.subject, "roles": self.roles, "scp": self.scope}
        if self.issuer != "own":
            given["iss"] = self.issuer
        if self.audience != "own":
            given["aud"] = self.audience
        if self.signer in (HOME, PARTNER, STRANGE):
            given |= {"ver": self.version} | ({} if self.tenant == "own" else {"tid": self.tenant})
            if self.version == "1.0" and self.issuer == "own":
                given["iss"] = entra_issuers(self.signer)[0]
        return given

    @property
    def good(self) -> bool:
        """Whether a configured provider issued it for this API, to somebody who may call; told without the policy."""
        signer = self.signer
        named = entra_issuers(signer)[0 if self.version == "1.0" else 1] if len(signer) == 36 else signer
        audience = AUDIENCES.get(signer)
        right = self.kind == "issued" and audience is not None and 0 <= self.age < 3600
        right = right and self.issuer in ("own", named)
        right = right and (self.audience in ("own", audience) or self.audience == [audience, "other"])
        if len(signer) == 36:
            right = right and self.tenant in ("own", signer) and self.version in ("1.0", "2.0")
        by_role = "Chat.User" in (self.roles or [])
        if signer == HOME:
            user = self.scope is not None
            return right and ("chat" in (self.scope or "").split(" ") if user else by_role and self.subject == "me")
        return right and (by_role or signer != PARTNER)

    def text(self, api: Gateway) -> str:
        issuer = api.issuers[self.signer]
        token = api.token(self.signer, **validity(api, self.age), **self.claims)
        head, payload, signature = token.split(".")
        [public] = issuer.jwks()["keys"]
        if self.kind == "forged":
            return signed({"alg": "RS256", "kid": str(public["kid"])}, token, ATTACKER)
        if self.kind == "public key as secret":
            secret = OctKey.import_key(json.dumps(public).encode())
            return signed({"alg": "HS256", "kid": str(public["kid"])}, token, secret)
        if self.kind == "none":
            return f"{encoded({'alg': 'none'})}.{payload}."
        if self.kind == "tampered":
            return f"{head}.{encoded({**decoded(payload), 'more': 1})}.{signature}"
        if self.kind == "cut":
            return f"{head}.{payload}"
        return "a.b.c" if self.kind == "nonsense" else token

    def send(self, api: Gateway) -> Response:
        token, other = self.text(api), api.token(self.beside)
        ways: dict[str, Callable[[], Response]] = {
            "bearer": lambda: api.call(f"bearer {token}"),
            "bare": lambda: api.call(token),
            "Basic": lambda: api.call(f"Basic {token}"),
            "twice": lambda: api.call(f"Bearer {token}", f"Bearer {token}"),
            "beside": lambda: api.call(f"Bearer {token}", f"Bearer {other}"),
            "comma": lambda: api.call(f"Bearer {token},Bearer {other}"),
            "empty": lambda: api.call(""),
            "query": lambda: api.call(url=f"?access_token={token}&Authorization=Bearer+{token}"),
            "header": lambda: api.call(more={"X-Authorization": f"Bearer {token}", "X-MS-TOKEN-AAD-ID-TOKEN": token}),
        }
        return ways.get(self.form, lambda: api.call(f"Bearer {token}"))()


ATTACKER = RSAKey.generate_key(2048)


def validity(api: Gateway, age: float) -> dict[str, int]:
    issued = int(api.bench.clock.now() - age)
    return {"iat": issued, "nbf": issued, "exp": issued + 3600}


def signed(header: dict[str, Any], token: str, key: Any) -> str:
    """Sign what a token says with another key."""
    payload = json.dumps(decoded(token.split(".")[1])).encode()
    return jws.serialize_compact(header, payload, key, algorithms=["RS256", "HS256"])


def decoded(part: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def encoded(value: Mapping[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


sent = st.builds(
    Sent,
    kind=st.sampled_from(KINDS),
    signer=st.sampled_from([*AUDIENCES, STRANGE, EVIL]),
    beside=st.sampled_from(list(AUDIENCES)),
    # Most of a token is right, so that what is wrong is the only thing.
    issuer=_own | _own | _own | st.sampled_from(ISSUERS),
    audience=_own
    | _own
    | _own
    | st.sampled_from([*AUDIENCES.values(), ["home", "other"], ["contoso", "other"], "", [], None]),
    tenant=_own | _own | _own | st.sampled_from([HOME, PARTNER, STRANGE, "common"]),
    version=st.sampled_from(["2.0", "2.0", "2.0", "1.0", "1.0", "3.0"]),
    age=st.sampled_from([*[0.0] * 6, 10.0, 3599.0, 3600.0, 10**6, -60.0]),
    roles=st.sampled_from([*[["Chat.User"]] * 4, ["chat.user"], [], None]),
    scope=st.sampled_from([None, None, None, "chat", "a chat", "chats", ""]),
    subject=st.sampled_from(["me", "me", "me", "somebody"]),
    form=st.sampled_from(FORMS),
)


@settings(max_examples=400)
@given(one=sent)
def test_whatever_is_sent_only_a_token_of_a_configured_provider_reaches_the_backend(api: Gateway, one: Sent) -> None:
    let_in = not refused(one.send(api))

    if one.form in ("Bearer", "bearer"):
        assert let_in == one.good
    else:
        assert not let_in


@pytest.mark.parametrize(
    ("signer", "claims"),
    [
        pytest.param(HOME, {"roles": None}, id="no role"),
        pytest.param(HOME, {"scp": "other"}, id="no scope"),
        pytest.param(HOME, {"sub": "somebody"}, id="an ID token"),
        pytest.param(PARTNER, {"roles": ["Other"]}, id="another role"),
        pytest.param(PARTNER, {"scp": "chat", "roles": None}, id="another provider's scope"),
        pytest.param(CONTOSO, {"exp": 1}, id="expired"),
        pytest.param(CONTOSO, {"exp": None}, id="without an end"),
        pytest.param(FABRIKAM, {"aud": "contoso"}, id="another provider's audience"),
        pytest.param(FABRIKAM, {"nbf": 9_999_999_999}, id="not valid yet"),
    ],
)
def test_a_token_of_a_provider_that_is_not_right_gets_the_same_answer(
    api: Gateway, signer: str, claims: dict[str, Any]
) -> None:
    response = api.call(f"Bearer {api.token(signer, **claims)}")

    assert refused(response)
    assert len(validations(response)) == 1


@pytest.mark.parametrize("signer", AUDIENCES)
@pytest.mark.parametrize("named", [issuer for issuer in ISSUERS if isinstance(issuer, str)])
def test_a_forged_issuer_only_chooses_who_refuses_the_token(api: Gateway, signer: str, named: str) -> None:
    own = (signer, entra_issuers(signer)[1]) if len(signer) == 36 else (signer,)
    audience = next((AUDIENCES[known] for known in AUDIENCES if known in named), "home")

    response = api.call(f"Bearer {api.token(signer, iss=named, aud=[audience, AUDIENCES[signer]])}")

    assert refused(response) is (named not in own)
    known = [issuer for provider in PROVIDERS for issuer in provider.issuers]
    assert len(validations(response)) == (named in known)


def by_caller(**amounts: Any) -> LimitOptions:
    return LimitOptions(per=LimitPer.CALLER, **amounts)


def test_equal_subjects_of_two_providers_share_no_amount() -> None:
    api = gateway(by_caller(requests_per_minute=1))
    callers = [
        api.token(CONTOSO),
        api.token(FABRIKAM),
        api.token(HOME, sub="me"),
        api.token(PARTNER, sub="me"),
        # Names that would join to those of others, were they not escaped.
        api.token(CONTOSO, sub=f"me/{FABRIKAM}/me"),
        api.token(FABRIKAM, sub=f"{HOME}/app/me"),
    ]

    assert [api.call(f"Bearer {token}").status_code for token in callers] == [200] * 6
    assert [api.call(f"Bearer {token}").status_code for token in callers] == [429] * 6


def test_a_caller_has_one_amount_whichever_version_of_token_a_tenant_issues() -> None:
    api = gateway(by_caller(requests_per_minute=1))
    older = api.token(HOME, iss=entra_issuers(HOME)[0], ver="1.0", azp=None, appid="app")

    assert api.call(f"Bearer {older}").status_code == 200
    assert api.call(f"Bearer {api.token(HOME)}").status_code == 429


@pytest.mark.parametrize(("signer", "lacks"), [(CONTOSO, "sub"), (FABRIKAM, "sub"), (PARTNER, "oid"), (PARTNER, "azp")])
def test_a_token_that_names_no_caller_is_refused_where_callers_are_counted(signer: str, lacks: str) -> None:
    api = gateway(by_caller(requests_per_minute=1))

    response = api.call(f"Bearer {api.token(signer, **{lacks: None})}")

    assert (response.status_code, seen(response)) == (401, [])
    assert response.json()["message"] == "The token names no caller."


def test_metrics_tell_clients_of_two_providers_apart() -> None:
    api = gateway(metrics=MetricsOptions(namespace="openai", dimensions={"Client": MetricSource.APPLICATION}))
    tokens = [
        api.token(CONTOSO, client_id="chat"),
        api.token(FABRIKAM, azp="chat"),
        api.token(FABRIKAM),
        api.token(PARTNER, azp=APPLICATION),
    ]

    found = [dict(api.call(f"Bearer {token}").metrics[0].dimensions)["Client"] for token in tokens]

    assert found == [f"{CONTOSO} chat", f"{FABRIKAM} chat", f"{FABRIKAM} none", APPLICATION]


names = st.text(st.characters(codec="ascii", min_codepoint=33), min_size=1, max_size=12)
tokens = st.one_of(
    st.builds(
        lambda roles, scopes, tenant: EntraOptions(
            roles=roles,
            scopes=[f"{scope}.s" for scope in scopes],
            tenant_id=tenant,
            existing=ExistingApplication(client_id=APPLICATION, audiences=["api"]),
        ),
        st.lists(st.from_regex(r"[A-Za-z]{1,8}", fullmatch=True), max_size=2, unique=True),
        st.lists(st.from_regex(r"[A-Za-z]{1,8}", fullmatch=True), max_size=2, unique=True),
        st.sampled_from([HOME, PARTNER, STRANGE]),
    ),
    st.builds(
        lambda issuers, audience: JwtOptions(
            openid_config_urls=["https://a.example"], issuers=issuers, audiences=[audience]
        ),
        st.lists(names.map(lambda name: f"https://{name}"), min_size=1, max_size=2, unique=True),
        names,
    ),
)
lists = st.lists(tokens, min_size=1, max_size=4)


def rendered(options: Sequence[EntraOptions | JwtOptions], *, keep_token: bool) -> str | None:
    """Return the policy of these providers, or None if the options are refused."""
    given = [
        IdentityProviderOptions(jwt=one) if isinstance(one, JwtOptions) else IdentityProviderOptions(entra=one)
        for one in options
    ]
    refusals: list[Mistake] = [one for one in check_identity_providers(given) if not isinstance(one, Warn)]
    refusals += [one for item in given for one in mistakes_in(item) if not isinstance(one, Warn)]
    if refusals:
        return None
    known = [
        IdentityProvider(tokens=one, audiences=one.audiences)
        if isinstance(one, JwtOptions)
        else IdentityProvider(tokens=one, tenant_id=one.tenant_id or "", audiences=["api"])
        for one in options
    ]
    return policy_document(
        validation(known, keep_token=keep_token, several=True),
        [SetBackendService(backend_id="openai")],
        accounts=1,
        subscription_required=False,
        sku="Basic",
    )


@settings(max_examples=60)
@given(options=lists, keep_token=st.booleans())
def test_no_path_leads_past_a_validation_and_none_has_two(
    options: list[EntraOptions | JwtOptions], keep_token: bool
) -> None:
    text = rendered(options, keep_token=keep_token)
    if text is None:
        return
    PolicyBench(text, backends={"openai": answer}, sku="Basic")
    inbound = ET.fromstring(text).find("inbound")
    assert inbound is not None
    choose = inbound[1]
    assert [inbound[0].tag, choose.tag] == ["base", "choose"]

    *branches, otherwise = choose
    assert [branch.tag for branch in branches] == ["when"] * len(options)
    for branch in branches:
        validators = [node for node in branch.iter() if node.tag.startswith("validate-")]
        assert validators == [branch[0]]
        tenant = branch[0].get("tenant-id")
        pinned = entra_issuers(tenant) if tenant else [node.text or "" for node in branch[0].iter("issuer")]
        assert literals(branch.get("condition") or "") == pinned
    assert (otherwise.tag, [node.tag for node in otherwise]) == ("otherwise", ["return-response"])
    assert [node.get("code") for node in otherwise.iter("set-status")] == ["401"]


def literals(condition: str) -> list[str]:
    """The text of the C# strings of the array in a condition."""
    array = condition.partition("new[] {")[2].partition(" }.Contains(")[0]
    found: list[str] = json.loads(f"[{array}]")
    return found


@settings(max_examples=30)
@given(options=lists, keep_token=st.booleans())
def test_the_schema_accepts_whatever_providers_there_are(
    options: list[EntraOptions | JwtOptions], keep_token: bool
) -> None:
    text = rendered(options, keep_token=keep_token)

    assert text is None or judges.errors_of(text, "classic") == []


OUTPUTS = ("audience", "client_id", "scopes", "service_principal_id")
ADOPTED = ExistingApplication(client_id=APPLICATION, audiences=["api://adopted", APPLICATION])
OTHER = JwtOptions(openid_config_urls=[f"{CONTOSO}/x"], issuers=[CONTOSO], audiences=["contoso"])


def deploy(azure: Azure, *providers: Any, **more: Any) -> Deployed:
    args = azure.api_args(azure.account("oai"), identity_providers=list(providers), **more)
    cloud = azure.cloud.acting_as(Deployer.ADMINISTRATOR)
    return deploy_component(exporting(lambda: EntraProtectedApi("openai", args), *OUTPUTS), cloud)


def test_an_application_is_registered_once_and_its_tenant_chosen_by_its_issuers(azure: Azure) -> None:
    deployed = deploy(
        azure,
        IdentityProviderOptions(jwt=OTHER),
        IdentityProviderOptions(entra=EntraOptions(roles=["Chat.User"])),
        IdentityProviderOptions(entra=EntraOptions(existing=ADOPTED, tenant_id=PARTNER, roles=["Chat.User"])),
    )

    application = deployed.one("Application").outputs["clientId"]
    assert deployed.outputs["audience"] == "contoso"
    assert deployed.outputs["client_id"] == application
    assert deployed.outputs["scopes"] == [f"api://{application}/.default"]
    root = ET.fromstring(deployed.policy("openai"))
    conditions = [literals(when.get("condition") or "") for when in root.iterfind("inbound/choose/when")]
    assert conditions == [[CONTOSO], entra_issuers(azure.cloud.tenant_id), entra_issuers(PARTNER)]


def test_the_registration_in_the_tenant_of_the_login_is_the_one_that_is_told(azure: Azure) -> None:
    deployed = deploy(
        azure,
        IdentityProviderOptions(entra=EntraOptions(existing=ADOPTED, tenant_id=PARTNER, roles=["Chat.User"])),
        IdentityProviderOptions(entra=EntraOptions(roles=["Chat.User"])),
    )

    assert deployed.outputs["audience"] == ADOPTED.audiences[0]
    assert deployed.outputs["client_id"] == deployed.one("Application").outputs["clientId"]
    assert deployed.outputs["service_principal_id"] == deployed.one("ServicePrincipal").outputs["objectId"]


def test_providers_come_from_programs_in_other_languages(azure: Azure) -> None:
    deployed = deploy(
        azure,
        {"entra": {"roles": ["Chat.User"]}},
        {"jwt": {"openid_config_urls": [f"{CONTOSO}/x"], "issuers": [CONTOSO], "audiences": ["contoso"]}},
    )

    assert len(ET.fromstring(deployed.policy("openai")).findall("inbound/choose/when")) == 2


def test_the_tenant_of_the_login_is_no_second_provider(azure: Azure) -> None:
    tenant = azure.cloud.tenant_id

    with pytest.raises(DeployError, match=r"identity_providers\[1\] names the issuer https://sts\.windows\.net/"):
        deploy(
            azure,
            IdentityProviderOptions(entra=EntraOptions(roles=["Chat.User"])),
            IdentityProviderOptions(entra=EntraOptions(existing=ADOPTED, tenant_id=tenant, roles=["Chat.User"])),
        )


@pytest.mark.parametrize(
    ("providers", "message"),
    [
        pytest.param([], "identity_providers is empty", id="none"),
        pytest.param([{}], "says nothing of its tokens", id="nothing"),
        pytest.param([{"jwt": OTHER}, {"jwt": OTHER}], "names the same issuer as identity_providers", id="twice"),
        pytest.param([{"jwt": OTHER, "entra": EntraOptions()}], "make an entry of each", id="both"),
    ],
)
def test_providers_that_do_not_fit_are_refused(azure: Azure, providers: list[Any], message: str) -> None:
    with pytest.raises(DeployError, match=message):
        deploy(azure, *providers)
