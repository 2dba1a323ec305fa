"""Template deployments: what they change of an API, and what they refuse."""

from typing import Any

import pytest

from apim_emulator.azure import CloudError
from apim_emulator.model import Api
from emulator.tests.azure.azure import Azure

NAMES = {"header": "api-key", "query": "api-key"}
API = {"path": "openai", "displayName": "openai", "subscriptionKeyParameterNames": {**NAMES, "bearer": "enabled"}}


def template(*, name: str = "apim/openai", kind: str = "service/apis", **properties: Any) -> dict[str, Any]:
    resource = {
        "type": f"Microsoft.ApiManagement/{kind}",
        "apiVersion": "2024-05-01",
        "name": name,
        "properties": {**API, **properties},
    }
    return {"properties": {"mode": "Incremental", "template": {"resources": [resource]}}}


def deploy(azure: Azure, **more: Any) -> str:
    return azure.create("resources:Deployment", resourceGroupName="rg", deploymentName="bearer", **template(**more))[0]


@pytest.fixture
def api_id(azure: Azure) -> str:
    azure.service()
    return azure.api(subscriptionKeyParameterNames=NAMES)[0]


def seen(azure: Azure) -> Api:
    return azure.cloud.gateways()[0].apis[0]


@pytest.mark.usefixtures("api_id")
def test_a_template_lets_an_api_take_keys_as_bearer_tokens(azure: Azure) -> None:
    before = seen(azure)

    deployment_id = deploy(azure)

    assert not before.key_bearer
    assert seen(azure).key_bearer
    assert seen(azure).operations == before.operations
    assert deployment_id == f"{azure.group_id()}/providers/Microsoft.Resources/deployments/bearer"


def test_azure_native_neither_reads_what_the_template_set_nor_keeps_it_when_it_writes(
    azure: Azure, api_id: str
) -> None:
    read = azure.cloud.inputs_of("azure-native:apimanagement:Api", api_id)
    deploy(azure)

    assert azure.cloud.inputs_of("azure-native:apimanagement:Api", api_id) == read
    azure.change("apimanagement:Api", api_id, description="another")
    assert not seen(azure).key_bearer


def test_a_deployment_that_is_deleted_leaves_what_it_did(azure: Azure, api_id: str) -> None:
    azure.cloud.delete(deploy(azure))

    assert seen(azure).key_bearer
    assert api_id


@pytest.mark.usefixtures("api_id")
@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"name": "apim/absent"}, "absent"),
        ({"kind": "service/products"}, "service/products' is not modelled"),
        ({"description": "[resourceGroup().location]"}, "description is an expression of the template language"),
        ({"pathh": "openai"}, "pathh is not a property of this type; did you mean path"),
        ({"subscriptionKeyParameterNames": {"bearer": "on"}}, "bearer 'on' is not one of enabled"),
    ],
)
def test_what_is_not_modelled_is_refused_by_name(azure: Azure, wanted: dict[str, Any], said: str) -> None:
    with pytest.raises(CloudError, match=said):
        deploy(azure, **wanted)

    assert not seen(azure).key_bearer
