import pytest

from sandbox.expressions import Type, compile_expression
from tests.sandbox.expressions.calls import CALL, outcome, without_chance
from tests.sandbox.expressions.corpus import CORPUS
from tests.sandbox.expressions.edges import EDGES

ENTRIES = [
    pytest.param(*entry, id=f"{area}: {entry[0]}") for area, entries in (CORPUS | EDGES).items() for entry in entries
]


@pytest.mark.parametrize(("text", "result"), ENTRIES)
def test_expression_gives_what_csharp_gives(text: str, result: str, monkeypatch: pytest.MonkeyPatch) -> None:
    without_chance(monkeypatch)

    assert outcome(compile_expression(text, Type.OBJECT), CALL) == result
