"""Log Analytics workspaces: names, retention, and what deleting one leaves for 14 days."""

from typing import Any

import pytest

from apim_emulator.azure import CloudError
from emulator.tests.azure.azure import Azure

DAY = 24 * 3600


def test_it_keeps_rows_for_a_month_by_default(azure: Azure) -> None:
    _, outputs = azure.workspace()

    assert (outputs["retentionInDays"], outputs["sku"]) == (30, {"name": "PerGB2018"})
    assert azure.cloud.workspaces()[0].retention == 30


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        pytest.param({"name": "log"}, "workspaceName 'log' does not match", id="three characters"),
        pytest.param({"name": "log-"}, "workspaceName 'log-' does not match", id="a hyphen at the end"),
        pytest.param({"name": "l" * 64}, "does not match", id="64 characters"),
        pytest.param({"retentionInDays": 29}, "retentionInDays 29 is not 30 to 730", id="too short"),
        pytest.param({"retentionInDays": 731}, "retentionInDays 731 is not 30 to 730", id="too long"),
        pytest.param({"features": {"localAuth": True}}, "features.localAuth is not a property", id="unknown feature"),
    ],
)
def test_it_refuses(azure: Azure, inputs: dict[str, Any], told: str) -> None:
    with pytest.raises(CloudError, match=told):
        azure.workspace(**inputs)


def test_a_new_one_of_the_name_recovers_the_deleted_one(azure: Azure) -> None:
    made, outputs = azure.workspace()
    azure.cloud.delete(made)

    assert azure.cloud.workspaces() == ()
    recovered, again = azure.workspace(retentionInDays=60)
    assert (recovered, again["customerId"], again["retentionInDays"]) == (made, outputs["customerId"], 60)
