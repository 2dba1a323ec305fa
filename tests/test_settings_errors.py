"""Stack config that is refused, and the message that it gets."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from options import GatewaySku
from settings import SettingsError, load

CASES = yaml.load(Path(__file__).with_name("settings_errors.yaml").read_bytes(), yaml.CSafeLoader)
GATEWAY = {"publisherName": "Contoso", "publisherEmail": "ai@contoso.com"}
DEPLOYMENT = {"name": "gpt-4o", "model": "gpt-4o"}
RIGHT = {
    "azure-native:location": "swedencentral",
    "openai-gateway:gateway": GATEWAY,
    "openai-gateway:openai": {"deployments": [DEPLOYMENT]},
}


def mistakes(config: dict[str, Any], folder: Path, secret_keys: tuple[str, ...] = ()) -> list[str]:
    full = {key if ":" in key else f"openai-gateway:{key}": value for key, value in config.items()}
    with pytest.raises(SettingsError) as refused:
        load({**RIGHT, **full}, folder, secret_keys=secret_keys)
    return str(refused.value).splitlines()


HOSTILE = """<policies>
  <inbound><set-method>POST</set-method>
    <base />
  </inbound>
  <backend>
    <set-header name="a" exists-action="delete" />
  </backend>
</policies>
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project's folder with files that are no OpenAPI 3 documents in JSON."""
    (tmp_path / "openapi.yaml").write_text("openapi: 3.0.0\n")
    (tmp_path / "swagger.json").write_text('{"swagger": "2.0"}')
    (tmp_path / "comma.json").write_text('{\n"openapi": "3.0.0",\n"paths": {},\n}\n')
    (tmp_path / "v1.json").write_text('{"openapi": "3.0.0", "paths": {"/chat/completions": {"post": {}}}}')
    embed = (
        '{"openapi": "3.0.0", "paths": {"/deployments/{deployment-id}/embeddings": {"post": {"operationId": "embed"}}}}'
    )
    (tmp_path / "dated.json").write_text(embed)
    (tmp_path / "good.xml").write_text("<policies><inbound><trace /></inbound></policies>")
    (tmp_path / "broken.xml").write_text("<policies>\n<inbound>\n</policies>\n")
    (tmp_path / "hostile.xml").write_text(HOSTILE)
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe")
    return tmp_path


@pytest.mark.parametrize("case", [pytest.param(case, id=case["case"]) for case in CASES])
def test_mistakes_are_reported(case: dict[str, Any], folder: Path) -> None:
    assert mistakes(case["config"], folder) == case["mistakes"]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        pytest.param(
            {"gateway": {**GATEWAY, "tags": {f"tag{i}": "x" for i in range(51)}}},
            "openai-gateway:gateway.tags: has 51 tags; allowed: up to 50; remove some",
            id="too many tags",
        ),
        pytest.param(
            {"gateway": {**GATEWAY, "tags": {"note": "x" * 257}}},
            "openai-gateway:gateway.tags.note: is 257 characters long; allowed: up to 256; shorten it",
            id="too long a tag",
        ),
        pytest.param(
            {"openai": {"accounts": [{"name": f"aoai-{i}"} for i in range(31)], "deployments": [DEPLOYMENT]}},
            "openai-gateway:openai.accounts: has 31 accounts; allowed: up to 30 in a pool; remove some",
            id="too large a pool",
        ),
        pytest.param(
            {"entra": {"requiredClaims": {"groups": {"values": ["a\x01b"]}}}},
            r'openai-gateway:entra.requiredClaims.groups.values[0]: "a\u0001b" contains the character U+0001 at 1, '
            "which XML does not allow; remove it",
            id="a character that XML cannot carry",
        ),
        pytest.param(
            {"gateway": {**GATEWAY, "publisherName": "Con\ntoso\x7f"}},
            r'openai-gateway:gateway.publisherName: "Con\ntoso\u007f" is not valid; allowed: 1 to 100 characters, '
            "without spaces around them",
            id="a line break",
        ),
        pytest.param(
            {"gateway": {**GATEWAY, "tags": {3: "x"}}},
            "openai-gateway:gateway.tags[3]: 3 is given where text is expected; put it in quotes, since YAML reads "
            "0125 without quotes as 85",
            id="a key that YAML reads as a number",
        ),
        pytest.param(
            {"two\nlines": 1},
            r'openai-gateway:"two\nlines": is not a known key; '
            "allowed: auth, gateway, openai, key, entra, jwt, identityProviders, "
            "safety, cache, network, protect, limits, metrics, tokenPolicies, "
            "observability, apis, teams",
            id="a key of two lines",
        ),
    ],
)
def test_an_odd_mistake_is_reported_in_one_line(config: dict[str, Any], expected: str, tmp_path: Path) -> None:
    assert mistakes(config, tmp_path) == [expected]


@pytest.mark.parametrize(
    ("sku", "most"),
    [
        (GatewaySku.DEVELOPER, 1),
        (GatewaySku.BASIC, 2),
        (GatewaySku.STANDARD, 4),
        (GatewaySku.PREMIUM, 12),
        (GatewaySku.BASIC_V2, 10),
        (GatewaySku.STANDARD_V2, 10),
        (GatewaySku.PREMIUM_V2, 30),
        (GatewaySku.CONSUMPTION, 0),
    ],
)
def test_capacity_ends_where_the_tier_does(sku: GatewaySku, most: int, tmp_path: Path) -> None:
    def config(capacity: int) -> dict[str, Any]:
        return {"gateway": {**GATEWAY, "sku": str(sku), "capacity": capacity}}

    accepted = load({**RIGHT, **{f"openai-gateway:{k}": v for k, v in config(most).items()}}, tmp_path)

    assert accepted.gateway.capacity == most
    assert len(mistakes(config(most + 1), tmp_path)) == 1


@pytest.mark.parametrize(
    "config",
    [
        pytest.param({"auth": "sesame"}, id="where an enum stands"),
        pytest.param({"entra": {"tenantId": "sesame"}}, id="where a GUID stands"),
        pytest.param({"entra": {"requiredClaims": {"code": ["{{sesame}}"]}}}, id="in a claim"),
        pytest.param({"entra": {"roles": ["a"], "scopes": ["sesame", "sesame"]}}, id="twice in a list"),
        pytest.param({"entra": {"roleAssignments": [{"principalId": "0", "role": "sesame"}]}}, id="as a role"),
        pytest.param({"jwt": {"audiences": ["@(sesame)"], "openidConfigUrls": ["http://sesame"]}}, id="in a URL"),
    ],
)
def test_value_that_pulumi_keeps_secret_is_not_shown(config: dict[str, Any], tmp_path: Path) -> None:
    lines = mistakes(config, tmp_path, secret_keys=tuple(f"openai-gateway:{key}" for key in config))

    assert "sesame" not in "".join(lines)
    assert any("the value (not shown)" in line for line in lines)


def test_long_value_is_cut(tmp_path: Path) -> None:
    [line] = mistakes({"gateway": {**GATEWAY, "identity": "x" * 500}}, tmp_path)

    assert line.startswith(f'openai-gateway:gateway.identity: "{"x" * 79}..." is not valid')


def test_definition_file_must_have_a_name_that_files_can_have(tmp_path: Path) -> None:
    [line] = mistakes({"apis": [{"name": "openai", "path": "openai", "definitionFile": "a\0b"}]}, tmp_path)

    assert line.endswith("is not a JSON text file; name an OpenAPI 3 document in JSON")
