"""The versions of both products: what a user pins, and what changelogs and pages tell of it."""

import json
import re

import pytest

import apim_emulator
import components
from tests.deployed import ROOT


def text(file: str) -> str:
    return (ROOT / file).read_text(encoding="utf-8")


def released(changelog: str) -> list[str]:
    """Versions of a changelog, newest first."""
    return re.findall(r"^## \[(\d.*?)\] - \d{4}-\d{2}-\d{2}$", text(changelog), re.MULTILINE)


def upgrades(product: str) -> list[str]:
    """Versions that the upgrade page tells of, newest first."""
    part = text("docs/upgrading.md").partition(f"\n## {product}\n")[2].partition("\n## ")[0]
    return re.findall(r"^### (\S+)$", part, re.MULTILINE)


def test_the_changelog_begins_with_the_version() -> None:
    assert released("CHANGELOG.md")[0] == components.__version__


def test_the_package_has_the_version() -> None:
    assert json.loads(text("tests/snapshots/schema.json"))["version"] == components.__version__


@pytest.mark.parametrize(
    ("product", "changelog"),
    [
        pytest.param("Program and component package", "CHANGELOG.md", id="program"),
        pytest.param("Emulator", "emulator/CHANGELOG.md", id="emulator"),
    ],
)
def test_the_upgrade_page_tells_of_every_version(product: str, changelog: str) -> None:
    assert upgrades(product) == released(changelog) != []


@pytest.mark.parametrize("page", ["docs/components.md", "examples/README.md", "docs/upgrading.md"])
def test_the_pages_pin_the_version_of_the_package(page: str) -> None:
    pinned = re.findall(r"/components@v([\d.]+\d)", text(page))

    assert pinned
    assert set(pinned) == {components.__version__}


def test_the_upgrade_page_pins_the_version_of_the_emulator() -> None:
    assert re.findall(r"@emulator-v([\d.]+\d)", text("docs/upgrading.md")) == [apim_emulator.__version__]
