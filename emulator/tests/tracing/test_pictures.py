"""The page of the docs that shows the trace pages."""

import re
from pathlib import Path

from apim_emulator.tracing.filter import fields

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "traces.md").read_text(encoding="utf-8")


def test_pictures_are_there_and_small() -> None:
    shown = re.findall(r"!\[[^\]]{20,}\]\((pictures/[\w-]+\.png)\)", PAGE)

    assert sorted(shown) == sorted(f"pictures/{path.name}" for path in (DOCS / "pictures").iterdir())
    for path in shown:
        data = (DOCS / path).read_bytes()
        assert (data[:8], len(data) < 150_000) == (b"\x89PNG\r\n\x1a\n", True), path


def test_each_field_of_the_filter_is_told() -> None:
    assert set(re.findall(r"`-?([a-z]+):", PAGE)) == set(fields())
