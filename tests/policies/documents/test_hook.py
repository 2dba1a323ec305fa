"""What a hook may hold, told with line and column."""

import pytest

from policies import PolicyError, Section
from policies.documents.catalog import SECTIONS
from policies.documents.hook import hook_policies, policies_text, problems, read_document, read_section, section_text
from policies.set_header import SetHeader

COPY = '<send-request mode="copy" response-variable-name="r"><set-url>https://a.example</set-url></send-request>'
NESTED = '<choose>\n<when condition="@(true)">{}</when></choose>'
INSIDE = '<send-request mode="new" response-variable-name="r">\n{}</send-request>'


def said(section: Section, text: str, sku: str | None = None) -> list[str]:
    return [str(problem) for problem in problems(read_section(section, text), sku=sku, key_names=["openai-api-key"])]


HOSTILE = [
    # The pipeline's own steps.
    ("inbound", "<base />", "base runs the parent's policies"),
    ("on-error", NESTED.format("<base />"), "base runs the parent's policies"),
    ("inbound", "</inbound><inbound>", "is not well-formed"),
    ("outbound", "<inbound><trace /></inbound>", "inbound is not a policy"),
    ("inbound", "<policies />", "policies is not a policy"),
    ("inbound", "<cors><allowed-origins /></cors>", "cors answers browsers before callers are authenticated"),
    ("inbound", '<validate-jwt header-name="x" />', "validate-jwt validates a token, which the API does itself"),
    (
        "inbound",
        NESTED.format('<validate-azure-ad-token tenant-id="x" />'),
        "validate-azure-ad-token validates a token",
    ),
    ("backend", "<forward-request />", "forward-request sends the request, which the API's document does itself"),
    (
        "backend",
        '<retry count="1" interval="1" condition="@(true)"><forward-request /></retry>',
        "forward-request sends",
    ),
    ("inbound", "<forward-request />", "forward-request sends the request"),
    # Another backend.
    ("inbound", '<set-backend-service base-url="https://a.example" />', "set-backend-service chooses a backend"),
    ("backend", '<set-backend-service backend-id="a" />', "set-backend-service chooses a backend"),
    ("inbound", NESTED.format('<set-backend-service backend-id="a" />'), "set-backend-service chooses a backend"),
    ("inbound", '<proxy url="http://a.example" />', "proxy sends the request through a proxy"),
    # Another credential, or the gateway's own given away.
    ("inbound", '<authentication-managed-identity resource="x" />', "authentication-managed-identity presents a cred"),
    ("inbound", INSIDE.format('<authentication-managed-identity resource="x" />'), "authentication-managed-identity"),
    ("backend", '<authentication-basic username="a" password="b" />', "authentication-basic presents a credential"),
    ("inbound", '<authentication-certificate thumbprint="a" />', "authentication-certificate presents a credential"),
    ("outbound", '<set-header name="a"><value>{{openai-api-key}}</value></set-header>', "value holds the named value"),
    ("inbound", "<set-body>{{ team-openai-api-key-west }}</set-body>", "set-body holds the named value openai-api-key"),
    (
        "outbound",
        '<set-body>@(context.Variables["managed-id-access-token"])</set-body>',
        "names managed-id-access-token",
    ),
    ("inbound", '<set-variable name="openai-gateway-caller" value="" />', "names openai-gateway-, one of"),
    ("outbound", COPY, "send-request copies the request with the gateway's own credential"),
    ("on-error", COPY, "send-request copies the request with the gateway's own credential"),
    (
        "outbound",
        '<set-header name="a"><value>@(context.Request.Headers["Authorization"][0])</value></set-header>',
        "value reads the gateway's own credential from the request",
    ),
    # The request to the backend, once it carries the gateway's credential.
    ("backend", '<set-header name="a"><value>b</value></set-header>', "set-header is not allowed in a hook's backend"),
    ("backend", NESTED.format("<set-body>a</set-body>"), "set-body is not allowed in a hook's backend"),
    ("backend", '<set-query-parameter name="a" exists-action="delete" />', "set-query-parameter is not allowed in"),
    ("backend", '<include-fragment fragment-id="a" />', "include-fragment is not allowed in a hook's backend"),
    ("backend", '<rewrite-uri template="/" />', "rewrite-uri is not allowed in backend"),
    # What is removed again.
    (
        "inbound",
        '<set-header name="authorization"><value>a</value></set-header>',
        "set-header sets authorization, which",
    ),
    ("inbound", '<set-query-parameter name="Api-Key"><value>a</value></set-query-parameter>', "sets Api-Key, which is"),
]
MISTAKES = [
    ("inbound", "<set-heder />", "set-heder is not a policy of the service; did you mean set-header?"),
    ("inbound", NESTED.format("<xyzzy />"), "xyzzy is not a policy of the service; check its name"),
    ("inbound", "<set-url>https://a.example</set-url>", "set-url is not in the policy reference"),
    ("inbound", NESTED.format("<block />"), "block is not in the policy reference"),
    ("inbound", "<authentication-token />", "authentication-token presents a credential"),
    (
        "outbound",
        '<rate-limit calls="1" renewal-period="1" />',
        "rate-limit is not allowed in outbound; put it into inb",
    ),
    ("inbound", "hello <trace />", "inbound has text outside its policies"),
    ("inbound", "<trace /> hello", "inbound has text outside its policies"),
    ("inbound", "<choose>", "is not well-formed: mismatched tag"),
    (
        "inbound",
        '<llm-semantic-cache-lookup /><llm-token-limit counter-key="a" />',
        "llm-token-limit comes after llm-semantic-cache-lookup",
    ),
]


@pytest.mark.parametrize(
    ("section", "text", "problem"), [pytest.param(*case, id=f"{case[0]}: {case[2]}") for case in HOSTILE + MISTAKES]
)
def test_what_a_hook_may_not_hold_is_told_with_its_place(section: str, text: str, problem: str) -> None:
    try:
        found = said(Section(section), f"\n{text}")
    except PolicyError as error:
        found = [str(error)]

    assert [line for line in found if problem in line] != []
    assert all(line.startswith(("line 1, column 1: ", "line 2, ", "line 3, ")) for line in found)


def test_all_mistakes_are_told_each_with_its_place() -> None:
    text = '<set-heder />\n  <base/>\n<set-header name="a">\n<value>{{openai-api-key}}</value></set-header>'

    assert [line.partition(": ")[0] for line in said(Section.INBOUND, text)] == [
        "line 1, column 1",
        "line 2, column 3",
        "line 4, column 1",
    ]


@pytest.mark.parametrize(("sku", "count"), [("Consumption", 1), ("BasicV2", 0), (None, 0)])
def test_a_policy_that_the_tier_lacks_is_told(sku: str | None, count: int) -> None:
    text = '<rate-limit-by-key calls="1" renewal-period="60" counter-key="a" />'

    found = said(Section.INBOUND, text, sku)

    assert [line[:50] for line in found] == ["line 1, column 1: rate-limit-by-key is not available"[:50]] * count


GOOD = [
    ("inbound", '<set-header name="x-team" exists-action="override"><value>a</value></set-header>'),
    ("inbound", '<set-header name="Authorization" exists-action="delete" />'),
    ("inbound", '<rate-limit-by-key calls="1" renewal-period="60" counter-key="@(context.Request.IpAddress)" />'),
    ("inbound", '<choose><when condition="@(a && "b" != c)"><return-response /></when><otherwise /></choose>'),
    ("inbound", '<include-fragment fragment-id="ours" />'),
    ("inbound", COPY),
    ("inbound", "<set-body>{{another-value}}</set-body>"),
    (
        "backend",
        '<limit-concurrency key="a" max-count="2"><trace source="a"><message>b</message></trace></limit-concurrency>',
    ),
    ("backend", INSIDE.format('<set-header name="a"><value>b</value></set-header>')),
    ("outbound", '<set-header name="Server" exists-action="delete" />'),
    ("outbound", '<set-body>@(context.Request.Headers.GetValueOrDefault("x-team", ""))</set-body>'),
    ("on-error", '<set-status code="500" reason="Sorry" />'),
]


@pytest.mark.parametrize(("section", "text"), GOOD)
def test_what_a_hook_may_hold_is_kept_as_it_is(section: str, text: str) -> None:
    found = read_section(Section(section), f"\n  {text}\n<!-- and -->")

    assert list(problems(found, sku="BasicV2", key_names=["openai-api-key"])) == []
    assert policies_text(hook_policies(found)) == section_text(found)
    assert read_section(Section(section), section_text(found))[0].attrib == found[0].attrib


@pytest.mark.parametrize("tag", sorted(SECTIONS))
def test_every_policy_is_either_allowed_or_told_why_not(tag: str) -> None:
    for section in Section:
        allowed = section in SECTIONS[tag]
        found = said(section, f"<{tag} />")

        assert allowed or found != []
        assert all(line.startswith(f"line 1, column 1: {tag} ") and len(line) > 60 for line in found)


def test_a_document_gives_its_sections() -> None:
    text = "<!-- ours -->\n<policies><outbound><trace/></outbound>\n"
    text += "<inbound>\n<set-method>GET</set-method>\n<base/></inbound></policies>"

    found = read_document(text)

    assert list(found) == [Section.OUTBOUND, Section.INBOUND]
    assert str(problems(found[Section.INBOUND])[0]).startswith("line 5, column 1: base runs")


def test_a_document_of_the_portal_begins_its_sections_with_base() -> None:
    inbound = '<inbound><base /><set-header name="a"><value>b</value></set-header></inbound>'
    text = f"<policies>{inbound}<backend><base /></backend><outbound><base /></outbound></policies>"

    found = read_document(text)

    assert [[policy.tag for policy in section] for section in found.values()] == [["set-header"], [], []]
    assert [problems(section) for section in found.values()] == [[], [], []]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param(
            "<inbound />",
            "line 1, column 1: inbound is not a policy document; the root element must be policies",
            id="root",
        ),
        pytest.param(
            "<policies>\n<inbond/></policies>", "line 2, column 1: inbond is not a section; allowed: inb", id="s"
        ),
        pytest.param(
            "<policies><inbound/>\n <inbound/></policies>", "line 2, column 2: inbound is given twice", id="2"
        ),
        pytest.param("", "line 1, column 1: is not well-formed: no element found", id="empty"),
    ],
)
def test_what_is_no_document_is_refused(text: str, problem: str) -> None:
    with pytest.raises(PolicyError, match=f"^{problem}"):
        read_document(text)


def test_typed_policies_become_text() -> None:
    text = policies_text([SetHeader(name="a", values=["@(\"<\" + 'b')"]), SetHeader(name="c", values=["d"])])

    found = read_section(Section.OUTBOUND, text)

    assert [element.get("name") for element in found] == ["a", "c"]
    assert found[0][0].text == "@(\"<\" + 'b')"
