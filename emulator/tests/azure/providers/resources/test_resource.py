"""Generic resources: a backend with a managed identity works, and everything else is kept as it is given."""

from typing import Any

import pytest

from apim_emulator.azure import CloudError
from apim_emulator.azure.registry import unmodelled_warning
from apim_emulator.model import BackendIdentity
from emulator.tests.azure.azure import Azure

TOKEN = "azure-native:resources:Resource"
URL = "https://cs.cognitiveservices.azure.com"
RESOURCE = "https://cognitiveservices.azure.com"
PLACE = {
    "apiVersion": "2024-05-01",
    "resourceGroupName": "rg",
    "resourceProviderNamespace": "Microsoft.ApiManagement",
    "parentResourcePath": "service/apim",
    "resourceType": "backends",
    "resourceName": "safety",
}


def properties(**identity: str) -> dict[str, Any]:
    credentials = {"managedIdentity": {"resource": RESOURCE, **identity}}
    return {"protocol": "http", "url": URL, "credentials": credentials}


@pytest.fixture
def azure(azure: Azure) -> Azure:
    azure.service()
    return azure


def create(azure: Azure, given: dict[str, Any] | None = None, **place: str) -> tuple[str, dict[str, Any]]:
    return azure.create("resources:Resource", **PLACE | place, properties=properties() if given is None else given)


@pytest.mark.parametrize(("identity", "client_id"), [({}, None), ({"clientId": "c"}, "c")])
def test_a_backend_has_its_managed_identity(azure: Azure, identity: dict[str, str], client_id: str | None) -> None:
    resource_id, outputs = create(azure, properties(**identity))

    assert resource_id == f"{azure.service_id()}/backends/safety"
    assert (outputs["name"], outputs["type"]) == ("safety", "Microsoft.ApiManagement/service/backends")
    assert outputs["properties"] == properties(**identity)
    (backend,) = azure.cloud.gateways()[0].backends
    assert (backend.id, backend.url) == ("safety", URL)
    assert backend.identity == BackendIdentity(resource=RESOURCE, client_id=client_id)


def test_a_backend_can_be_found_by_its_own_function(azure: Azure) -> None:
    resource_id, _ = create(azure)

    args = {"resourceGroupName": "rg", "serviceName": "apim", "backendId": "safety"}
    assert azure.cloud.invoke("azure-native:apimanagement:getBackend", args)["id"] == resource_id


@pytest.mark.parametrize(
    ("given", "told"),
    [
        pytest.param({"protocol": "http"}, "url is missing", id="no url"),
        pytest.param({**properties(), "uri": "x"}, "uri is not a property of this type", id="unknown property"),
        pytest.param(properties(client="c"), "credentials.managedIdentity.client is not", id="unknown in identity"),
        pytest.param(
            {**properties(), "credentials": {"managedIdentity": {}}},
            "credentials.managedIdentity.resource is missing",
            id="no audience",
        ),
    ],
)
def test_a_backend_is_checked_like_one_of_its_own_type(azure: Azure, given: dict[str, Any], told: str) -> None:
    with pytest.raises(CloudError, match=told):
        create(azure, given)


def test_a_backend_of_the_same_name_is_refused(azure: Azure) -> None:
    azure.backend("safety")

    with pytest.raises(CloudError, match="already existing resource"):
        create(azure)


def test_a_backend_changes_in_place(azure: Azure) -> None:
    resource_id, _ = create(azure)

    azure.change("resources:Resource", resource_id, properties=properties(clientId="c"))

    (backend,) = azure.cloud.gateways()[0].backends
    assert backend.identity == BackendIdentity(resource=RESOURCE, client_id="c")


def test_a_backend_that_a_policy_names_is_not_deleted(azure: Azure) -> None:
    resource_id, _ = create(azure)
    azure.api()
    azure.policy('<set-backend-service backend-id="safety" />')

    with pytest.raises(CloudError, match="the Backend 'safety' cannot be deleted"):
        azure.cloud.delete(resource_id)


def test_the_typed_backend_has_no_managed_identity(azure: Azure) -> None:
    with pytest.raises(CloudError, match=r"credentials\.managedIdentity is not a property of this type"):
        azure.backend(**properties())


def test_what_is_no_backend_is_kept_and_told(azure: Azure) -> None:
    resource_id, _ = create(azure, {"a": 1}, resourceType="caches")

    assert azure.cloud.gateways()[0].backends == ()
    assert azure.cloud.read(TOKEN, resource_id)["properties"] == {"a": 1}
    azure.change("resources:Resource", resource_id, properties={"a": 2})
    azure.cloud.delete(resource_id)
    assert unmodelled_warning(TOKEN, {**PLACE, "resourceType": "caches"})
    assert unmodelled_warning(TOKEN, PLACE) is None
