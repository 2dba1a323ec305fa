import pytest

from apim_emulator.csharp import Type, compile_expression
from emulator.tests.csharp.calls import CALL, outcome, without_chance
from emulator.tests.csharp.corpus import CORPUS
from emulator.tests.csharp.edges import EDGES
from emulator.tests.csharp.xml_edges import XML_EDGES

pytestmark = pytest.mark.corpus

ENTRIES = [
    pytest.param(*entry, id=f"{area}: {entry[0]}")
    for area, entries in (CORPUS | EDGES | XML_EDGES).items()
    for entry in entries
]


@pytest.mark.parametrize(("text", "result"), ENTRIES)
def test_expression_gives_what_csharp_gives(text: str, result: str, monkeypatch: pytest.MonkeyPatch) -> None:
    without_chance(monkeypatch)

    assert outcome(compile_expression(text, Type.OBJECT), CALL) == result
