"""XML as JSON: values that Json.NET's `SerializeXmlNode` gives, and when it is made."""

import tracemalloc

import pytest

from apim_emulator.gateway.xml_json import json_of_xml
from apim_emulator.testing import PolicyBench, Reply

CASES = {
    '<?xml version="1.0" encoding="utf-8"?><s:E xmlns:s="u"><s:B>1</s:B></s:E>': (
        '{"?xml":{"@version":"1.0","@encoding":"utf-8"},"s:E":{"@xmlns:s":"u","s:B":"1"}}'
    ),
    '<?xml version="1.0" standalone="yes"?><a>1</a>': '{"?xml":{"@version":"1.0","@standalone":"yes"},"a":"1"}',
    "<a/>": '{"a":null}',
    "<a></a>": '{"a":""}',
    "<a> <b> </b> <b>2</b> </a>": '{"a":{"b":["","2"]}}',
    "<a><b/></a>": '{"a":{"b":null}}',
    '<a x="1"/>': '{"a":{"@x":"1"}}',
    '<a x="/"></a>': '{"a":{"@x":"/"}}',
    '<a x="1">t<b>u</b></a>': '{"a":{"@x":"1","#text":"t","b":"u"}}',
    "<a>x<b/>y<![CDATA[<]]></a>": '{"a":{"#text":["x","y"],"b":null,"#cdata-section":"<"}}',
    "<a><![CDATA[]]></a>": '{"a":{"#cdata-section":""}}',
    "<a><b/><c/><b/></a>": '{"a":{"b":[null,null],"c":null}}',
    "<?pi some text?><a><?x y?></a>": '{"?pi":"some text","a":{"?x":"y"}}',
    '<a>\n \u2028&lt;"\\/</a>': '{"a":"\\n \\u2028<\\"\\\\/"}',
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("xml", CASES)
def test_xml_is_written_as_json_net_writes_it(xml: str, encoding: str) -> None:
    assert json_of_xml(xml.replace("utf-8", encoding).encode(encoding), False) == CASES[xml].replace("utf-8", encoding)


def test_every_inner_element_can_be_an_array() -> None:
    assert json_of_xml(b'<a><b x="1">t</b><c/></a>', True) == '{"a":{"b":[{"@x":"1","#text":"t"}],"c":[null]}}'


@pytest.mark.parametrize(
    ("xml", "reason"),
    [
        ("<!DOCTYPE a><a/>", "DOCTYPE"),
        ("<a>x<!-- c -->y</a>", "comment"),
        ("<p:a/>", "prefix of p:a"),
        ('<a b:c="1"/>', "prefix of b:c"),
        ("<a>" * 200 + "</a>" * 200, "deep"),
        ('<a xmlns:j="http://james.newtonking.com/projects/json"/>', "namespace"),
    ],
)
def test_what_has_no_sure_form_is_refused(xml: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        json_of_xml(xml.encode(), False)


@pytest.mark.parametrize(
    ("attributes", "accept", "content_type", "converted"),
    [
        ("apply='always'", "application/json", "text/plain", True),
        ("apply='always'", "text/html, application/problem+json;q=0.5", "text/plain", True),
        ("apply='always'", "*/*", "text/xml", False),
        ("apply='always'", None, "text/xml", False),
        ("apply='always' consider-accept-header='false'", None, "text/plain", True),
        ("apply='content-type-xml' consider-accept-header='false'", None, "application/soap+xml; charset=utf-8", True),
        ("apply='content-type-xml' consider-accept-header='false'", None, "text/plain", False),
    ],
)
def test_headers_decide_what_is_converted(
    attributes: str, accept: str | None, content_type: str, converted: bool
) -> None:
    bench = PolicyBench(
        f"<policies><outbound><xml-to-json kind='direct' {attributes}/></outbound></policies>",
        backend=lambda _: Reply(content=b"<a/>", headers={"Content-Type": content_type}),
    )

    response = bench.get("/", headers={} if accept is None else {"Accept": accept})

    assert response.content == (b'{"a":null}' if converted else b"<a/>")


def test_a_request_is_converted_before_the_backend_gets_it() -> None:
    bench = PolicyBench(
        "<policies><inbound><xml-to-json kind='direct' apply='always' consider-accept-header='false'/></inbound>"
        "</policies>"
    )

    request = bench.post("/", data=b"<a>" + b"<b/>" * 20_000 + b"</a>").requests[0]

    assert request.headers["Content-Type"] == "application/json"
    assert request.json() == {"a": {"b": [None] * 20_000}}


def test_prefix_is_known_where_it_is_declared_alone() -> None:
    inner = b'<a xmlns:p="u"><b xmlns:p="v"><p:c/></b><p:d/></a>'

    assert '"p:d":null' in json_of_xml(inner, several=False)
    with pytest.raises(ValueError, match="prefix of q:c is not declared"):
        json_of_xml(b'<a><b xmlns:q="u"/><q:c/></a>', several=False)


def test_declarations_are_not_copied_for_each_element_that_has_some() -> None:
    around = b" ".join(b'xmlns:p%d="u"' % number for number in range(500))
    tracemalloc.start()
    try:
        json_of_xml(b"<a %s>%s%s</a>" % (around, b'<b xmlns:q="u">' * 120, b"</b>" * 120), several=False)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
