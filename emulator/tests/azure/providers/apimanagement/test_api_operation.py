from typing import Any

import pytest

from apim_emulator.azure.exceptions import CloudError
from apim_emulator.model import Operation
from emulator.tests.azure.azure import APIM, Azure


def operation(azure: Azure, operation_id: str = "greet", /, **inputs: Any) -> tuple[str, dict[str, Any]]:
    given = {"apiId": "greeting", "displayName": "Greet", "method": "GET", "urlTemplate": "/greet"} | inputs
    return azure.apim("ApiOperation", operationId=operation_id, **given)


@pytest.fixture
def api(azure: Azure) -> str:
    """ID of an API that is not imported."""
    azure.service()
    return azure.api("greeting", format=None, value=None)[0]


def served(azure: Azure) -> tuple[Operation, ...]:
    (found,) = [found for found in azure.cloud.gateways()[0].apis if found.id == "greeting"]
    return found.operations


def test_an_operation_is_served_with_its_policy(azure: Azure, api: str) -> None:
    parameters = [{"name": "name", "type": "string", "required": True}]
    resource_id, outputs = operation(azure, method="get", urlTemplate="/greet/{name}", templateParameters=parameters)
    policy = "<policies><inbound><base /></inbound></policies>"
    azure.apim("ApiOperationPolicy", apiId="greeting", operationId="greet", policyId="policy", value=policy)

    assert resource_id == f"{api}/operations/greet"
    assert outputs["urlTemplate"] == "/greet/{name}"
    assert served(azure) == (Operation(name="greet", method="GET", url_template="/greet/{name}", policy=policy),)


def test_an_operation_changes_in_place_and_goes(azure: Azure, api: str) -> None:
    resource_id, _ = operation(azure)

    azure.change("apimanagement:ApiOperation", resource_id, method="POST")
    changed = served(azure)
    azure.cloud.delete(resource_id)

    assert changed == (Operation(name="greet", method="POST", url_template="/greet"),)
    assert served(azure) == ()


def test_a_change_of_the_api_leaves_its_operations(azure: Azure, api: str) -> None:
    operation(azure)

    azure.change("apimanagement:Api", api, displayName="Greetings")

    assert [found.name for found in served(azure)] == ["greet"]


def test_an_imported_operation_is_found_as_azure_describes_it(azure: Azure) -> None:
    azure.service()
    azure.api()

    found = azure.cloud.invoke(
        "azure-native:apimanagement:getApiOperation", {**APIM, "apiId": "openai", "operationId": "embeddings_create"}
    )

    assert (found["method"], found["urlTemplate"]) == ("POST", "/deployments/{deployment-id}/embeddings")


PARAMETERS = "All template parameters used in the UriTemplate must be defined in the Operation 'Greet', and vice-versa."


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        pytest.param({"urlTemplate": "/greet/{name}"}, PARAMETERS, id="parameter that is not defined"),
        pytest.param(
            {"templateParameters": [{"name": "name", "type": "string"}]}, PARAMETERS, id="parameter that is not used"
        ),
        pytest.param(
            {"method": "get", "urlTemplate": "/taken"},
            "Operation with the same method and URL template already exists: GET, /taken", id="taken",
        ),
        pytest.param({"policies": "<policies />"}, "policies is not modelled; use ApiOperationPolicy", id="policies"),
        pytest.param({"displayName": "x" * 301}, "displayName", id="long name"),
        pytest.param({"method": None}, "method is missing", id="no method"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("api")
def test_what_azure_refuses(azure: Azure, inputs: dict[str, Any], message: str) -> None:
    operation(azure, "other", urlTemplate="/taken")

    with pytest.raises(CloudError) as refused:
        operation(azure, **inputs)

    assert refused.value.code == "ValidationError"
    assert message in str(refused.value)
    assert [found.name for found in served(azure)] == ["other"]


@pytest.mark.usefixtures("api")
def test_a_wildcard_is_a_parameter(azure: Azure) -> None:
    operation(azure, urlTemplate="/{*path}", templateParameters=[{"name": "path", "type": "string"}])

    assert served(azure)[0].url_template == "/{*path}"
