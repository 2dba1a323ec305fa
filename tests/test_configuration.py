"""The pages on configuration: what they show is config that the program takes."""

import re
from pathlib import Path

import pytest
import yaml

from settings import load
from tests.deployed import ROOT

BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
SHOWN = [
    pytest.param(yaml.safe_load(block), id=f"{page.name} {number}")
    for page in (ROOT / "README.md", ROOT / "docs" / "configuration.md", ROOT / "docs" / "network.md")
    for number, block in enumerate(
        re.findall(r"^```yaml\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    )
]
REST = {
    "azure-native:location": "swedencentral",
    "openai-gateway:gateway": {"publisherName": "Contoso", "publisherEmail": "ai@contoso.com"},
}


@pytest.mark.parametrize("config", SHOWN)
def test_config_that_is_shown_has_no_mistakes(config: dict[str, object], tmp_path: Path) -> None:
    assert load({**REST, **config}, tmp_path).apis


def test_all_pages_show_config() -> None:
    assert {str(shown.id).split()[0] for shown in SHOWN} == {"README.md", "configuration.md", "network.md"}
