"""Project and stack files are read as the engine reads them; the table was made with yaml.v3 v3.0.1."""

from math import inf
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apim_emulator.pulumi.deploy import DeployError, load_stack
from apim_emulator.pulumi.project_yaml import read
from tests.deployed import ROOT, deploy_program

SCALARS: list[tuple[str, Any]] = [
    ("2024-11-20", "2024-11-20 00:00:00 +0000 UTC"),
    ("2024-1-5", "2024-01-05 00:00:00 +0000 UTC"),
    ("2024-11-20T10:00:00Z", "2024-11-20 10:00:00 +0000 UTC"),
    ("2024-11-20t1:2:3Z", "2024-11-20 01:02:03 +0000 UTC"),
    ("2024-11-20T10:00:00+02:00", "2024-11-20 10:00:00 +0200 +0200"),
    ("2024-11-20 10:00:00.50", "2024-11-20 10:00:00.5 +0000 UTC"),
    ("2024-11-20 10:00:00Z", "2024-11-20 10:00:00Z"),
    ("2024-13-20", "2024-13-20"),
    ("2024-02-30", "2024-02-30"),
    ("'2024-11-20'", "2024-11-20"),
    ("1", 1),
    ("01", 1),
    ("0125", 85),
    ("0_125", 85),
    ("-012", -10),
    ("0o17", 15),
    ("0x1F", 31),
    ("0b11", 3),
    ("+1", 1),
    ("1_000", 1000),
    ("_1", "_1"),
    ("0914", 914),
    ("08", 8),
    ("1.0", 1),
    ("1.10", 1.1),
    (".5", 0.5),
    ("1e3", 1000),
    ("1e400", "1e400"),
    ("-.inf", -inf),
    ("18446744073709551615", 2**64 - 1),
    ("123456789012345678901234567890", 1.2345678901234568e29),
    ("!!str 0125", "0125"),
    ('"0125"', "0125"),
    ("1106-Preview", "1106-Preview"),
    ("12:30:45", "12:30:45"),
    ("true", True),
    ("FALSE", False),
    ("yes", "yes"),
    ("on", "on"),
    ("~", None),
    ("", None),
]


@pytest.mark.parametrize(("text", "value"), SCALARS, ids=[text or "nothing" for text, _ in SCALARS])
def test_a_scalar_is_what_the_engine_makes_of_it(text: str, value: Any) -> None:
    found = read(f"a: {text}")["a"]

    assert (found, type(found)) == (value, type(value))


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=30))
def test_text_in_quotes_stays_as_it_is(text: str) -> None:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')

    assert read(f'a: "{quoted}"') == {"a": text}


@given(st.dates())
def test_every_date_becomes_a_text_that_still_begins_with_it(date: Any) -> None:
    assert read(f"a: {date.isoformat()}") == {"a": f"{date.isoformat()} 00:00:00 +0000 UTC"}


def test_a_stack_is_read_that_way(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: small\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {small:deployments: [{version: 2024-11-20, sku: no}]}\n")

    assert load_stack(tmp_path, "dev")["small:deployments"] == [
        {"version": "2024-11-20 00:00:00 +0000 UTC", "sku": "no"}
    ]


@pytest.mark.parametrize(
    ("config", "place"),
    [
        pytest.param(
            "  small:auth: key\n  small:auth: entra\n", 'mapping key "small:auth" already defined at line 2', id="key"
        ),
        pytest.param(
            "  small:gateway: {sku: Basic, sku: Premium}\n", 'mapping key "sku" already defined at line 2', id="nested"
        ),
    ],
)
def test_a_repeated_key_is_refused(config: str, place: str, tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: small\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_text(f"config:\n{config}")

    with pytest.raises(DeployError, match=place):
        load_stack(tmp_path, "dev")


def test_a_key_may_take_the_place_of_a_merged_one() -> None:
    assert read("a: &a {<<: &b {x: 1, y: 1}, x: 2}\nb: *b\nc: {<<: *a, y: 2}") == {
        "a": {"x": 2, "y": 1},
        "b": {"x": 1, "y": 1},
        "c": {"x": 2, "y": 2},
    }


def test_a_models_version_without_quotes_is_deployed_as_it_was_typed(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "Pulumi.dev.yaml").write_text(
        """
        config:
          azure-native:location: swedencentral
          openai-gateway:gateway: {publisherName: Contoso, publisherEmail: ai@contoso.com}
          openai-gateway:openai: {deployments: [{name: gpt-4o, model: gpt-4o, version: 2024-11-20}]}
        """
    )

    deployed = deploy_program(load_stack(tmp_path, "dev"))

    assert deployed.one("Deployment").inputs["properties"]["model"]["version"] == "2024-11-20"
