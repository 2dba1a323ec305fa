"""A small, valid element of every policy, with what it needs around it; the tests of this folder go through all."""

from dataclasses import dataclass, field
from typing import Any

from apim_emulator.model import Operation, Product, Subscription
from apim_emulator.testing import PolicyBench, Reply, Request, Response
from apim_emulator.testing.tokens import TENANT

KEY = "0123456789"
CHAT = {"messages": [{"role": "user", "content": "Hello"}]}
ANSWER = {
    "choices": [{"message": {"content": "Hi"}}],
    "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
}
DEFINITION: dict[str, Any] = {
    "openapi": "3.0.1",
    "info": {"title": "t", "version": "1"},
    "paths": {
        "/chat": {
            "post": {
                "operationId": "chat",
                "parameters": [{"in": "query", "name": "n", "schema": {"type": "integer"}}],
                "requestBody": {"content": {"application/json": {"schema": {"required": ["messages"]}}}},
                "responses": {"200": {"headers": {"X-Count": {"schema": {"type": "integer"}}}}},
            }
        }
    },
}  # fmt: skip
DEFINED = {"definition": DEFINITION, "operations": (Operation(name="chat", method="POST", url_template="/chat"),)}
EXAMPLE = {"content": {"text/plain": {"examples": {"one": {"value": "first"}, "two": {"value": "second"}}}}}
MOCKED = {**DEFINED, "definition": {"paths": {"/chat": {"post": {"responses": {"200": EXAMPLE}}}}}}
SUBSCRIBED: dict[str, Any] = {
    "products": (Product(id="team", api_ids=frozenset({"policy"})),),
    "subscriptions": (Subscription(id="ann", scope="/products/team", primary_key=KEY, secondary_key="other"),),
}


def checker(request: Request) -> Reply:
    """Find hate of severity 4 in every text with `bad` in it."""
    severity = 4 if "bad" in request.json()["text"] else 0
    return Reply(json={"categoriesAnalysis": [{"category": "Hate", "severity": severity}]})


def embeddings(request: Request) -> Reply:
    """Tell apart texts with `other` in them from all others."""
    return Reply(json={"data": [{"embedding": [0, 1] if "other" in request.json()["input"] else [1, 0]}]})


def model(_: Request) -> Reply:
    """Answer a chat."""
    return Reply(json=ANSWER)


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where an element stands and what is around it."""

    element: str
    section: str = "inbound"
    before: str = ""
    """Policies of inbound before it."""
    after: str = ""
    """Policies of outbound after it."""
    scope: str = "api"
    bench: dict[str, Any] = field(default_factory=dict)
    call: dict[str, Any] = field(default_factory=dict)
    """What its call needs."""

    def ready(self, **bench: Any) -> PolicyBench:
        """Load it with `id="me"`, and with what else `bench` says."""
        text = document(self.element, self.section, self.before, self.after)
        options: dict[str, Any] = {"backend": model, **self.bench, **bench}
        if self.scope == "product":
            product = Product(id="team", api_ids=frozenset({"policy"}), policy=text)
            return PolicyBench(**{**options, **SUBSCRIBED, "products": (product,)})
        return PolicyBench(text, **options)


def call(bench: PolicyBench, name: str, body: object = None) -> Response:
    """Call a policy with what it asks for."""
    options: dict[str, Any] = {"json": CHAT if body is None else body, **PLACES[name].call}
    if name in {"validate-azure-ad-token", "validate-jwt"}:
        options["headers"] = {"Authorization": f"Bearer {bench.entra.token('api://chat')}"}
    return bench.post("/chat", **options)


def document(element: str, section: str = "inbound", before: str = "", after: str = "") -> str:
    """Put an element in a section, policies of inbound before it and of outbound after it."""
    found = {"inbound": f"<base/>{before}", "backend": "<base/>", "outbound": "<base/>", "on-error": "<base/>"}
    found[section] = element if section == "backend" else f"{found[section]}{element}"
    found["outbound"] += after
    return f"<policies>{''.join(f'<{name}>{inside}</{name}>' for name, inside in found.items())}</policies>"


def _both(name: str, place: Place) -> dict[str, Place]:
    """Give a policy of models its second name."""
    second = name.replace("llm-", "azure-openai-")
    other = Place(
        element=place.element.replace(name, second), section=place.section,
        before=place.before.replace("llm-", "azure-openai-"), bench=place.bench, call=place.call,
    )  # fmt: skip
    return {name: place, second: other}


_LOOKUP = '<llm-semantic-cache-lookup id="me" score-threshold="0.1" embeddings-backend-id="embeddings"/>'
_AUDIENCE = "<audiences><audience>api://chat</audience></audiences>"

# A response is for the calls that present the same token.
_CACHED = (
    '<cache-lookup id="me" vary-by-developer="false" vary-by-developer-groups="false" '
    'allow-private-response-caching="true"><vary-by-header>Authorization</vary-by-header></cache-lookup>'
)
_GET = "<set-method>GET</set-method>"
_PRIVATE = {"headers": {"Authorization": "Bearer a"}}

PLACES: dict[str, Place] = {
    "authentication-basic": Place(element='<authentication-basic id="me" username="user" password="pass"/>'),
    "authentication-managed-identity": Place(
        element='<authentication-managed-identity id="me" resource="https://a.example"/>'
    ),
    "cache-lookup": Place(element=_CACHED, before=_GET, after='<cache-store duration="60"/>', call=_PRIVATE),
    "cache-lookup-value": Place(
        element='<cache-lookup-value id="me" key="k" variable-name="v" default-value="none"/>',
        before='<cache-store-value key="k" value="1" duration="60"/>',
    ),
    "cache-remove-value": Place(
        element='<cache-remove-value id="me" key="k"/>'
        '<cache-lookup-value key="k" variable-name="v" default-value="-"/>',
        before='<cache-store-value key="k" value="1" duration="60"/>',
    ),
    "cache-store": Place(
        element='<cache-store id="me" duration="60"/>', section="outbound",
        before=_GET + _CACHED.replace(' id="me"', ""), call=_PRIVATE,
    ),
    "cache-store-value": Place(
        element='<cache-store-value id="me" key="k" value="1" duration="60"/>'
        '<cache-lookup-value key="k" variable-name="v"/>'
    ),
    "check-header": Place(
        element='<check-header id="me" name="X-Team" failed-check-httpcode="401" ignore-case="true">'
        "<value>blue</value></check-header>",
        call={"headers": {"X-Team": "Blue"}},
    ),
    "choose": Place(
        element='<choose id="me"><when condition="true"><set-variable name="v" value="1"/></when></choose>'
    ),
    "cors": Place(
        element='<cors id="me"><allowed-origins><origin>https://a.example</origin></allowed-origins></cors>',
        call={"headers": {"Origin": "https://a.example"}},
    ),
    "emit-metric": Place(
        element='<emit-metric id="me" name="calls" value="2"><dimension name="d" value="x"/></emit-metric>'
    ),
    "find-and-replace": Place(element='<find-and-replace id="me" from="Hello" to="Bye"/>'),
    "forward-request": Place(element='<forward-request id="me"/>', section="backend"),
    "ip-filter": Place(element='<ip-filter id="me" action="forbid"><address>10.0.0.9</address></ip-filter>'),
    "limit-concurrency": Place(
        element='<limit-concurrency id="me" key="k" max-count="1"><set-variable name="v" value="1"/>'
        "</limit-concurrency>"
    ),
    "llm-content-safety": Place(
        element='<llm-content-safety id="me" backend-id="checker"><categories><category name="Hate" threshold="4"/>'
        "</categories></llm-content-safety>",
        bench={"backends": {"checker": checker}},
    ),
    "log-to-eventhub": Place(element='<log-to-eventhub id="me" logger-id="l">hello</log-to-eventhub>'),
    "mock-response": Place(element='<mock-response id="me"/>', bench={"api": MOCKED}),
    "quota": Place(
        element='<quota id="me" calls="1" renewal-period="3600"/>', scope="product", bench={"sku": "Developer"},
        call={"headers": {"Ocp-Apim-Subscription-Key": KEY}},
    ),
    "quota-by-key": Place(
        element='<quota-by-key id="me" calls="1" renewal-period="3600" counter-key="k"/>', bench={"sku": "Developer"}
    ),
    "rate-limit": Place(
        element='<rate-limit id="me" calls="1" renewal-period="60"/>', scope="product", bench={"sku": "Developer"},
        call={"headers": {"Ocp-Apim-Subscription-Key": KEY}},
    ),
    "rate-limit-by-key": Place(
        element='<rate-limit-by-key id="me" calls="1" renewal-period="60" counter-key="k"/>', bench={"sku": "Developer"}
    ),
    "retry": Place(
        element='<retry id="me" condition="@(context.Response.StatusCode == 503)" count="2" interval="10">'
        '<forward-request buffer-request-body="true"/></retry>',
        section="backend",
    ),
    "return-response": Place(
        element='<return-response id="me"><set-status code="418" reason="Teapot"/></return-response>'
    ),
    "rewrite-uri": Place(element='<rewrite-uri id="me" template="/other"/>'),
    "send-one-way-request": Place(
        element='<send-one-way-request id="me"><set-url>https://audit.test/</set-url></send-one-way-request>',
        bench={"hosts": {"audit.test": lambda _: Reply(status_code=503)}},
    ),
    "send-request": Place(
        element='<send-request id="me" response-variable-name="v"><set-url>https://audit.test/</set-url></send-request>',
        bench={"hosts": {"audit.test": lambda _: Reply(status_code=202)}},
    ),
    "set-backend-service": Place(
        element='<set-backend-service id="me" backend-id="east"/>', bench={"backends": {"east": model}}
    ),
    "set-body": Place(element='<set-body id="me">new</set-body>'),
    "set-header": Place(element='<set-header id="me" name="X-A"><value>1</value></set-header>'),
    "set-method": Place(element='<set-method id="me">PUT</set-method>'),
    "set-query-parameter": Place(
        element='<set-query-parameter id="me" name="q"><value>1</value></set-query-parameter>'
    ),
    "set-status": Place(element='<set-status id="me" code="418" reason="Teapot"/>', section="outbound"),
    "set-variable": Place(element='<set-variable id="me" name="v" value="1"/>'),
    "trace": Place(element='<trace id="me" source="s"><message>hello</message></trace>'),
    "validate-azure-ad-token": Place(
        element=f'<validate-azure-ad-token id="me" tenant-id="{TENANT}">{_AUDIENCE}</validate-azure-ad-token>'
    ),
    "validate-content": Place(
        element='<validate-content id="me" unspecified-content-type-action="prevent" max-size="1000" '
        'size-exceeded-action="prevent"><content type="application/json" validate-as="json" action="prevent"/>'
        "</validate-content>",
        bench={"api": DEFINED}, call={"headers": {"Content-Type": "application/json"}},
    ),
    "validate-headers": Place(
        element='<validate-headers id="me" specified-header-action="prevent" unspecified-header-action="ignore"/>',
        section="outbound", bench={"api": DEFINED},
    ),
    "validate-jwt": Place(
        element='<validate-jwt id="me" header-name="Authorization"><openid-config '
        f'url="https://login.microsoftonline.com/{TENANT}/v2.0/.well-known/openid-configuration"/>{_AUDIENCE}'
        "</validate-jwt>"
    ),
    "validate-parameters": Place(
        element='<validate-parameters id="me" specified-parameter-action="prevent" '
        'unspecified-parameter-action="ignore"/>',
        bench={"api": DEFINED},
    ),
    "validate-status-code": Place(
        element='<validate-status-code id="me" unspecified-status-code-action="prevent"/>', section="outbound",
        bench={"api": DEFINED},
    ),
    "wait": Place(
        element='<wait id="me" for="all"><cache-store-value key="k" value="1" duration="60"/>'
        '<send-request response-variable-name="v"><set-url>https://audit.test/</set-url></send-request></wait>',
        bench={"hosts": {"audit.test": lambda _: Reply(status_code=202)}},
    ),
    **_both("llm-emit-token-metric", Place(
        element='<llm-emit-token-metric id="me"><dimension name="d" value="x"/></llm-emit-token-metric>'
    )),
    **_both("llm-semantic-cache-lookup", Place(element=_LOOKUP, bench={"backends": {"embeddings": embeddings}})),
    **_both("llm-semantic-cache-store", Place(
        element='<llm-semantic-cache-store id="me" duration="60"/>', section="outbound",
        before=_LOOKUP.replace(' id="me"', ""), bench={"backends": {"embeddings": embeddings}},
    )),
    **_both("llm-token-limit", Place(
        element='<llm-token-limit id="me" counter-key="k" tokens-per-minute="10" estimate-prompt-tokens="false"/>',
        bench={"sku": "Developer"},
    )),
}  # fmt: skip
"""By element name."""
