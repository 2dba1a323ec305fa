"""Clusters: where clients reach them."""

import pytest

from apim_emulator.azure import CloudError
from emulator.tests.azure.azure import Azure


@pytest.mark.parametrize(
    ("sku", "host"),
    [
        ("Balanced_B0", "redis-contoso.swedencentral.redis.azure.net"),
        ("Enterprise_E5", "redis-contoso.swedencentral.redisenterprise.cache.azure.net"),
    ],
)
def test_the_host_is_that_of_name_and_region(azure: Azure, sku: str, host: str) -> None:
    assert azure.redis(sku={"name": sku})[1]["hostName"] == host


def test_a_name_is_taken_once_in_a_region(azure: Azure) -> None:
    azure.redis()
    azure.create("resources:ResourceGroup", resourceGroupName="other", location="swedencentral")

    with pytest.raises(CloudError, match=r"redis-contoso\.swedencentral\.redis\.azure\.net' is already in use"):
        azure.redis(resourceGroupName="other")
    assert azure.redis(resourceGroupName="other", location="francecentral")


def test_public_access_must_be_told(azure: Azure) -> None:
    with pytest.raises(CloudError, match="publicNetworkAccess is missing"):
        azure.redis(publicNetworkAccess=None)
