"""Key Vault's two planes: who writes a secret may neither delete it nor read it, and a new role takes its time."""

import pytest

from apim_emulator.azure import Cloud, CloudError
from apim_emulator.azure.faults import Faults
from apim_emulator.clock import Clock
from emulator.tests.azure.azure import SECRETS_USER, Azure

SECRETS_OFFICER = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
SECRET = "azure-native:keyvault:Secret"
SECRET_URI = "https://kv-contoso.vault.azure.net/secrets/openai-key"
HOUR, DAY = 3600.0, 86400.0


@pytest.fixture
def clock() -> Clock:
    return Clock(1_700_000_000)


@pytest.fixture
def azure(clock: Clock) -> Azure:
    return Azure(Cloud(clock=clock))


def as_deployer(azure: Azure, scope: str, role: str = SECRETS_OFFICER) -> str:
    return azure.role(azure.cloud.deployer_object_id, scope, role, principalType="User")[0]


@pytest.mark.parametrize("role", [None, CONTRIBUTOR, SECRETS_USER])
def test_a_secret_is_written_through_resource_manager_and_deleted_in_the_vault(azure: Azure, role: str | None) -> None:
    vault_id, _ = azure.vault()
    secret_id, _ = azure.secret()
    if role is not None:
        as_deployer(azure, vault_id, role)

    with pytest.raises(CloudError) as refusal:
        azure.cloud.delete(secret_id)

    assert refusal.value.code == "Forbidden"
    assert "Caller is not authorized to perform action on resource" in refusal.value.message
    assert "'Microsoft.KeyVault/vaults/secrets/delete'" in refusal.value.message
    assert azure.cloud.read(SECRET, secret_id)["name"] == "openai-key"


def test_an_access_policy_lets_delete_where_the_vault_uses_them(azure: Azure) -> None:
    policy = {"objectId": azure.cloud.deployer_object_id, "tenantId": azure.cloud.tenant_id}
    readers = [policy | {"permissions": {"secrets": ["get"]}}]
    vault_id, _ = azure.vault(enableRbacAuthorization=False, accessPolicies=readers)
    secret_id, _ = azure.secret()
    as_deployer(azure, vault_id)

    with pytest.raises(CloudError, match="does not have secrets delete permission on key vault 'kv-contoso'"):
        azure.cloud.delete(secret_id)

    permissions = {"permissions": {"secrets": ["Delete"]}}
    properties = azure.cloud.read("azure-native:keyvault:Vault", vault_id)["properties"]
    kept = {name: properties[name] for name in ("tenantId", "sku", "enableRbacAuthorization")}
    azure.change("keyvault:Vault", vault_id, properties=kept | {"accessPolicies": [policy | permissions]})
    azure.cloud.delete(secret_id)


def test_a_deleted_secret_keeps_its_name_from_who_may_not_recover_it(azure: Azure, clock: Clock) -> None:
    vault_id, _ = azure.vault(softDeleteRetentionInDays=7)
    secret_id, _ = azure.secret()
    role = as_deployer(azure, vault_id)
    azure.cloud.delete(secret_id)
    azure.cloud.delete(role)

    with pytest.raises(CloudError) as refusal:
        azure.secret()
    assert refusal.value.code == "Conflict"
    assert "currently in a deleted but recoverable state, and its name cannot be reused" in refusal.value.message

    azure.vault("kv-other")
    azure.secret(vaultName="kv-other")
    clock.advance(7 * DAY)
    assert azure.secret()[0] == secret_id


def test_a_deleted_secret_is_recovered_and_written_anew_by_who_may(azure: Azure) -> None:
    vault_id, _ = azure.vault()
    secret_id, before = azure.secret("one")
    as_deployer(azure, vault_id)
    azure.cloud.delete(secret_id)

    again, after = azure.secret("two")

    assert again == secret_id
    assert after["properties"]["secretUri"] == before["properties"]["secretUri"]
    _, outputs = azure.service()
    azure.role(outputs["identity"]["principalId"], vault_id, SECRETS_USER)
    for name, properties in (("old", before["properties"]), ("new", after["properties"])):
        azure.named_value(name, secret=True, keyVault={"secretIdentifier": properties["secretUriWithVersion"]})
    assert azure.cloud.gateways()[0].named_values == {"old": "one", "new": "two"}


def test_a_secret_goes_with_its_vault_and_needs_no_role_for_that(azure: Azure) -> None:
    vault_id, _ = azure.vault()
    secret_id, _ = azure.secret()

    azure.cloud.delete(vault_id)

    with pytest.raises(CloudError, match="ResourceNotFound"):
        azure.cloud.read(SECRET, secret_id)
    azure.vault(createMode="recover")
    assert azure.cloud.read(SECRET, secret_id)["name"] == "openai-key"


def test_a_vault_comes_back_without_the_secrets_that_were_deleted_before_it(azure: Azure, clock: Clock) -> None:
    vault_id, _ = azure.vault()
    secret_id, _ = azure.secret()
    kept_id, _ = azure.secret(secretName="kept")
    as_deployer(azure, vault_id)
    azure.cloud.delete(secret_id)
    clock.advance(HOUR)

    azure.cloud.delete(vault_id)
    azure.vault(createMode="recover")

    assert azure.cloud.read(SECRET, kept_id)["name"] == "kept"
    with pytest.raises(CloudError, match="ResourceNotFound"):
        azure.cloud.read(SECRET, secret_id)


@pytest.mark.parametrize("protected", [True, False])
def test_a_deleted_secret_can_be_purged_unless_its_vault_is_protected(azure: Azure, *, protected: bool) -> None:
    vault_id, _ = azure.vault(enablePurgeProtection=protected or None)
    secret_id, _ = azure.secret()
    role = as_deployer(azure, vault_id)
    azure.cloud.delete(secret_id)
    azure.cloud.delete(role)

    if protected:
        with pytest.raises(CloudError, match="purge protection"):
            azure.cloud.purge(SECRET, "openai-key")
    else:
        azure.cloud.purge(SECRET, "openai-key")
        assert azure.secret()[0] == secret_id


def test_a_new_role_has_an_effect_only_after_a_while(clock: Clock) -> None:
    azure = Azure(Cloud(clock=clock, faults=Faults(role_delay=600.0, time_scale=0.5)))
    principal = azure.service()[1]["identity"]["principalId"]
    azure.vault()
    secret_id, _ = azure.secret()
    azure.role(principal, secret_id, SECRETS_USER)

    with pytest.raises(CloudError) as refusal:
        azure.named_value("key", secret=True, keyVault={"secretIdentifier": SECRET_URI})
    assert refusal.value.code == "InvalidOperation"
    assert refusal.value.message.startswith(
        f"Failed to access KeyVault Secret {SECRET_URI} using Managed Service Identity of Api Management service."
    )
    assert f"ObjectId: {principal} has GET permissions" in refusal.value.message
    assert azure.cloud.gateways()[0].named_values == {}

    clock.advance(299.0)
    assert not azure.cloud.has_role(principal, SECRETS_USER, secret_id)
    clock.advance(1.0)
    assert azure.cloud.has_role(principal, SECRETS_USER, secret_id)
    azure.named_value("key", secret=True, keyVault={"secretIdentifier": SECRET_URI})
