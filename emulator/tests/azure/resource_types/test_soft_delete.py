"""Soft delete: names stay taken, restores bring back, purges free, and time does it too."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from apim_emulator.azure import Cloud, CloudError
from apim_emulator.clock import Clock
from emulator.tests.azure.azure import OPENAI_USER, Azure

SERVICE = "azure-native:apimanagement:ApiManagementService"
ACCOUNT = "azure-native:cognitiveservices:Account"
VAULT = "azure-native:keyvault:Vault"
HOUR, DAY = 3600.0, 86400.0


@pytest.fixture
def clock() -> Clock:
    return Clock(1_700_000_000)


@pytest.fixture
def azure(clock: Clock) -> Azure:
    return Azure(Cloud(clock=clock))


Make = Callable[..., tuple[str, dict[str, Any]]]


def service(azure: Azure, *, restore: bool = False) -> tuple[str, dict[str, Any]]:
    return azure.service(restore=restore)


def account(azure: Azure, *, restore: bool = False) -> tuple[str, dict[str, Any]]:
    return azure.account(restore=restore)


def vault(azure: Azure, *, restore: bool = False) -> tuple[str, dict[str, Any]]:
    return azure.vault(createMode="recover" if restore else "default")


@dataclass(frozen=True)
class Kind:
    """A type that is soft-deleted."""

    token: str
    make: Make
    taken: str
    retention: float


KINDS = pytest.mark.parametrize(
    "kind",
    [
        pytest.param(Kind(SERVICE, service, "ServiceAlreadyExistsInSoftDeletedState", 48 * HOUR), id="service"),
        pytest.param(Kind(ACCOUNT, account, "FlagMustBeSetForRestore", 48 * HOUR), id="account"),
        pytest.param(Kind(VAULT, vault, "ConflictError", 90 * DAY), id="vault"),
    ],
)


@KINDS
def test_the_name_stays_taken_until_the_time_is_over(azure: Azure, clock: Clock, kind: Kind) -> None:
    resource_id, _ = kind.make(azure)
    azure.cloud.delete(resource_id)

    with pytest.raises(CloudError, match="ResourceNotFound"):
        azure.cloud.read(kind.token, resource_id)
    with pytest.raises(CloudError) as refusal:
        kind.make(azure)
    assert refusal.value.code == kind.taken

    clock.advance(kind.retention - 1)
    with pytest.raises(CloudError, match=kind.taken):
        kind.make(azure)
    clock.advance(1)
    assert kind.make(azure)[0] == resource_id


@KINDS
def test_a_purge_frees_the_name(azure: Azure, kind: Kind) -> None:
    resource_id, _ = kind.make(azure)
    azure.cloud.delete(resource_id)

    azure.cloud.purge(kind.token, resource_id.rsplit("/", 1)[1].upper())

    assert kind.make(azure)[0] == resource_id
    with pytest.raises(CloudError, match="ResourceNotFound"):
        azure.cloud.purge(kind.token, resource_id.rsplit("/", 1)[1])


@KINDS
def test_a_restore_brings_it_back_as_it_was(azure: Azure, clock: Clock, kind: Kind) -> None:
    resource_id, outputs = kind.make(azure)
    inputs = azure.cloud.inputs_of(kind.token, resource_id)
    azure.cloud.delete(resource_id)
    clock.advance(kind.retention / 2)

    assert kind.make(azure, restore=True) == (resource_id, outputs)
    assert azure.cloud.inputs_of(kind.token, resource_id) == inputs
    azure.cloud.delete(resource_id)
    with pytest.raises(CloudError, match=kind.taken):
        kind.make(azure)


@pytest.mark.parametrize(
    ("make", "code"),
    [
        pytest.param(service, "ServiceUndeleteNotPossible", id="service"),
        pytest.param(account, "CanNotRestoreANonExistingResource", id="account"),
        pytest.param(vault, "SoftDeletedVaultDoesNotExist", id="vault"),
    ],
)
def test_what_was_not_deleted_cannot_be_restored(azure: Azure, make: Make, code: str) -> None:
    with pytest.raises(CloudError) as refusal:
        make(azure, restore=True)

    assert refusal.value.code == code


def test_what_is_below_comes_back_too(azure: Azure) -> None:
    service_id, _ = azure.service()
    azure.api()
    azure.named_value(value="s3cr3t", secret=True)
    azure.policy("<base />")
    before = azure.cloud.gateways()

    azure.cloud.delete(service_id)
    assert azure.cloud.gateways() == ()
    azure.service(restore=True)

    assert azure.cloud.gateways() == before


def test_keys_come_back(azure: Azure) -> None:
    account_id, _ = azure.account()
    before = azure.cloud.accounts()

    azure.cloud.delete(account_id)
    assert azure.cloud.accounts() == ()
    azure.account(restore=True)

    assert azure.cloud.accounts() == before


def test_role_assignments_on_it_do_not_come_back(azure: Azure) -> None:
    account_id, _ = azure.account()
    principal = azure.identity()[1]["principalId"]
    azure.role(principal, account_id, OPENAI_USER)

    azure.cloud.delete(account_id)
    azure.account(restore=True)

    assert not azure.cloud.has_role(principal, OPENAI_USER, account_id)


def test_the_roles_of_its_identity_rest_while_it_is_deleted(azure: Azure) -> None:
    service_id, outputs = azure.service()
    principal = outputs["identity"]["principalId"]
    account_id, _ = azure.account()
    azure.role(principal, account_id, OPENAI_USER)

    azure.cloud.delete(service_id)
    assert not azure.cloud.has_role(principal, OPENAI_USER, account_id)
    assert azure.cloud.identity_tenant(principal) is None
    azure.service(restore=True)

    assert azure.cloud.has_role(principal, OPENAI_USER, account_id)


def test_a_purged_service_is_another_principal_afterwards(azure: Azure) -> None:
    service_id, outputs = azure.service()
    account_id, _ = azure.account()
    azure.role(outputs["identity"]["principalId"], account_id, OPENAI_USER)

    azure.cloud.delete(service_id)
    azure.cloud.purge(SERVICE, "apim")
    principal = azure.service()[1]["identity"]["principalId"]

    assert not azure.cloud.has_role(principal, OPENAI_USER, account_id)


def test_a_resource_group_takes_all_with_it_and_the_names_stay_taken(azure: Azure) -> None:
    azure.service()
    azure.api()
    azure.account()
    azure.vault()
    identity_id, _ = azure.identity()

    azure.cloud.delete(azure.group_id())

    assert (azure.cloud.gateways(), azure.cloud.accounts()) == ((), ())
    azure.create("resources:ResourceGroup", resourceGroupName="rg", location="swedencentral")
    with pytest.raises(CloudError, match="ResourceNotFound"):
        azure.cloud.delete(identity_id)
    for make, code in (
        (azure.service, "ServiceAlreadyExistsInSoftDeletedState"),
        (azure.account, "FlagMustBeSetForRestore"),
        (azure.vault, "ConflictError"),
    ):
        with pytest.raises(CloudError, match=code):
            make()
    azure.service(restore=True)
    assert [api.id for api in azure.cloud.gateways()[0].apis] == ["openai"]


def test_a_deleted_name_is_taken_in_other_resource_groups_too(azure: Azure) -> None:
    azure.cloud.delete(azure.vault()[0])
    azure.create("resources:ResourceGroup", resourceGroupName="other", location="swedencentral")
    properties = {
        "tenantId": azure.cloud.tenant_id,
        "sku": {"family": "A", "name": "standard"},
        "enableRbacAuthorization": True,
    }

    for mode, code in (("default", "ConflictError"), ("recover", "SoftDeletedVaultDoesNotExist")):
        with pytest.raises(CloudError, match=code):
            azure.create(
                "keyvault:Vault",
                resourceGroupName="other",
                vaultName="kv-contoso",
                properties=properties | {"createMode": mode},
            )


def test_the_subdomain_of_a_deleted_account_is_taken(azure: Azure) -> None:
    azure.cloud.delete(azure.account()[0])

    with pytest.raises(CloudError, match=r"CustomDomainInUse: .* by a deleted account; purge that one"):
        azure.account("another", customSubDomainName="OAI")

    azure.cloud.purge(ACCOUNT, "oai")
    azure.account("another", customSubDomainName="OAI")


def test_a_vault_is_kept_as_long_as_it_says(azure: Azure, clock: Clock) -> None:
    vault_id, _ = azure.vault(softDeleteRetentionInDays=7)
    azure.cloud.delete(vault_id)

    clock.advance(7 * DAY - 1)
    with pytest.raises(CloudError, match="ConflictError"):
        azure.vault()
    clock.advance(1)
    assert azure.vault()[0] == vault_id


def test_purge_protection_holds(azure: Azure) -> None:
    vault_id, _ = azure.vault(enablePurgeProtection=True)
    azure.cloud.delete(vault_id)

    with pytest.raises(CloudError, match="MethodNotAllowed"):
        azure.cloud.purge(VAULT, "kv-contoso")
    with pytest.raises(CloudError, match="ConflictError"):
        azure.vault()


def test_only_what_is_soft_deleted_can_be_purged(azure: Azure) -> None:
    azure.service()
    azure.api()

    with pytest.raises(CloudError, match="ResourceNotFound"):
        azure.cloud.purge(SERVICE, "apim")
    with pytest.raises(CloudError, match="ResourceNotFound"):
        azure.cloud.purge("azure-native:apimanagement:Api", "openai")
    assert len(azure.cloud.gateways()[0].apis) == 1


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        pytest.param({"softDeleteRetentionInDays": 6}, "6 is not 7 to 90", id="too-short"),
        pytest.param({"softDeleteRetentionInDays": 91}, "91 is not 7 to 90", id="too-long"),
        pytest.param({"enableSoftDelete": False}, "enableSoftDelete cannot be false", id="no-soft-delete"),
        pytest.param({"enablePurgeProtection": False}, "enablePurgeProtection cannot be false", id="no-protection"),
    ],
)
def test_a_vault_cannot_do_without_soft_delete(azure: Azure, properties: dict[str, Any], message: str) -> None:
    with pytest.raises(CloudError, match=message):
        azure.vault(**properties)
