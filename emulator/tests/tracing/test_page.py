"""The pages as trees of elements, without a browser."""

from dataclasses import replace
from typing import Any

import pytest
from lxml import etree, html

from apim_emulator.tracing import CallTrace, Change, Read, page
from apim_emulator.tracing.filter import Filter
from apim_emulator.tracing.model import Attempt, Claim, SubCall, TokenCheck, TokenCount
from emulator.tests.tracing.calls import call, span

HOSTILE = "<script>document.title='run'</script>\"'><img src=x onerror=alert(1)>&amp;"


def tree(text: bytes) -> html.HtmlElement:
    return html.document_fromstring(text.decode())


def listed(*calls: CallTrace, q: str = "") -> html.HtmlElement:
    return tree(page.index(calls, Filter(q)))


def shown(one: CallTrace, **options: Any) -> html.HtmlElement:
    return tree(page.call_page(one, **options))


def one_of(element: html.HtmlElement, path: str) -> html.HtmlElement:
    found = element.find(path)
    assert found is not None, path
    return found


def words(elements: list[html.HtmlElement]) -> list[str]:
    return [" ".join(element.text_content().split()) for element in elements]


# the list


def test_list_has_the_newest_call_first_and_a_row_for_each() -> None:
    found = listed(call(1), call(2, method="POST", url="/orders?a=1", status=401, error="JwtMissing: no token"))

    assert words(found.findall(".//thead//th")) == ["#", "Time", "Status", "Call", "API", "Caller", "Duration"]
    rows = found.findall(".//tbody/tr")
    assert [row.get("id") for row in rows] == ["call-2", "call-1"]
    cells = words(rows[0].findall("td"))
    assert (cells[0], cells[2], cells[3]) == ("2", "401", "POST /orders?a=1JwtMissing: no token")
    assert one_of(rows[0], ".//a").get("href") == "2"


def test_bars_are_shares_of_the_slowest_call_that_is_shown() -> None:
    calls = (call(1, duration=50.0), call(2, duration=200.0), call(3, duration=1000.0, status=500))

    assert [bar.get("width") for bar in listed(*calls, q="status:200").iter("rect")] == ["100.00%", "25.00%"]
    assert [bar.get("width") for bar in listed(*calls).iter("rect")] == ["100.00%", "20.00%", "5.00%"]
    assert [bar.get("width") for bar in listed(call(duration=0.0)).iter("rect")] == ["0.50%"]


def test_filter_stays_in_its_field_and_in_links() -> None:
    found = listed(call(1), call(2, status=503), q="status:5xx")

    assert [row.get("id") for row in found.findall(".//tbody/tr")] == ["call-2"]
    assert found.get_element_by_id("q").get("value") == "status:5xx"
    assert one_of(found, ".//tbody//a").get("href") == "2?q=status%3A5xx"
    assert one_of(found, ".//*[@aria-current]").text_content() == "5xx 1"


def test_links_to_filters_tell_how_many_calls_fit() -> None:
    found = listed(call(1), call(2), call(3, status=429))

    links = one_of(found, ".//nav")
    assert words(links.findall(".//a")) == ["all 3", "2xx 2", "4xx 1"]
    assert [link.get("href") for link in links.iter("a")] == ["./", "./?q=status%3A2xx", "./?q=status%3A4xx"]


@pytest.mark.parametrize(
    ("calls", "q", "expected"),
    [
        pytest.param((), "", "No calls yet", id="no calls"),
        pytest.param((call(),), "nobody", "None of the last 1 calls fits this filter. Show all", id="none that fits"),
    ],
)
def test_empty_list_says_why(calls: tuple[CallTrace, ...], q: str, expected: str) -> None:
    found = listed(*calls, q=q)

    assert found.find(".//table") is None
    assert expected in found.text_content()


# one call


def test_cause_is_at_the_top_and_leads_to_its_row() -> None:
    failed = span("validate-jwt", document="api chat", line=12, outcome="fails", error="JwtMissing: no token")
    found = shown(call(status=401, spans=(span(), failed)))

    headings = [element.tag for element in one_of(found, ".//main")][:2]
    cause = found.find_class("cause")[0]
    assert headings == ["h1", "section"]
    assert words(cause.findall("p")) == [
        "401 Unauthorized by validate-jwt in inbound: api chat, line 12",
        "JwtMissing: no token",
    ]
    row = found.get_element_by_id(one_of(cause, ".//a").attrib["href"][1:])
    assert "decided" in row.attrib["class"]
    assert one_of(row, ".//h4").text_content().startswith("validate-jwt")


def test_call_that_went_well_has_no_cause() -> None:
    assert shown(call()).find_class("cause") == []


def test_row_tells_what_a_policy_changed_and_read() -> None:
    changed = span(
        reads=(Read("Request.Method", "GET"),),
        changes=(
            Change("Request.Headers[X-A]", "1", "2"),
            Change("Variables[v]", None, "3"),
            Change("Backend", "b", None),
        ),
    )
    found = shown(call(spans=(changed,)))

    entries = found.find_class("entries")
    assert words(list(entries[0])) == ["Request.Headers[X-A]1 \N{RIGHTWARDS ARROW} 2", "Variables[v]3",
                                       "Backendb \N{RIGHTWARDS ARROW} (none)"]  # fmt: skip
    assert words(list(entries[1])) == ["Request.MethodGET"]
    assert words(found.findall(".//summary")) == ["1 read"]


def test_row_has_the_line_of_the_policy_and_says_why_nothing_changed() -> None:
    found = shown(call(spans=(span(source='<set-header name="api-key">', notes=("api-key: already absent",)),)))

    step = found.get_element_by_id("step-1")
    assert words(step.find_class("source")) == ['<set-header name="api-key">']
    assert words(step.findall(".//li")) == ["api-key: already absent"]
    assert "api chat, line 7" in one_of(step, ".//h4").text_content()


AUDIENCE = Claim("aud", "https://management.azure.com", "api://gateway", ok=False)
CLAIMS = (Claim("exp", "2026", "after 2025", ok=True), AUDIENCE, Claim("roles", None, "Chat", ok=False),
          Claim("azp", "me", None, ok=True))  # fmt: skip


def test_refused_token_is_beside_what_is_demanded_with_the_difference_marked() -> None:
    refused = span("validate-jwt", error="TokenAudienceNotAllowed: no", token=TokenCheck(accepted=False, claims=CLAIMS))
    found = shown(call(status=401, spans=(refused,)))

    assert words(found.find_class("cause")[0].findall("p"))[2:] == [
        "aud is https://management.azure.com, demanded is api://gateway", "roles is missing, demanded is Chat",
    ]  # fmt: skip
    table = found.find_class("token")[0]
    assert words(table.findall(".//tbody/tr")) == [
        "\N{CHECK MARK}fitsexp2026after 2025",
        "\N{MULTIPLICATION X}differsaudhttps://management.azure.comapi://gateway",
        "\N{MULTIPLICATION X}differsroles(none)Chat",
        "not demandedazpme",
    ]
    assert words(table.findall(".//mark")) == ["https://management.azure.com", "(none)"]
    folded = found.find_class("reads")[0]
    assert (folded.get("open") is not None, words(folded.findall("summary"))) == (True, ["token refused: aud, roles"])


def test_accepted_token_is_folded() -> None:
    accepted = span("validate-jwt", token=TokenCheck(accepted=True, claims=CLAIMS[:1]))
    folded = shown(call(spans=(accepted,))).find_class("reads")[0]

    assert (folded.get("open"), words(folded.findall("summary"))) == (None, ["token accepted"])


def test_attempts_tell_member_pool_outcome_and_breaker() -> None:
    usual: dict[str, Any] = {"pool": "regions", "url": "https://a.test/chat", "duration": 10.0}
    attempts = (
        Attempt(backend="sweden", status=429, error=None, started=0.0, breaker="open, for 20 s more", **usual),
        Attempt(backend="france", status=None, error="ConnectionResetError", started=50.0, breaker=None, **usual),
        Attempt(backend=None, status=200, error=None, started=90.0, breaker=None, **{**usual, "pool": None}),
    )
    found = shown(call(duration=100.0, attempts=attempts))

    table = found.find_class("attempts")[0]
    assert [words(row.findall("td")) for row in table.findall(".//tbody/tr")] == [
        ["1", "sweden of pool regionshttps://a.test/chat", "429", "open, for 20 s more", "10.0 ms"],
        ["2", "france of pool regionshttps://a.test/chat", "ConnectionResetError", "none", "10.0 ms"],
        ["3", "by its URLhttps://a.test/chat", "200", "none", "10.0 ms"],
    ]
    assert [(bar.get("x"), bar.get("width")) for bar in table.iter("rect")] == [
        ("0.00%", "10.00%"), ("50.00%", "10.00%"), ("90.00%", "10.00%"),
    ]  # fmt: skip


def test_calls_of_the_gateways_own_are_in_the_row_that_made_them() -> None:
    made = SubCall(
        purpose="send-request", method="POST", url="https://a.test/x", status=503, error=None, started=2.5, duration=5.0
    )
    found = shown(call(spans=(span("send-request", calls=(made,)),), calls=(replace(made, purpose="content safety"),)))

    assert words(found.find_class("calls-made")) == [
        f"{purpose}: POST https://a.test/x \N{RIGHTWARDS ARROW} 5035.0 ms"
        for purpose in ("send-request", "content safety")
    ]
    assert [bar.get("x") for bar in found.iter("rect") if bar.get("class") == "sub-call"] == ["25.00%", "25.00%"]


def test_tokens_are_told_with_who_counted_them() -> None:
    tokens = TokenCount(14, 220, 234, reported=True)
    assert "Tokens14 + 220 = 234, reported" in words(shown(call(tokens=tokens)).find_class("facts")[0].findall("div"))


def test_service_is_a_column_where_there_are_several() -> None:
    found = listed(call(1), call(2, service="fabrikam", deployment="gpt-4o"), q='service:"fabrikam"')

    heads = words(found.findall(".//thead//th"))
    assert heads[4:7] == ["Service", "API", "Deployment"]
    assert words(found.findall(".//nav//a")) == ["all 2", "2xx 2", "contoso 1", "fabrikam 1"]
    assert words(found.findall(".//tbody/tr/td"))[4:7] == ["fabrikam", "chatget", "gpt-4o"]


def test_policies_inside_others_can_be_folded() -> None:
    inner = span("set-header", started=2.0)
    found = shown(call(spans=(span("choose", children=(inner,)),)))

    (folded,) = found.find_class("inside")
    assert (folded.tag, folded.get("open") is not None) == ("details", True)
    assert words(folded.findall(".//h4/code")) == ["set-header"]


def test_bars_of_policies_begin_where_they_began() -> None:
    found = shown(call(duration=10.0, spans=(span(started=2.5, duration=5.0), span(started=9.99, duration=5.0))))

    assert [(bar.get("x"), bar.get("width")) for bar in found.iter("rect")] == [
        ("25.00%", "50.00%"), ("99.50%", "0.50%"),
    ]  # fmt: skip


def test_what_happened_outside_any_policy_has_a_place_of_its_own() -> None:
    found = shown(call(changes=(Change("Variables[v]", None, "1"),), omitted=2))

    assert "outside any policy" in words(found.get_element_by_id("outside").findall("h3"))
    assert "2 policies, reads, changes and notes were too many to keep." in found.text_content()


def test_links_lead_to_the_calls_beside_it() -> None:
    found = shown(call(5), wanted=Filter("status:4xx"), beside=page.Beside(newest=9, newer=7, older=2))
    assert [(link.get("rel"), link.text_content(), link.get("href")) for link in found.findall(".//nav/a")] == [
        ("up", "Traces", "./?q=status%3A4xx"), ("prev", "Newer #7", "7?q=status%3A4xx"),
        ("next", "Older #2", "2?q=status%3A4xx"),
    ]  # fmt: skip
    assert [link.get("rel") for link in shown(call(5)).findall(".//nav/a")] == ["up"]


def test_command_says_what_to_set_before() -> None:
    found = shown(call(method="POST", body=12, headers=(("Host", "localhost:1"), ("Authorization", "Bearer ***"))))

    assert 'Bearer \'"$TOKEN"' in found.get_element_by_id("curl").text_content()
    assert "$TOKEN, body" in found.text_content()
    assert "Too little of this call was kept" in shown(call(url="not traced further")).text_content()


def test_cause_outside_any_policy_leads_there() -> None:
    found = shown(call(status=401, error="SubscriptionKeyNotFound: no key", notes=("no key in api-key",)))

    (link,) = found.find_class("cause")[0].iter("a")
    assert link.get("href") == "#outside"
    assert words(found.find_class("cause")[0].findall("p"))[1:] == [
        "SubscriptionKeyNotFound: no key", "no key in api-key",
    ]  # fmt: skip
    assert "no key in api-key" in found.get_element_by_id("outside").text_content()


# text is never markup


@pytest.mark.parametrize("text", [HOSTILE, "\u202egnp.exe\u2066", "x" * 4000, "]]>", "\N{GRINNING FACE}", "a\x00b"])
def test_text_stays_text_wherever_it_stands(text: str) -> None:
    text = text.replace("\x00", "\N{REPLACEMENT CHARACTER}")
    one = call(
        method=text, url=text, api=text, operation=text, product=text, subscription=text, status=500, error=text,
        caller=text, id=text, headers=((text, text),), changes=(Change(text, text, text),),
        spans=(
            span(text, section=text, document=text, error=text, reads=(Read(text, text),),
                 changes=(Change(text, None, text),)),
        ),
    )  # fmt: skip
    visible = text.replace("\u202e", "[U+202E]").replace("\u2066", "[U+2066]")

    for found in (listed(one, q=text), listed(one), shown(one, wanted=Filter(text))):
        assert found.find(".//img") is None
        assert [script.get("src") for script in found.iter("script")] == ["page.js"]
        assert not [name for element in found.iter(etree.Element) for name in dict(element.attrib) if name[:2] == "on"]
        assert found.find(".//*[@style]") is None
    assert visible in one_of(listed(one), ".//tbody").text_content()
    assert visible in shown(one).find_class("facts")[0].text_content()
    assert "\u202e" not in page.call_page(one).decode()
