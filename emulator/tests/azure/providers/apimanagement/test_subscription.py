import pytest

from apim_emulator.azure import CloudError
from emulator.tests.azure.azure import Azure


def subscription(azure: Azure) -> tuple[str, dict[str, str]]:
    azure.service()
    where = {"resourceGroupName": "rg", "serviceName": "apim"}
    sid, _ = azure.create("apimanagement:Subscription", **where, sid="team", displayName="Team", scope="/apis")
    return sid, {**where, "sid": "team"}


@pytest.mark.parametrize(("key", "kept"), [("primary", "secondaryKey"), ("secondary", "primaryKey")])
def test_a_regenerated_key_is_dead_and_the_other_lives_on(azure: Azure, key: str, kept: str) -> None:
    sid, where = subscription(azure)
    before = azure.cloud.invoke("azure-native:apimanagement:listSubscriptionSecrets", where)

    azure.cloud.regenerate_subscription_key(sid, key)

    after = azure.cloud.invoke("azure-native:apimanagement:listSubscriptionSecrets", where)
    assert after[kept] == before[kept]
    assert after[f"{key}Key"] not in before.values()


def test_a_subscription_has_two_keys(azure: Azure) -> None:
    sid, _ = subscription(azure)

    with pytest.raises(CloudError, match="key 'third' is not primary or secondary"):
        azure.cloud.regenerate_subscription_key(sid, "third")
