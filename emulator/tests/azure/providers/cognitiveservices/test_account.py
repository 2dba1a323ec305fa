import pytest

from apim_emulator.azure import CloudError
from emulator.tests.azure.azure import Azure


@pytest.mark.parametrize("key", ["key1", "key2"])
def test_a_regenerated_key_is_dead_and_the_other_lives_on(azure: Azure, key: str) -> None:
    account_id, _ = azure.account()
    before = azure.cloud.accounts()[0].keys
    other = {"key1": 1, "key2": 0}[key]

    azure.cloud.regenerate_key(account_id, key)

    after = azure.cloud.accounts()[0].keys
    assert after[other] == before[other]
    assert after[1 - other] not in before
    listed = azure.cloud.invoke(
        "azure-native:cognitiveservices:listAccountKeys", {"resourceGroupName": "rg", "accountName": "oai"}
    )
    assert (listed["key1"], listed["key2"]) == after


def test_there_are_two_keys(azure: Azure) -> None:
    account_id, _ = azure.account()

    with pytest.raises(CloudError, match="keyName 'key3' is not key1 or key2"):
        azure.cloud.regenerate_key(account_id, "key3")


def safety_account(azure: Azure, kind: str = "ContentSafety") -> str:
    return azure.create(
        "cognitiveservices:Account",
        resourceGroupName="rg",
        accountName="cs",
        kind=kind,
        sku={"name": "S0"},
        properties={"customSubDomainName": "cs"},
    )[0]


@pytest.mark.parametrize(
    ("kind", "host"),
    [
        ("ContentSafety", "cs.cognitiveservices.azure.com"),
        ("AIServices", "cs.cognitiveservices.azure.com"),
        ("OpenAI", None),
    ],
)
def test_content_is_checked_at_a_host_of_its_own(azure: Azure, kind: str, host: str | None) -> None:
    safety_account(azure, kind)

    assert azure.cloud.accounts()[0].safety_host == host


def test_a_content_safety_account_becomes_no_other(azure: Azure) -> None:
    account_id = safety_account(azure)

    with pytest.raises(CloudError, match=r"kind of .* cannot be changed"):
        azure.change("cognitiveservices:Account", account_id, kind="AIServices")
