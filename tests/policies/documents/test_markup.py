import contextlib
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apim_emulator.gateway import raw_xml
from emulator.tests.csharp.corpus import CORPUS
from policies.documents.markup import LocatedElement, MarkupError, read

CODE = '@(a["x"] == "<b>" && c < 1 ? $"{d["e"]}" : "it\'s")'


def value(text: str) -> str | None:
    return read(text).text


def attribute(text: str) -> str | None:
    return read(text).get("b")


def test_an_expression_is_read_as_the_portal_shows_it_and_escaped_alike() -> None:
    assert value(f"<a>{CODE}</a>") == value(f"<a>{escape(CODE)}</a>") == CODE
    assert attribute(f'<a b="{CODE}"/>') == attribute(f"<a b={quoteattr(CODE)}/>") == CODE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('<a b="@{\n// it\'s\n\treturn 1; }" />', "@{\n// it's\n\treturn 1; }", id="lines are kept"),
        pytest.param("<a b='@(\"a &amp; b\")' />", '@("a & b")', id="escaped in a text that is XML"),
        pytest.param('<a b="@(x)"/>', "@(x)", id="nothing to escape"),
        pytest.param('<a b=" @("x") "/>', ' @("x") ', id="spaces around"),
        pytest.param('<a b="me@(example"/>', "me@(example", id="no expression"),
        pytest.param("<a b='{{name}}'/>", "{{name}}", id="named value"),
    ],
)
def test_attributes_mean_what_they_say(text: str, expected: str) -> None:
    assert attribute(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("<a><![CDATA[@(a < b)]]></a>", "@(a < b)", id="CDATA"),
        pytest.param("<a>\n  @(a < b)\n</a>", "\n  @(a < b)\n", id="white space around"),
        pytest.param('<a>@("<b>x</b>")</a>', '@("<b>x</b>")', id="elements in a string"),
        pytest.param("<a><!-- @( --></a>", None, id="comment"),
        pytest.param('\ufeff<a>@("ü")</a>', '@("ü")', id="byte order mark"),
    ],
)
def test_texts_mean_what_they_say(text: str, expected: str | None) -> None:
    assert value(text) == expected


def places(text: str) -> list[tuple[str, int, int]]:
    elements = [element for element in read(text, around="inbound").iter() if isinstance(element, LocatedElement)]
    return [(element.tag, element.line, element.column) for element in elements[1:]]


def test_elements_know_their_places_in_the_text_as_it_was_given() -> None:
    text = f'<a b="{CODE}\n"/><b/>\n  <c d="é @(x)" e="@("é" +\n"x")"><d/></c>'

    found = [("a", 1, 1), ("b", 2, 4), ("c", 3, 3), ("d", 4, 7)]
    assert places(text) == found
    for tag, line, column in found:
        assert text.split("\n")[line - 1][column - 1 :].startswith(f"<{tag}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("<a>\n  <b></a>", r"line 2, column \d+: is not well-formed: mismatched tag", id="tags"),
        pytest.param("<a/>\n<b c=1/>", "line 2, column 6: is not well-formed: ", id="quotes"),
        pytest.param('<a/>\n <b x=\'@("é" + y("<")\' z/>', r"line 2, column \d+: is not well", id="after code"),
        pytest.param("<a>&nbsp;</a>", "line 1, column 4: is not well-formed: undefined entity", id="entity"),
        pytest.param("</inbound><outbound>", r"line 1, column \d+: is not well-formed: junk", id="out of it"),
        pytest.param("<a/><!DOCTYPE a>", "line 1, column ", id="document type"),
        pytest.param("<?pi x?>", "line 1, column 1: a processing instruction is not allowed", id="instruction"),
        pytest.param("<a xmlns='u'/>", "line 1, column 1: xmlns has a namespace", id="namespace"),
        pytest.param("\n <x:a/>", "line 2, column 2: x:a has a namespace", id="prefix"),
        pytest.param(
            "<a>\x00</a>", r"line 1, column 4: U\+0000 is a character that XML does not allow", id="character"
        ),
        pytest.param("<a>" * 60, r"line 1, column \d+: is nested deeper than 50", id="deep"),
    ],
)
def test_what_is_not_read_is_told_with_its_place(text: str, said: str) -> None:
    with pytest.raises(MarkupError, match=f"^{said}"):
        read(text, around="inbound")


def test_a_document_type_is_refused_before_its_entities_are_read() -> None:
    bomb = '<!DOCTYPE a [<!ENTITY b "x">]><a>&b;</a>'

    with pytest.raises(MarkupError, match=r"^line 1, column \d+: a document type is not allowed; remove it"):
        read(bomb)


def is_xml(text: str) -> bool:
    try:
        ET.fromstring(text)
    except ET.ParseError:
        return False
    return True


@pytest.mark.parametrize("area", CORPUS)
def test_expressions_are_found_as_the_sandbox_finds_them(area: str) -> None:
    for code, _ in CORPUS[area]:
        for text in (f"<r><a>{code}</a></r>", f'<r><a b="{code}" c="x"/></r>', f"<r>\n<a b='{code}'/></r>"):
            judged = raw_xml.parse(text, raw="&" not in code or not is_xml(text))
            found = read(text)

            assert (found[0].get("b"), found[0].text) == (judged.root[0].get("b"), judged.root[0].text), text
            assert [(found[0].get("c"), len(found))] == [(judged.root[0].get("c"), len(judged.root))]


CHARS = st.text(st.characters(codec="utf-8", min_codepoint=32, exclude_characters="\ufffe\uffff"), max_size=20)


def literal(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@given(CHARS, CHARS)
def test_raw_and_escaped_expressions_of_any_text_are_read_alike(one: str, two: str) -> None:
    code = f"@({literal(one)} + {literal(two)} + 'x')"
    escaped = read(f"<a b={quoteattr(code)}>{escape(code)}</a>")

    assert escaped.get("b") == escaped.text == code
    raw = f'<a b="{code}">{code}</a>'
    with contextlib.suppress(MarkupError):
        found = read(raw)
        if "&" not in code:
            assert found.get("b") == found.text == code


@given(st.text() | st.text(st.sampled_from("<>/a@({\"'=&;![- \n)}x")))
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    for around in (None, "inbound"):
        try:
            found = read(text, around=around)
        except MarkupError as error:
            line, column = error.line, error.column
        else:
            line, column = found.line, found.column
        assert 1 <= line <= text.count("\n") + 1
        assert column >= 1


@given(CHARS)
def test_what_was_read_is_read_the_same_again(text: str) -> None:
    code = f"@({literal(text)})"
    found = read(f"<a b={quoteattr(code)}><c>{escape(code)}</c></a>")
    again = read(ET.tostring(found, encoding="unicode"))

    assert (again.get("b"), again[0].text) == (found.get("b"), found[0].text)
