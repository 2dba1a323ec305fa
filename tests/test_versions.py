"""The version of the component package: what a program pins, and what the changelog and the upgrade page tell of it."""

import json
import re

import pytest

import components
from tests.deployed import ROOT

CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
RELEASED = re.findall(r"^## \[(\d.*?)\] - \d{4}-\d{2}-\d{2}$", CHANGELOG, re.MULTILINE)


def test_the_changelog_begins_with_the_version() -> None:
    assert RELEASED[0] == components.__version__


def test_the_package_has_the_version() -> None:
    schema = json.loads((ROOT / "tests" / "snapshots" / "schema.json").read_text(encoding="utf-8"))

    assert schema["version"] == components.__version__


@pytest.mark.parametrize("page", ["docs/components.md", "examples/README.md"])
def test_the_pages_pin_the_version(page: str) -> None:
    pinned = re.findall(r"/components@v(\S+)", (ROOT / page).read_text(encoding="utf-8"))

    assert pinned
    assert set(pinned) == {components.__version__}
