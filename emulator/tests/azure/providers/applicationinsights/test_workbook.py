"""What Azure Monitor refuses of a workbook, and what it adds."""

from typing import Any

import pytest

from apim_emulator.azure import CloudError
from emulator.tests.azure.azure import Azure


def workbook(azure: Azure, **inputs: Any) -> dict[str, Any]:
    given = {
        "resourceGroupName": "rg",
        "resourceName": "11111111-2222-4333-8444-555555555555",
        "displayName": "Gateway",
        "category": "workbook",
        "serializedData": "{}",
    }
    return azure.create("applicationinsights:Workbook", **given | inputs)[1]


def test_it_gets_its_title_as_a_tag_and_its_source_in_lower_case(azure: Azure) -> None:
    outputs = workbook(azure, sourceId="/subscriptions/s/resourceGroups/RG", tags={"team": "ai"})

    assert outputs["tags"] == {"team": "ai", "hidden-title": "Gateway"}
    assert outputs["sourceId"] == "/subscriptions/s/resourcegroups/rg"


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        pytest.param({"resourceName": "gateway"}, "resourceName 'gateway' does not match", id="a name that is no GUID"),
        pytest.param({"serializedData": "{"}, "serializedData is not JSON", id="content that is no JSON"),
        pytest.param({"displayName": ""}, "displayName is empty", id="no title"),
        pytest.param({"kind": "user"}, "kind 'user' is not one of shared", id="a workbook of one user"),
    ],
)
def test_it_refuses(azure: Azure, inputs: dict[str, Any], told: str) -> None:
    with pytest.raises(CloudError, match=told):
        workbook(azure, **inputs)


def test_the_data_plane_reads_its_content(azure: Azure) -> None:
    workbook(azure, serializedData='{"items": []}')

    assert azure.cloud.workbooks() == ('{"items": []}',)
