"""What the program's own policy documents do to calls, each mode's as it is deployed."""

import re
from pathlib import Path

import pytest

from apim_emulator.gateway import API, standalone, token_requirements
from apim_emulator.model import ManagedIdentity, Subscription
from apim_emulator.testing import PolicyBench, Reply, Request, Response, event_stream, identity_token

SNAPSHOTS = Path(__file__).parents[1] / "snapshots" / "modes"
MODES = sorted(path.stem for path in SNAPSHOTS.glob("*.xml"))
USER_ASSIGNED = "00000000-0000-0000-0000-000000000002"
CALLERS_OWN = {"api-key": "callers-key", "Ocp-Apim-Subscription-Key": "callers-key"}
KEY = "azure-openai-key"
PROMPT = {"messages": [{"role": "user", "content": "hello"}]}
KEY_HEADER = "X-Gateway-Key"
SUBSCRIPTION = Subscription(id="callers", scope="/apis", primary_key="subscription-key-1", secondary_key="none")


def _harmless(_: Request) -> Reply:
    """Answer as Azure AI Content Safety does about every text."""
    found = [{"category": name, "severity": 0} for name in ("Hate", "SelfHarm", "Sexual", "Violence")]
    attack = {"userPromptAnalysis": {"attackDetected": False}}
    return Reply(json={"categoriesAnalysis": found, "blocklistsMatch": [], **attack})


class Mode:
    """A mode's document with its backends, and a caller who has the token that it asks for."""

    def __init__(self, name: str) -> None:
        text = (SNAPSHOTS / f"{name}.xml").read_text(encoding="utf-8")
        service = standalone(text, "https://backend.test", named_values={"openai-api-key": KEY})
        self.requirement = next(iter(token_requirements(service, API)), None)
        tenant = re.search('tenant-id="(.+?)"', text)
        identity = ManagedIdentity(principal_id="identity", client_id=USER_ASSIGNED, system_assigned=True)
        self.bench = PolicyBench(
            text,
            backends={
                one: _harmless if one.startswith("content-safety") else lambda _: event_stream({"delta": "Hello"})
                for one in re.findall('backend-id="(.+?)"', text)
            },
            named_values={"openai-api-key": KEY},
            identities=(identity,),
            tenant_id=tenant[1] if tenant else "",
            # A wrong subscription key is refused before any policy: the usual names carry other services' credentials.
            api={"key_header": KEY_HEADER, "key_query": "gateway-key"},
            subscriptions=(SUBSCRIPTION,),
        )
        self.provider = self.bench.issuer("https://login.contoso.com")

    def token(self, **changes: object) -> str:
        if self.requirement is None:
            return "callers-token"
        # A user's scope: where roles open it as well, an expression and no required claim asks for either.
        claims = {"scp": "access_as_user", **self.requirement.claims, **changes}
        if self.requirement.openid_config_urls:
            claims.setdefault("iss", self.requirement.issuer)
            return self.provider.issue(audience=self.requirement.audience, subject="me", claims=claims)
        clients = self.requirement.client_ids
        return self.bench.entra.issue(
            audience=self.requirement.audience, subject="me",
            claims={
                "tid": self.bench.entra.tenant_id, "ver": "2.0", "oid": "me",
                "azp": clients[0] if clients else None, **claims,
            },
        )  # fmt: skip

    def call(self, **headers: str) -> Response:
        headers = {KEY_HEADER: SUBSCRIPTION.primary_key, **headers}
        return self.bench.post("/deployments/gpt-4o/chat/completions?api-key=q&x=1", headers=headers, json=PROMPT)


def sent(response: Response) -> list[Request]:
    """Return what reached Azure OpenAI."""
    return [
        request
        for request in response.requests
        if "contentsafety" not in request.url and "embeddings" not in request.url
    ]


@pytest.mark.parametrize("name", MODES)
def test_no_credential_of_the_caller_reaches_azure_openai(name: str) -> None:
    mode = Mode(name)
    token = mode.token()

    response = mode.call(Authorization=f"Bearer {token}", **CALLERS_OWN)

    assert response.status_code == 200
    (seen,) = sent(response)
    told = f"{seen.url} {list(seen.headers.items())}"
    assert not [secret for secret in (token, *CALLERS_OWN.values(), "api-key=q") if secret in told]
    assert seen.params == {"x": ["1"]}


@pytest.mark.parametrize("name", MODES)
def test_credential_of_the_gateway_is_the_one_of_the_mode(name: str) -> None:
    mode = Mode(name)

    (seen,) = sent(mode.call(Authorization=f"Bearer {mode.token()}"))

    given = {header: seen.headers[header] for header in ("Authorization", "api-key") if header in seen.headers}
    # A key that the backend adds is no part of the document.
    expected: dict[str, str] = {}
    if "identity" in name or name in {"entra-existing-application", "entra-limits", "existing-gateway-and-account"}:
        expected = {"Authorization": f"Bearer {identity_token('https://cognitiveservices.azure.com', 'identity')}"}
    elif name.endswith("-header"):
        expected = {"api-key": KEY}
    assert given == expected


@pytest.mark.parametrize("name", MODES)
def test_answer_streams_through(name: str) -> None:
    mode = Mode(name)

    chunks = mode.call(Authorization=f"Bearer {mode.token()}").chunks

    assert b"".join(chunks) == b'data: {"delta": "Hello"}\n\ndata: [DONE]\n\n'
    # Where answers are checked, a window of them arrives at once.
    assert len(chunks) == (1 if name == "identity-content-safety" else 2)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(None, id="no token"),
        pytest.param({"aud": "other"}, id="audience"),
        pytest.param({"iss": "https://login.example.com/"}, id="issuer"),
        pytest.param({"exp": 1}, id="expired"),
        pytest.param({"exp": None}, id="never expires"),
        pytest.param({"roles": ["Chat.Reader"], "scope": "read", "scp": "read"}, id="role or scope"),
        pytest.param({"roles": None, "scope": None, "scp": None}, id="no role or scope"),
    ],
)
@pytest.mark.parametrize("name", [name for name in MODES if name.startswith(("entra", "jwt"))])
def test_caller_without_the_right_token_is_refused_before_the_backend(
    name: str, changes: dict[str, object] | None
) -> None:
    mode = Mode(name)
    headers = {} if changes is None else {"Authorization": f"Bearer {mode.token(**changes)}"}

    response = mode.call(**headers)

    assert (response.status_code, response.requests) == (401, ())
    assert response.json()["message"] == "Unauthorized. Access token is missing or invalid."


def test_backend_that_is_busy_is_not_hidden() -> None:
    mode = Mode("identity-pool")
    busy = PolicyBench(
        (SNAPSHOTS / "identity-pool.xml").read_text(encoding="utf-8"),
        backends={"openai-pool": lambda _: Reply(status_code=429, headers={"Retry-After": "7"})},
        subscriptions=(SUBSCRIPTION,),
    )
    key = {"Ocp-Apim-Subscription-Key": SUBSCRIPTION.primary_key}

    response = busy.post(headers={"Authorization": f"Bearer {mode.token()}", **key}, json={})

    assert (response.status_code, response.headers["Retry-After"]) == (429, "7")
