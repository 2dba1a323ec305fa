"""What Azure Monitor refuses of an action group."""

from typing import Any

import pytest

from apim_emulator.azure import CloudError
from emulator.tests.azure.azure import Azure

OPS = {"name": "ops", "emailAddress": "ops@contoso.com"}


def group(azure: Azure, **inputs: Any) -> dict[str, Any]:
    given = {"resourceGroupName": "rg", "actionGroupName": "ag", "location": "Global", "groupShortName": "ops"}
    return azure.create("monitor:ActionGroup", **given | inputs)[1]


def test_it_keeps_its_receivers(azure: Azure) -> None:
    outputs = group(azure, emailReceivers=[OPS])

    assert outputs["emailReceivers"] == [OPS]


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        pytest.param({"groupShortName": "thirteen long"}, "groupShortName", id="a short name of 13 characters"),
        pytest.param({"groupShortName": ""}, "groupShortName", id="no short name"),
        pytest.param({"emailReceivers": [OPS | {"emailAddress": "ops"}]}, "not a valid email", id="no address"),
        pytest.param(
            {"emailReceivers": [OPS | {"address": "x"}]}, "did you mean emailAddress", id="an unknown property"
        ),
        pytest.param(
            {"emailReceivers": [OPS], "webhookReceivers": [{"name": "ops", "serviceUri": "https://a.example"}]},
            "'ops' is used twice",
            id="two receivers of one name",
        ),
    ],
)
def test_it_refuses(azure: Azure, inputs: dict[str, Any], told: str) -> None:
    with pytest.raises(CloudError, match=told):
        group(azure, **inputs)
