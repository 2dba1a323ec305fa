from typing import Any

import pytest

from apim_emulator.azure import CloudError
from emulator.tests.azure.azure import Azure


def product(azure: Azure, name: str = "p", **inputs: object) -> str:
    return azure.apim("Product", productId=name, displayName=name, state="published", **inputs)[0]


def subscriptions(azure: Azure, name: str) -> list[str]:
    return [found.id for found in azure.cloud.gateways()[0].subscriptions if found.scope == f"/products/{name}"]


def test_the_administrator_is_subscribed_to_a_new_product_once(azure: Azure) -> None:
    azure.service()
    created = product(azure)

    (own,) = subscriptions(azure, "p")
    azure.change("apimanagement:Product", created, displayName="P")

    assert subscriptions(azure, "p") == [own]
    keys = azure.cloud.invoke(
        "azure-native:apimanagement:listSubscriptionSecrets",
        {"resourceGroupName": "rg", "serviceName": "apim", "sid": own},
    )
    assert len(set(keys.values())) == 2


def test_so_it_cannot_be_deleted_before_its_subscriptions(azure: Azure) -> None:
    azure.service()
    created = product(azure)
    (own,) = subscriptions(azure, "p")

    with pytest.raises(CloudError, match="Product cannot be deleted since it has existing subscriptions"):
        azure.cloud.delete(created)
    azure.cloud.delete(f"{azure.service_id()}/subscriptions/{own}")
    azure.cloud.delete(created)

    assert azure.cloud.gateways()[0].products == ()


@pytest.mark.parametrize("inputs", [{"approvalRequired": False}, {"subscriptionsLimit": 1}])
def test_an_open_product_has_no_rules_on_subscriptions(azure: Azure, inputs: dict[str, Any]) -> None:
    azure.service()

    with pytest.raises(CloudError, match="when subscriptionRequired is set to false"):
        product(azure, subscriptionRequired=False, **inputs)


def test_a_user_gets_as_many_subscriptions_as_the_product_allows(azure: Azure) -> None:
    azure.service()
    product(azure, subscriptionsLimit=1)

    def subscribe(name: str, **inputs: object) -> None:
        azure.apim("Subscription", sid=name, displayName=name, scope="/products/p", **inputs)

    with pytest.raises(CloudError, match="Subscriptions limit reached for same user"):
        subscribe("administrator", ownerId="/users/1")
    subscribe("ada", ownerId="/users/ada")
    with pytest.raises(CloudError, match="Subscriptions limit reached for same user"):
        subscribe("ada-too", ownerId="/users/ada")
    subscribe("nobody")
    subscribe("nobody-too")


def test_it_is_found_by_its_name(azure: Azure) -> None:
    azure.service()
    created = product(azure)
    names = {"resourceGroupName": "rg", "serviceName": "apim", "productId": "p"}

    assert azure.cloud.invoke("azure-native:apimanagement:getProduct", names)["id"] == created
