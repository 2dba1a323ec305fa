"""A key in Key Vault through a stack's life: with the roles that the README asks of who deploys, and slow ones."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from apim_emulator.azure import Cloud, CloudError, Faults
from apim_emulator.clock import Clock
from apim_emulator.pulumi.deploy import DeployError
from components import KeyAuthApi, OpenAIAccount
from options import AccountKey, ExistingResource, KeyOptions, KeyRotation, KeySource, KeyVaultOptions
from tests.components.conftest import GROUP, Azure
from tests.deployed import Deployed, deploy_component, destroy

pytestmark = pytest.mark.slow

SECRETS_OFFICER = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7"
VAULT, SECRET = "azure-native:keyvault:Vault", "azure-native:keyvault:Secret"
IN_VAULT = KeyOptions(source=KeySource.KEY_VAULT)
ADOPTED = KeyOptions(
    source=KeySource.KEY_VAULT,
    vault=KeyVaultOptions(existing=ExistingResource(name="kv-shared", resource_group=GROUP), secrets_officer=True),
)


def up(
    azure: Azure, key: KeyOptions, *, accounts: int = 1, after: Deployed | None = None, preview: bool = False
) -> Deployed:
    for number in range(len(azure.cloud.accounts()), accounts):
        azure.account(f"oai-{number}")
    pool = [
        OpenAIAccount(key=f"oai-{number}", id=found.id, url=f"https://{found.host}/openai")
        for number, found in enumerate(azure.cloud.accounts()[:accounts])
    ]
    args = azure.api_args(*pool, key=key)
    return deploy_component(lambda: KeyAuthApi("openai", args), azure.cloud, after=after, preview=preview)


def presented(azure: Azure) -> str:
    """The key that the gateway presents."""
    return azure.cloud.gateways()[0].named_values["openai-api-key"]


def make_officer(azure: Azure, vault_id: str) -> str:
    inputs = {
        "scope": vault_id,
        "principalId": azure.cloud.deployer_object_id,
        "principalType": "User",
        "roleDefinitionId": f"/providers/Microsoft.Authorization/roleDefinitions/{SECRETS_OFFICER}",
    }
    return azure.cloud.create("azure-native:authorization:RoleAssignment", "officer", inputs)[0]


def test_a_stack_leaves_key_vault_without_a_role_in_its_own_vault(azure: Azure) -> None:
    first = up(azure, IN_VAULT)
    vault_id, secret_id = first.one("Vault").id, first.one("Secret").id

    second = up(azure, KeyOptions(), after=first)

    assert second.all("Vault") == second.all("Secret") == second.all("RoleAssignment") == []
    assert presented(azure) == azure.cloud.accounts()[0].keys[0]
    for token, resource_id in ((VAULT, vault_id), (SECRET, secret_id)):
        with pytest.raises(CloudError, match="ResourceNotFound"):
            azure.cloud.read(token, resource_id)


def test_a_stack_with_a_vault_of_its_own_is_destroyed_without_a_role_in_it(azure: Azure) -> None:
    first = up(azure, IN_VAULT)

    destroy(first)

    with pytest.raises(CloudError, match="ResourceNotFound"):
        azure.cloud.read(VAULT, first.one("Vault").id)
    assert azure.cloud.gateways()[0].named_values == {}


def test_accounts_come_and_go_without_a_role_in_a_vault_of_its_own(azure: Azure) -> None:
    first = up(azure, IN_VAULT)

    pool = up(azure, IN_VAULT, accounts=2, after=first)
    assert len(pool.all("Secret")) == 2
    again = up(azure, IN_VAULT, after=pool)

    assert again.one("Secret").id != first.one("Secret").id
    assert presented(azure) == azure.cloud.accounts()[0].keys[0]
    left = {entry.id for made in (first, pool) for entry in made.all("Secret")}
    readers = {entry.inputs["scope"] for entry in again.all("RoleAssignment")}
    assert not left & readers
    destroy(again)
    for secret_id in left:
        with pytest.raises(CloudError, match="ResourceNotFound"):
            azure.cloud.read(SECRET, secret_id)


def test_from_a_vault_of_its_own_to_an_adopted_one_nothing_is_deleted_but_the_vault(azure: Azure) -> None:
    first = up(azure, IN_VAULT)
    azure.vault("kv-shared")

    second = up(azure, ADOPTED, after=first)

    assert second.one("Secret").inputs["vaultName"] == "kv-shared"
    with pytest.raises(CloudError, match="ResourceNotFound"):
        azure.cloud.read(VAULT, first.one("Vault").id)


def test_in_an_adopted_vault_the_secret_is_deleted_by_who_may(azure: Azure) -> None:
    vault_id = azure.vault("kv-shared")
    first = up(azure, ADOPTED)

    with pytest.raises(DeployError, match=r"keyvault:Secret .*Forbidden: Caller is not authorized"):
        destroy(first)
    make_officer(azure, vault_id)
    destroy(first)

    assert azure.cloud.read(VAULT, vault_id)
    with pytest.raises(CloudError, match="ResourceNotFound"):
        azure.cloud.read(SECRET, first.one("Secret").id)


def test_in_an_adopted_vault_a_deleted_secret_of_the_name_is_recovered_by_who_may(azure: Azure) -> None:
    vault_id = azure.vault("kv-shared")
    make_officer(azure, vault_id)
    first = up(azure, ADOPTED)
    destroy(first)

    again = up(azure, ADOPTED)

    assert again.one("Secret").id == first.one("Secret").id
    assert presented(azure) == azure.cloud.accounts()[0].keys[0]


@pytest.mark.parametrize("told", [False, True])
def test_the_role_that_an_adopted_vault_takes_is_told_before_anything_is_created(azure: Azure, *, told: bool) -> None:
    azure.vault("kv-shared")
    vault: dict[str, Any] = {"existing": {"name": "kv-shared", "resource_group": GROUP}, "secrets_officer": told}
    args = azure.api_args(azure.account("oai"), key={"source": "key-vault", "vault": vault})

    deployed = deploy_component(lambda: KeyAuthApi("openai", args), azure.cloud, preview=True)

    warnings = [found.text for found in deployed.deployment.messages if found.severity == "warning"]
    assert bool(warnings) is not told
    assert all("Key Vault Secrets Officer" in text for text in warnings)


# A role that takes its time


SlowTenant = Callable[[float], Azure]


@pytest.fixture
def slow_tenant(clock: Clock, slept: list[float]) -> Iterator[SlowTenant]:
    yield lambda delay: Azure(Cloud(clock=clock, faults=Faults(role_delay=delay)))
    assert all(wait <= 30 for wait in slept)


@pytest.mark.parametrize("delay", [1.0, 45.0, 600.0, 899.0])
def test_the_named_value_waits_for_a_role_that_has_no_effect_yet(
    slow_tenant: SlowTenant, slept: list[float], delay: float
) -> None:
    azure = slow_tenant(delay)

    deployed = up(azure, IN_VAULT)

    assert presented(azure) == azure.cloud.accounts()[0].keys[0]
    assert delay <= sum(slept) < delay + 31
    told = [found.text for found in deployed.deployment.messages if "openai-api-key" in found.text]
    assert len(told) == len(slept)
    assert "Key Vault refuses the gateway until its new role takes effect" in told[0]
    assert told[0].endswith("next try in 2 s (0 s of 15 min so far)")


def test_nobody_waits_where_the_role_has_an_effect_or_nothing_is_new(
    slow_tenant: SlowTenant, slept: list[float]
) -> None:
    azure = slow_tenant(60.0)
    up(slow_tenant(0.0), IN_VAULT)
    up(azure, IN_VAULT, preview=True)
    assert slept == []
    first = up(azure, IN_VAULT)
    waited = list(slept)

    up(azure, IN_VAULT, after=first)

    assert slept == waited != []


def test_the_wait_has_an_end_and_a_remedy(slow_tenant: SlowTenant, slept: list[float]) -> None:
    azure = slow_tenant(901.0)

    with pytest.raises(DeployError) as refused:
        up(azure, IN_VAULT)

    assert refused.value.messages[-1].text == (
        "openai-api-key: Key Vault refused the gateway for 15 min; make sure that its identity holds Key Vault Secrets "
        "User on the secret and that the vault's network allows it, then run up again"
    )
    assert sum(slept) == 900
    assert len(slept) < 99


@pytest.mark.parametrize("name", ["openai-api-key", "key-vault", "keyvault-key"])
def test_what_is_no_matter_of_the_vault_fails_at_once(slow_tenant: SlowTenant, slept: list[float], name: str) -> None:
    azure = slow_tenant(0.0)
    azure.create("apimanagement:NamedValue", {"serviceName": "apim", "displayName": name, "value": "taken"})
    key = KeyOptions(source=KeySource.KEY_VAULT, named_value=name)

    with pytest.raises(DeployError, match="already exists"):
        up(azure, key)

    assert slept == []


def test_a_named_value_that_changes_waits_too(slow_tenant: SlowTenant, slept: list[float]) -> None:
    azure = slow_tenant(60.0)
    first = up(azure, KeyOptions())
    assert slept == []

    up(azure, IN_VAULT, after=first)

    assert sum(slept) >= 60
    assert presented(azure) == azure.cloud.accounts()[0].keys[0]


# Rotation


@pytest.mark.parametrize("rotation", list(KeyRotation))
def test_another_key_of_the_account_is_presented_as_soon_as_up_has_run(azure: Azure, rotation: KeyRotation) -> None:
    first = up(azure, KeyOptions(source=KeySource.KEY_VAULT, rotation=rotation))
    keys = azure.cloud.accounts()[0].keys
    assert presented(azure) == keys[0]

    up(azure, KeyOptions(source=KeySource.KEY_VAULT, rotation=rotation, account_key=AccountKey.KEY2), after=first)

    assert presented(azure) == keys[1]


@pytest.mark.parametrize("rotation", list(KeyRotation))
def test_a_key_that_was_regenerated_is_presented_as_soon_as_up_has_run(azure: Azure, rotation: KeyRotation) -> None:
    key = KeyOptions(source=KeySource.KEY_VAULT, rotation=rotation)
    first = up(azure, key)
    azure.cloud.regenerate_key(azure.cloud.accounts()[0].id, "key1")

    up(azure, key, after=first)

    assert presented(azure) == azure.cloud.accounts()[0].keys[0]


def test_left_out_the_reference_names_the_version_that_was_written(azure: Azure) -> None:
    deployed = up(azure, IN_VAULT)

    written = deployed.one("Secret").outputs["properties"]["secretUriWithVersion"]
    assert deployed.one("NamedValue").inputs["keyVault"] == {"secretIdentifier": written}
    assert "tags" not in deployed.one("NamedValue").inputs


def test_refresh_follows_what_somebody_else_writes(clock: Clock, slow_tenant: SlowTenant) -> None:
    azure = slow_tenant(0.0)
    deployed = up(azure, KeyOptions(source=KeySource.KEY_VAULT, rotation=KeyRotation.REFRESH))
    secret = deployed.one("Secret")
    assert deployed.one("NamedValue").inputs["keyVault"] == {
        "secretIdentifier": secret.outputs["properties"]["secretUri"]
    }

    azure.cloud.update(SECRET, secret.id, {**secret.inputs, "properties": {"value": "somebody else's"}})
    clock.advance(4 * 3600)

    assert presented(azure) == "somebody else's"


@pytest.mark.parametrize("rotation", list(KeyRotation))
def test_up_again_changes_nothing(azure: Azure, rotation: KeyRotation) -> None:
    key = KeyOptions(source=KeySource.KEY_VAULT, rotation=rotation)
    first = up(azure, key)

    again = up(azure, key, after=first)

    # Those that wait for none of each other may be done in any order.
    assert inputs_of(again) == inputs_of(first)


def inputs_of(deployed: Deployed) -> list[tuple[str, Any]]:
    return sorted(((entry.urn, entry.inputs) for entry in deployed.registrations), key=lambda found: found[0])
