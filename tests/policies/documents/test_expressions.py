import pytest

from policies.documents.expressions import expression_end

SHOWN = [
    pytest.param("(a)", id="parentheses"),
    pytest.param("{ return (a[0]); }", id="all brackets"),
    pytest.param('("(" + ")")', id="brackets in a string"),
    pytest.param(r'("\")" + a)', id="escaped quote"),
    pytest.param('(@"\\" + @"a""b)")', id="verbatim"),
    pytest.param("(')' + '\\'')", id="characters"),
    pytest.param('($"{d["a"]} {{ {f("}")}")', id="interpolated"),
    pytest.param('($@"{d["a"]}""" + @$"x")', id="interpolated and verbatim"),
    pytest.param("{ // it's )\n return 1; /* } */ }", id="comments"),
]


@pytest.mark.parametrize("code", SHOWN)
def test_an_expression_ends_where_its_bracket_closes(code: str) -> None:
    assert expression_end(f"@{code} more) }}", 1) == len(code) + 1


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("(", id="nothing"),
        pytest.param("(a]", id="another bracket"),
        pytest.param('("a)', id="string without end"),
        pytest.param('("a\n")', id="string over two lines"),
        pytest.param('($"{a")', id="interpolation without end"),
        pytest.param('($"{' * 60, id="deep"),
    ],
)
def test_what_does_not_close_has_no_end(code: str) -> None:
    assert expression_end(f"@{code}", 1) is None
