from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apim_emulator.gateway import PolicyLoadError, effective_policy
from apim_emulator.gateway.loading import raw_xml
from apim_emulator.gateway.loading.document import Node, Reader
from apim_emulator.gateway.loading.plan import compile_plan
from apim_emulator.model import Operation, Product
from emulator.tests.gateway.harness import Bench, gateway

READER = Reader(1_000_000, None)

PORTAL = """\
<!-- as people write it: <base /> "quotes" & all -->
<policies>
    <inbound>
        <base />
        <set-variable name="n" value="@(1 < 2 && "a>b" != "c" ? "yes" : "no")" />
        <choose>
            <when condition="@(context.Request.Headers.GetValueOrDefault("X-Team", "") == "a")">
                <return-response>
                    <set-header name="X-Value" exists-action="override">
                        <value>@((string)context.Variables["n"] + "&amp; </value>")</value>
                    </set-header>
                </return-response>
            </when>
        </choose>
    </inbound>
</policies>
"""


def raw(text: str, root: str = "r") -> Node:
    return READER.read(text, "document", root, raw=True)


def value(text: str) -> str:
    """Read one attribute of a raw document."""
    return raw(f"<r a={text}/>").attributes["a"]


async def test_document_of_the_portal_runs(gateway_bench: Bench) -> None:
    gateway_bench.load(PORTAL, api={"policy_format": "rawxml"})

    response = await gateway_bench.call(headers={"X-Team": "a"})

    assert response.headers["X-Value"] == "yes&amp; </value>"


def test_document_of_the_portal_is_no_xml() -> None:
    with pytest.raises(PolicyLoadError, match=r"api api, line 5, column .*: policies: not well-formed XML: "):
        compile_plan(gateway(PORTAL))


def test_every_scope_and_every_fragment_has_a_format() -> None:
    def document(name: str) -> str:
        return f"""<policies><inbound><base/><set-variable name="{name}" value="@("{name}")"/></inbound></policies>"""

    operation = Operation(
        name="models", method="GET", url_template="/models", policy=document("operation"), policy_format="rawxml"
    )
    include = """<policies><inbound><base/><include-fragment fragment-id="f"/></inbound></policies>"""
    service = gateway(
        include,
        api={"policy_format": "rawxml", "operations": (operation,)},
        products=(Product(id="p", api_ids=frozenset({"api"}), policy=document("product"), policy_format="rawxml"),),
        policy=document("global"),
        policy_format="rawxml",
        fragments={"f": """<fragment><set-variable name="f" value="@("f")"/></fragment>"""},
        raw_fragments=frozenset({"f"}),
    )

    compile_plan(service)
    text = effective_policy(service, "api", "models", "p")

    assert [f'value="@(&quot;{name}&quot;)"' in text for name in ("operation", "product", "global", "f")] == [True] * 4


@pytest.mark.parametrize(
    "expression",
    [
        '@("a" + "b")',
        '@("a\\"b" == @"c""d")',
        '@($"{context.Api.Id} {"nested " + $"{1 + 1}"} {{literal}}")',
        '@($@"C:\\{"x"}")',
        "@('\"' == '\\'' || '\\u0022' == '\"')",
        '@(a[0] < b["<"] && c > d || e["a>b"] == "</r>")',
        '@(/* ")" */ "x")',
        '@{ return "}" + ")"; }',
        '@{\n  // it\'s a "comment" )\n  return new { a = "<b>" }["x"];\n}',
        '@(context.Variables["{{name}}"])',
        "@(As<JObject>())",
        '@("a &amp; b" + "&lt;")',
    ],
)
@pytest.mark.parametrize("quote", ['"', "'"])
def test_expression_is_read_as_it_stands(expression: str, quote: str) -> None:
    assert value(f"{quote}{expression}{quote}") == expression
    assert value(f"{quote} {expression}\t{quote}").strip() == expression
    assert raw(f"<r>\n  {expression}\n</r>").text.strip() == expression


@pytest.mark.parametrize(
    ("escaped", "plain"),
    [
        ('"@(a == &quot;b&quot;)"', '@(a == "b")'),
        ('"@(a == &quot;b)&quot;)"', '@(a == "b)")'),
        ("'@(a &lt; b &amp;&amp; c)'", "@(a < b && c)"),
        ('"@(&#34;x&#x22;)"', '@("x")'),
        ('"@{ // it\'s (x\n return &quot;x&quot;; }"', '@{ // it\'s (x\n return "x"; }'),
    ],
)
def test_expression_that_is_escaped_all_the_same_is_tolerated(escaped: str, plain: str) -> None:
    assert value(escaped) == plain
    assert raw(f"<r>{escaped[1:-1]}</r>").text == plain


@pytest.mark.parametrize(
    ("escaped", "plain"),
    [
        ('@(a == "b" &amp;&amp; c != "&lt;")', '@(a == "b" && c != "&lt;")'),
        ('@(1 < 2 &amp;&amp; a == "b")', '@(1 < 2 && a == "b")'),
        ('@(1 &lt; 2 && a == "b")', '@(1 < 2 && a == "b")'),
        ('@{ // x &amp; y\n if (1 < 2 &amp;&amp; a == "b") { return "c"; } return "d"; }',
         '@{ // x &amp; y\n if (1 < 2 && a == "b") { return "c"; } return "d"; }'),
    ],
)  # fmt: skip
def test_expression_that_is_escaped_in_part_is_csharp(escaped: str, plain: str) -> None:
    assert value(f'"{escaped}"') == plain
    if "<" in escaped:
        assert raw(f"<r>{escaped}</r>").text == plain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("<r>a &amp; b</r>", "a & b", id="text"),
        pytest.param("<r>me@(example</r>", "me@(example", id="no expression"),
        pytest.param('<r><![CDATA[@("</r>" < 1)]]></r>', '@("</r>" < 1)', id="CDATA"),
        pytest.param("\ufeff<?xml version='1.0' encoding='utf-16'?><r>\u00e9</r>", "\u00e9", id="BOM and declaration"),
        pytest.param('<r><!-- @(" --><?pi @("?>x</r>', "x", id="comment and instruction"),
    ],
)
def test_text_is_xml(text: str, expected: str) -> None:
    assert raw(text).text == expected


@pytest.mark.parametrize(
    ("text", "place"),
    [
        pytest.param("<r>\n  <a x=\"1\" x='2'/>\n</r>", (2, None), id="attribute twice"),
        pytest.param("<r>\n\n  <a></b>\n</r>", (3, None), id="wrong end tag"),
        pytest.param('<r a="@("x")"\n   b="@("y")" c>', (2, 16), id="attribute without a value"),
        pytest.param("<r a=1/>", (1, 6), id="value without quotes"),
        pytest.param("<r>\n <a x='@(1)/></r>", (2, 7), id="value without an end"),
        pytest.param("<r>1 < 2</r>", (1, 6), id="less than"),
        pytest.param("<r>\n<a 'x'/></r>", (2, 4), id="no attribute"),
        pytest.param("<r><!-- x</r>", (1, 4), id="comment without end"),
        pytest.param("<r><![CDATA[x</r>", (1, 4), id="CDATA without end"),
        pytest.param("<r><?x</r>", (1, 4), id="instruction without end"),
        pytest.param("<r></r", (1, 4), id="end tag without end"),
        pytest.param("<r>\n&nothing;</r>", (2, None), id="unknown entity"),
        pytest.param("<r a='@(\"b\" < 1)'>\n<x>\0</x></r>", (2, None), id="NUL"),
        pytest.param("<!DOCTYPE r [<!ENTITY e 'x'>]><r>&e;</r>", (1, 1), id="document type"),
        pytest.param("<r>\n <!ENTITY e SYSTEM 'file:///etc/passwd'></r>", (2, 2), id="entity"),
        pytest.param("", (1, 1), id="nothing"),
        pytest.param("text", (1, 1), id="no XML"),
    ],
)
@pytest.mark.parametrize("is_raw", [True, False], ids=["rawxml", "xml"])
def test_error_tells_the_place_in_the_text_as_it_was_given(
    text: str, place: tuple[int, int | None], is_raw: bool
) -> None:
    if not is_raw and '@("' in text:
        return
    with pytest.raises(raw_xml.DocumentError) as caught:
        raw_xml.parse(text, raw=is_raw)

    line, column = place
    assert caught.value.line == line
    assert column is None or caught.value.column == column


def test_problem_of_a_policy_tells_the_place_in_the_text_as_it_was_given() -> None:
    text = (
        '<policies>\n<inbound>\n  <set-variable name="a"\n     value="@{\n return "x";\n}"/>  <unknown/>\n'
        "</inbound></policies>"
    )

    with pytest.raises(PolicyLoadError) as caught:
        compile_plan(gateway(text, api={"policy_format": "rawxml"}))

    assert [str(problem) for problem in caught.value.problems] == [
        "api api, line 6, column 7: unknown: policy is not supported"
    ]


def test_document_type_in_a_string_is_only_text() -> None:
    assert value('"@("<!DOCTYPE x>" + "<!ENTITY")"') == '@("<!DOCTYPE x>" + "<!ENTITY")'


@pytest.mark.slow
def test_ends_of_expressions_are_not_sought_for_ever() -> None:
    text = "<r>" + "@(" * 100_000 + "</r>"

    with pytest.raises(raw_xml.DocumentError, match="too many expressions without an end"):
        raw_xml.parse("<r>" + "<a>@(x</a>" * 50_000 + "</r>", raw=True)
    assert raw(text).text == "@(" * 100_000


NAMES = st.sampled_from(["a", "set-header", "when", "x_1"])
PIECES = st.sampled_from(
    [
        "a",
        " ",
        "1",
        "<",
        ">",
        "&&",
        "&",
        "=",
        "\n",
        "\t",
        "'x'",
        "'\"'",
        '"s"',
        '"a\\"b"',
        '@"v""w"',
        '"<!-- x -->"',
        '$"i{1}j"',
        '$"{"n"}"',
        "(1)",
        "[0]",
        "{ }",
        '// c ) "\n',
        "/* ' */",
        '"</r>"',
        '"&amp;"',
        "{{n}}",
        "\u00e9",
        ";",
    ]
)
EXPRESSIONS = st.tuples(st.sampled_from(["()", "{}"]), st.lists(PIECES, max_size=8)).map(
    lambda made: f"@{made[0][0]}{' '.join(made[1])}{made[0][1]}"
)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=12).map(
    lambda text: text.replace("@", "").strip().replace("\ufffe", "").replace("\uffff", "")
)
VALUES = EXPRESSIONS | TEXTS


@st.composite
def elements(draw: st.DrawFn, depth: int = 0) -> ET.Element:
    element = ET.Element(draw(NAMES))
    for name, text in draw(st.dictionaries(NAMES, VALUES, max_size=3)).items():
        element.set(name, text)
    if depth < 3 and draw(st.booleans()):
        element.extend(draw(st.lists(elements(depth + 1), max_size=3)))
    else:
        element.text = draw(VALUES)
    return element


def unescaped(element: ET.Element, indent: str = "") -> str:
    """Write an element as people do in the portal: expressions as they are."""
    attributes = "".join(f' {name}="{_raw(text, attribute=True)}"' for name, text in element.items())
    if len(element):
        inside = "".join(f"\n{unescaped(child, indent + '  ')}" for child in element) + f"\n{indent}"
    else:
        inside = _raw(element.text or "", attribute=False)
    return f"{indent}<{element.tag}{attributes}>{inside}</{element.tag}>"


def _raw(text: str, *, attribute: bool) -> str:
    if text.startswith(("@(", "@{")):
        return text
    for letter, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(letter, entity)
    return text.replace("\n", "&#10;") if attribute else text


def shape(node: Node) -> tuple[object, ...]:
    return node.name, dict(node.attributes), node.text, tuple(shape(child) for child in node.children)


@given(elements())
def test_rendered_document_written_by_hand_loads_as_the_same(element: ET.Element) -> None:
    rendered = ET.tostring(element, encoding="unicode")
    by_hand = unescaped(element)

    expected = READER.read(rendered, "document", element.tag)
    found = raw(by_hand, element.tag)

    assert shape(_plain(found)) == shape(_plain(expected))
    lines = by_hand.split("\n")
    for node in _all(found):
        assert node.column is not None
        assert lines[node.line - 1][node.column - 1 :].startswith(f"<{node.name}")


@given(st.text(st.sampled_from("<>/=\"'@(){}[]&;!-? abx\n\\$*")))
def test_any_text_is_read_or_refused_with_a_place_inside_it(text: str) -> None:
    place = (1, 1)
    try:
        raw_xml.parse(text, raw=True)
    except raw_xml.DocumentError as error:
        place = (error.line, error.column)

    lines = text.split("\n")
    assert 1 <= place[0] <= len(lines)
    assert 1 <= place[1] <= len(lines[place[0] - 1]) + 1


def _plain(node: Node) -> Node:
    """Leave out the white space between elements."""
    children = tuple(_plain(child) for child in node.children)
    return Node(node.name, node.attributes, children, "" if children else node.text, "", 0)


def _all(node: Node) -> list[Node]:
    return [node, *(inner for child in node.children for inner in _all(child))]
