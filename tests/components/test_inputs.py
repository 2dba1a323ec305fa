"""Options given as mappings: by another language, or by a Python program that writes dictionaries."""

from typing import Any

import pulumi
import pytest

from components._inputs import read_options
from options import EntraOptions, GatewayOptions, GatewaySku, KeyOptions, KeySource, KeyVaultOptions, OpenAIOptions


def test_options_stay_as_they_are() -> None:
    given = GatewayOptions(sku=GatewaySku.PREMIUM, publisher_name="Contoso", publisher_email="ai@contoso.com")

    assert read_options(GatewayOptions, given, "at") is given


@pytest.mark.parametrize(
    ("given", "made"),
    [
        pytest.param({}, KeyOptions(), id="left-out"),
        pytest.param(
            {"source": None, "delivery": None, "named_value": None, "vault": None}, KeyOptions(), id="null-is-left-out"
        ),
        pytest.param(
            {"source": "key-vault", "vault": {"existing": None, "name": "kv-contoso"}},
            KeyOptions(source=KeySource.KEY_VAULT, vault=KeyVaultOptions(name="kv-contoso")),
            id="null-inside",
        ),
    ],
)
def test_the_defaults_apply(given: dict[str, Any], made: KeyOptions) -> None:
    assert read_options(KeyOptions, given, "at") == made


def test_null_in_a_list_of_options_is_left_out() -> None:
    made = read_options(
        OpenAIOptions, {"deployments": [{"name": "gpt", "model": "m", "sku": None, "capacity": 2.0}]}, "at"
    )

    assert (made.deployments[0].sku, made.deployments[0].capacity) == ("GlobalStandard", 2)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param({"capacity": 1.5}, "^at.capacity: Input should be a valid integer", id="fraction"),
        pytest.param({"sku": "Large"}, "^at.sku: Input should be 'Consumption', ", id="choice"),
        pytest.param({"existing": {"name": "apim"}}, "^at.existing.resource_group: Field required$", id="missing"),
        pytest.param({"skew": "Basic"}, "^at.skew: Unexpected keyword argument$", id="unknown"),
        pytest.param({"name": 1, "capacity": "x"}, "^at.name: .*; at.capacity: ", id="all-at-once"),
    ],
)
def test_a_mistake_is_named_in_one_line(given: dict[str, Any], message: str) -> None:
    with pytest.raises(pulumi.RunError, match=message) as refused:
        read_options(GatewayOptions, given, "at")

    assert "\n" not in str(refused.value)


def test_a_value_is_not_shown() -> None:
    with pytest.raises(pulumi.RunError) as refused:
        read_options(EntraOptions, {"tenant_id": {"password": "hunter2"}}, "at")

    assert "hunter2" not in str(refused.value)
