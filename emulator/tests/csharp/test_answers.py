"""Drawn expressions over every supported member, and over the language itself, give what C# gives."""

import pytest

from apim_emulator.csharp import Type, compile_expression
from apim_emulator.csharp.runtime.exceptions import StoppedError
from emulator.tests.csharp.answers import answers, shortened
from emulator.tests.csharp.calls import outcome, without_chance
from emulator.tests.csharp.drawn import DRAWN_CALL

pytestmark = pytest.mark.corpus
_PARTS = 20
_ANSWERS = list(answers())


def test_answers_are_several_thousand() -> None:
    assert len(_ANSWERS) >= 5000


@pytest.mark.parametrize("part", range(_PARTS))
def test_drawn_expressions_give_what_csharp_gives(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    without_chance(monkeypatch)
    wrong = []
    for text, value in _ANSWERS[part::_PARTS]:
        try:
            found = shortened(outcome(compile_expression.__wrapped__(text, Type.OBJECT), DRAWN_CALL))
        except StoppedError as error:
            found = str(error)
        if found != value:
            wrong.append(f"{text} gives {found}, and in C# {value}")

    assert wrong == []
