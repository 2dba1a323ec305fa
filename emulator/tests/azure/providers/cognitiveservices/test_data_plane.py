from apim_emulator.model import ModelDeployment
from emulator.tests.azure.azure import Azure


def test_a_foundry_resource_serves_azure_openai_at_its_own_host(azure: Azure) -> None:
    azure.create(
        "cognitiveservices:Account",
        resourceGroupName="rg",
        accountName="ai",
        kind="AIServices",
        sku={"name": "S0"},
        properties={"customSubDomainName": "ai"},
    )

    (account,) = azure.cloud.accounts()

    assert account.host == "ai.openai.azure.com"


def test_accounts_have_their_host_and_models(azure: Azure) -> None:
    account_id, _ = azure.account("oai", disableLocalAuth=True)
    azure.deployment()
    azure.account("legacy", customSubDomainName=None)

    (account,) = azure.cloud.accounts()

    assert (account.id, account.host, account.local_auth) == (account_id, "oai.openai.azure.com", False)
    assert account.deployments == (ModelDeployment(name="gpt-4o", model="gpt-4o", version="2024-11-20"),)
