"""The queries as Microsoft's own parser sees them, with the columns that Azure's tables have."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from apim_emulator.services.azure_monitor import COLUMNS
from components.alerts import MEASURED
from queries import FOLDER, names

JUDGE = Path(__file__).parent / "official"
NODE = shutil.which("node")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        NODE is None or not (JUDGE / "node_modules").is_dir(),
        reason=f"no parser of Microsoft: needs node, and npm ci in {JUDGE.name}",
    ),
]
MISTAKES = {
    "a column that is not": "AppMetrics | where Nope == 1",
    "a type that does not fit": "AppMetrics | where TimeGenerated > 1",
    "a word that is not": "AppMetrics | summarze count()",
}


@pytest.fixture(scope="module")
def judged() -> dict[str, Any]:
    texts = {name: (FOLDER / f"{name}.kql").read_text(encoding="utf-8") for name in names()} | MISTAKES
    asked = json.dumps({"tables": COLUMNS, "queries": texts})
    answer = subprocess.run(  # noqa: S603 - a script of this repository
        [str(NODE), "analyze.js"], cwd=JUDGE, input=asked, capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


@pytest.mark.parametrize("name", names())
def test_every_name_and_type_is_right(judged: dict[str, Any], name: str) -> None:
    assert judged[name]["problems"] == []


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_parser_tells_mistakes(judged: dict[str, Any], mistake: str) -> None:
    assert judged[mistake]["problems"] != []


@pytest.mark.parametrize("name", [name for name in names() if name.startswith("alerts/")])
def test_a_rule_measures_columns_that_its_query_returns(judged: dict[str, Any], name: str) -> None:
    column, dimensions = MEASURED[name.removeprefix("alerts/")]

    assert judged[name]["columns"][column] in {"long", "real"}
    for dimension in dimensions:
        assert judged[name]["columns"][dimension] in {"string", "long"}
