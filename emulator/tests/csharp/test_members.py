"""No supported member is left out of what is drawn, and each is used with several values."""

import pytest

from apim_emulator.csharp.library import table
from emulator.tests.csharp.drawn import expressions
from emulator.tests.csharp.members import signatures, uses
from emulator.tests.csharp.values import values

pytestmark = pytest.mark.corpus
_TABLES = (table.PROPERTIES, table.SETTERS, table.METHODS, table.STATICS)
_FLAT = (table.INDEXERS, table.INDEX_SETTERS, table.CONSTRUCTORS, table.EXTENSIONS)


def test_every_member_of_the_tables_has_a_use() -> None:
    named = sum(
        len(found) if isinstance(found, tuple) else 1
        for one in _TABLES
        for members in one.values()
        for found in members.values()
    )
    flat = sum(len(members) for one in _FLAT for members in one.values())

    assert len(signatures()) == named + flat + len(table.CONSTANTS) + len(table.AMBIENT)


def test_every_member_has_values_to_draw() -> None:
    missing = []
    for one in uses():
        for place in range(len(one.needs)):
            try:
                values(one, place)
            except AssertionError as error:
                missing.append(str(error))

    assert missing == []


def test_members_are_drawn_by_the_thousand() -> None:
    found = expressions()

    assert found.keys() == signatures()
    assert sum(map(len, found.values())) >= 5000
