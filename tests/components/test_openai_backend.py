from dataclasses import replace
from typing import Any

import pytest
from pulumi_azure_native import apimanagement

from apim_emulator.pulumi.deploy import DeployError
from apim_emulator.pulumi.property_values import UNKNOWN
from components import OpenAIBackend, OpenAIBackendArgs
from options import (
    AccountKind,
    AccountOptions,
    DeploymentOptions,
    ExistingAccount,
    OpenAIOptions,
    Surface,
    VersionUpgrade,
)
from tests.components.conftest import GROUP, SERVICE, Azure, exporting
from tests.deployed import Deployed, deploy_component

GPT = DeploymentOptions(name="gpt-4o", model="gpt-4o", version="2024-11-20", capacity=10)
OPENAI_USER = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"
EMBEDDING = DeploymentOptions(name="embed", model="text-embedding-3-large", version="1", sku="Standard")
OUTPUTS = (
    "backend_id",
    "backend_ids",
    "account_ids",
    "ids_by_account",
    "urls",
    "role_assignment_ids",
    "pool_ids",
    "deployment_backend_ids",
)


def deploy(azure: Azure, openai: OpenAIOptions, *, preview: bool = False, **args: Any) -> Deployed:
    inputs: Any = {
        "resource_group_name": GROUP,
        "gateway_resource_group_name": GROUP,
        "service_name": SERVICE,
        "openai": openai,
        **args,
    }
    return deploy_component(exporting(lambda: OpenAIBackend("ai", inputs), *OUTPUTS), azure.cloud, preview=preview)


def accounts(*options: AccountOptions) -> OpenAIOptions:
    return OpenAIOptions(accounts=list(options))


def test_an_account_is_created_for_entra_tokens_alone(azure: Azure) -> None:
    deployed = deploy(azure, accounts(AccountOptions(location="swedencentral", name="oai-contoso")))

    inputs = deployed.one("Account").inputs
    assert (inputs["kind"], inputs["sku"]) == ("OpenAI", {"name": "S0"})
    assert inputs["accountName"] == inputs["properties"]["customSubDomainName"] == "oai-contoso"
    assert inputs["properties"]["disableLocalAuth"] is True


@pytest.mark.parametrize(
    ("key_accounts", "disable", "sent"),
    [(["account"], None, False), ([], None, True), (["account"], True, True), ([], False, False)],
    ids=["a key mode needs keys", "none does", "the account's own option wins", "and the other way round"],
)
def test_local_auth_is_off_unless_it_is_needed(
    azure: Azure, key_accounts: list[str], disable: bool | None, sent: bool
) -> None:
    deployed = deploy(azure, accounts(AccountOptions(disable_local_auth=disable)), key_accounts=key_accounts)

    assert deployed.one("Account").inputs["properties"]["disableLocalAuth"] is sent


def test_a_name_left_out_is_unique_and_also_the_subdomain(azure: Azure) -> None:
    deployed = deploy(azure, accounts(AccountOptions(location="swedencentral")))

    inputs = deployed.one("Account").inputs
    assert inputs["accountName"] == f"oai-ai-swedencentral-{deployed.one('RandomString').outputs['result']}"
    assert inputs["properties"]["customSubDomainName"] == inputs["accountName"]


def test_a_made_up_name_is_made_anew_with_what_replaces_the_account(azure: Azure) -> None:
    def trigger(location: str, **args: Any) -> Any:
        openai = accounts(AccountOptions(location=location))
        return deploy(Azure(), openai, **args).one("RandomString").replacement_trigger

    assert trigger("swedencentral") == trigger("swedencentral", local_auth=True)
    assert trigger("swedencentral") == trigger("Sweden Central"), "one region, spelled in two ways"
    assert trigger("swedencentral") != trigger("francecentral")


def test_accounts_are_protected_and_nothing_else(azure: Azure) -> None:
    openai = OpenAIOptions(accounts=[AccountOptions(), AccountOptions(name="oai-2")], deployments=[GPT])

    deployed = deploy(azure, openai, users={"gateway": azure.principal_id}, protect=True)

    assert {entry.type.rsplit(":", 1)[1] for entry in deployed.registrations if entry.protected} == {"Account"}
    assert all(entry.protected for entry in deployed.all("Account"))


def test_deployments_carry_their_options(azure: Azure) -> None:
    tuned = DeploymentOptions(
        name="gpt", model="gpt-4o", sku="DataZoneStandard", version_upgrade=VersionUpgrade.NEVER, rai_policy="strict"
    )

    deployed = deploy(azure, OpenAIOptions(accounts=[AccountOptions(name="oai")], deployments=[GPT, tuned]))

    first, second = (entry.inputs for entry in deployed.all("Deployment"))
    assert second["deploymentName"] == "gpt-4o"
    assert second["sku"] == {"name": "GlobalStandard", "capacity": 10}
    assert second["properties"] == {
        "model": {"format": "OpenAI", "name": "gpt-4o", "version": "2024-11-20"},
        "versionUpgradeOption": "OnceCurrentVersionExpired",
    }
    assert first["sku"] == {"name": "DataZoneStandard", "capacity": 1}
    assert first["properties"] == {
        "model": {"format": "OpenAI", "name": "gpt-4o"},
        "versionUpgradeOption": "NoAutoUpgrade",
        "raiPolicyName": "strict",
    }


@pytest.mark.parametrize(
    ("deployment", "option", "azures"),
    [
        pytest.param({}, None, True, id="no version: Azure's default"),
        pytest.param({"version": "2024-11-20"}, "OnceCurrentVersionExpired", False, id="pinned"),
        pytest.param(
            {"version": "2024-11-20", "version_upgrade": VersionUpgrade.NEW_DEFAULT},
            "OnceNewDefaultVersionAvailable",
            True,
            id="a version to begin with",
        ),
        pytest.param(
            {"version": "2024-11-20", "version_upgrade": VersionUpgrade.NEVER}, "NoAutoUpgrade", False, id="kept"
        ),
        pytest.param(
            {"version": "2024-11-20", "sku": "GlobalProvisionedManaged"}, None, False, id="provisioned: no upgrades"
        ),
    ],
)
def test_a_version_that_azure_moves_on_is_no_drift(
    azure: Azure, deployment: dict[str, Any], option: str | None, azures: bool
) -> None:
    made = DeploymentOptions(name="gpt", model="gpt-4o", **deployment)

    deployed = deploy(azure, OpenAIOptions(deployments=[made])).one("Deployment")

    assert deployed.inputs["properties"].get("versionUpgradeOption") == option
    assert deployed.ignore_changes == ({"properties.model.version"} if azures else set())


def test_a_deployment_waits_for_the_one_that_it_spills_over_to(azure: Azure) -> None:
    provisioned = DeploymentOptions(
        name="ptu",
        model="gpt-4o",
        version="2024-11-20",
        sku="GlobalProvisionedManaged",
        capacity=50,
        spillover="gpt-4o",
    )

    deployed = deploy(azure, OpenAIOptions(accounts=[AccountOptions(name="oai")], deployments=[provisioned, GPT]))

    spilling = deployed.one("Deployment", "ai-oai-ptu")
    assert spilling.inputs["properties"]["spilloverDeploymentName"] == "gpt-4o"
    assert "ai-oai-gpt-4o" in deployed.waits_for(spilling)


def test_an_account_may_have_deployments_of_its_own(azure: Azure) -> None:
    both = [AccountOptions(name="oai-a"), AccountOptions(name="oai-b", deployments=[EMBEDDING])]

    deployed = deploy(azure, OpenAIOptions(accounts=both, deployments=[GPT]))

    assert [entry.name for entry in deployed.all("Deployment")] == ["ai-oai-a-gpt-4o", "ai-oai-b-embed"]


def test_a_foundry_resource_is_created_and_called_where_azure_openai_is(azure: Azure) -> None:
    deployed = deploy(
        azure,
        OpenAIOptions(accounts=[AccountOptions(name="ai-contoso", kind=AccountKind.AI_SERVICES)], deployments=[GPT]),
    )

    inputs = deployed.one("Account").inputs
    assert (inputs["kind"], inputs["sku"]) == ("AIServices", {"name": "S0"})
    assert inputs["properties"]["customSubDomainName"] == "ai-contoso"
    assert inputs["properties"]["disableLocalAuth"] is True
    assert deployed.outputs["urls"] == ["https://ai-contoso.openai.azure.com/openai"]


@pytest.mark.parametrize(
    ("kind", "azures"), [(None, True), (AccountKind.OPENAI, False), (AccountKind.AI_SERVICES, False)]
)
def test_an_upgrade_to_foundry_by_azure_is_no_drift_unless_the_kind_is_given(
    azure: Azure, kind: AccountKind | None, *, azures: bool
) -> None:
    account = deploy(azure, accounts(AccountOptions(kind=kind))).one("Account")

    assert account.inputs["kind"] == (kind or "OpenAI")
    assert account.ignore_changes == ({"kind"} if azures else set())


def test_a_foundry_resource_is_adopted(azure: Azure) -> None:
    inputs = {"accountName": "ai-shared", "location": "swedencentral", "kind": "AIServices", "sku": {"name": "S0"}}
    azure.create("cognitiveservices:Account", {**inputs, "properties": {"customSubDomainName": "ai-shared"}})
    existing = ExistingAccount(name="ai-shared", resource_group=GROUP)

    deployed = deploy(azure, accounts(AccountOptions(existing=existing)), users={"gateway": azure.principal_id})

    assert deployed.outputs["urls"] == ["https://ai-shared.openai.azure.com/openai"]
    [account_id] = deployed.outputs["account_ids"]
    assert list(deployed.outputs["ids_by_account"].values()) == [account_id]
    assert azure.cloud.has_role(azure.principal_id, OPENAI_USER, account_id)


def test_deployments_of_one_account_follow_each_other_and_other_accounts_do_not_wait(azure: Azure) -> None:
    both = [AccountOptions(location="swedencentral"), AccountOptions(location="francecentral")]

    deployed = deploy(azure, OpenAIOptions(accounts=both, deployments=[GPT, EMBEDDING]))

    second = deployed.waits_for(deployed.one("Deployment", "ai-swedencentral-embed"))
    assert "ai-swedencentral-gpt-4o" in second
    assert not any("francecentral" in name for name in second)


def test_one_account_is_a_single_backend_without_a_credential(azure: Azure) -> None:
    deployed = deploy(azure, accounts(AccountOptions(name="oai")))

    backend = deployed.one("Backend").inputs
    assert backend["type"] == "Single"
    assert backend["url"] == "https://oai.openai.azure.com/openai"
    assert backend["tls"] == {"validateCertificateChain": True, "validateCertificateName": True}
    assert "credentials" not in backend
    assert deployed.outputs["backend_id"] == backend["backendId"] == "ai-backend-oai"


def test_several_accounts_are_a_pool(azure: Azure) -> None:
    deployed = deploy(
        azure,
        accounts(
            AccountOptions(location="swedencentral", priority=1, weight=3),
            AccountOptions(location="francecentral", priority=2),
        ),
    )

    pool = deployed.one("Backend", "ai-pool")
    members = [deployed.one("Backend", f"ai-backend-{key}") for key in ("swedencentral", "francecentral")]
    assert pool.inputs["type"] == "Pool"
    assert pool.inputs["pool"]["services"] == [
        {"id": members[0].id, "priority": 1, "weight": 3},
        {"id": members[1].id, "priority": 2},
    ]
    assert deployed.outputs["backend_id"] == "ai-pool"
    assert len(deployed.outputs["urls"]) == len(deployed.outputs["account_ids"]) == 2
    keys = ("swedencentral", "francecentral")  # of the pairs, Pulumi keeps no order
    assert deployed.outputs["ids_by_account"] == dict(zip(keys, deployed.outputs["account_ids"], strict=True))


EQUAL = accounts(AccountOptions(name="oai-a"), AccountOptions(name="oai-b"))
RANKED = accounts(AccountOptions(name="oai-a", priority=1), AccountOptions(name="oai-b", priority=2))
BREAKER = {
    "name": "unavailable",
    "failureCondition": {
        "count": 1,
        "interval": "PT1M",
        "statusCodeRanges": [{"min": 429, "max": 429}, {"min": 500, "max": 599}],
        "errorReasons": ["BackendConnectionFailure"],
    },
    "tripDuration": "PT10S",
    "acceptRetryAfter": True,
}


def breakers(deployed: Deployed) -> list[Any]:
    return [backend.inputs.get("circuitBreaker") for backend in deployed.all("Backend")]


@pytest.mark.parametrize("openai", [EQUAL, RANKED], ids=["of one priority", "of two"])
@pytest.mark.parametrize("more", [{}, {"sku": "BasicV2"}], ids=["tier not told", "tier told"])
def test_each_account_of_a_pool_has_a_circuit_breaker_and_the_pool_none(
    azure: Azure, openai: OpenAIOptions, more: dict[str, Any]
) -> None:
    assert breakers(deploy(azure, openai, **more)) == [{"rules": [BREAKER]}, {"rules": [BREAKER]}, None]


def test_an_account_alone_has_no_circuit_breaker_and_gives_its_own_answers(azure: Azure) -> None:
    assert breakers(deploy(azure, accounts(AccountOptions(name="oai")))) == [None]


def test_consumption_gets_no_circuit_breaker_as_it_has_none(azure: Azure) -> None:
    assert breakers(deploy(azure, EQUAL, sku="Consumption")) == [None, None, None]


@pytest.mark.parametrize("preview", [True, False])
def test_priorities_are_refused_where_nothing_could_ever_turn_to_the_second(azure: Azure, preview: bool) -> None:
    refusal = "accounts: has the priorities 1, 2, and only the first would ever be used, as Consumption has no circuit"

    with pytest.raises(DeployError, match=refusal):
        deploy(azure, RANKED, sku="Consumption", preview=preview)


def test_accounts_in_one_region_are_told_apart(azure: Azure) -> None:
    deployed = deploy(azure, accounts(*[AccountOptions(location="swedencentral")] * 2))

    assert [entry.name for entry in deployed.all("Account")] == [
        "ai-swedencentral-2-account",
        "ai-swedencentral-account",
    ]


def test_a_second_account_leaves_the_first_ones_name_alone(azure: Azure) -> None:
    alone = deploy(azure, accounts(AccountOptions(location="swedencentral")))
    joined = deploy(Azure(), accounts(AccountOptions(location="northeurope"), AccountOptions(location="swedencentral")))

    name = alone.one("Account").name
    assert name in [entry.name for entry in joined.all("Account")]


def test_an_adopted_account_is_looked_up_and_not_owned(azure: Azure) -> None:
    account = azure.account("oai-shared")
    existing = ExistingAccount(name="oai-shared", resource_group=GROUP)

    deployed = deploy(azure, OpenAIOptions(accounts=[AccountOptions(existing=existing)], deployments=[GPT]))

    assert deployed.all("Account") == deployed.all("Deployment") == []
    assert deployed.outputs["account_ids"] == [account.id]
    assert deployed.outputs["urls"] == ["https://oai-shared.openai.azure.com/openai"]


def test_an_adopted_account_without_a_subdomain_is_refused(azure: Azure) -> None:
    inputs = {"accountName": "oai-old", "location": "swedencentral", "kind": "OpenAI", "sku": {"name": "S0"}}
    azure.create("cognitiveservices:Account", {**inputs, "properties": {}})
    existing = ExistingAccount(name="oai-old", resource_group=GROUP)

    with pytest.raises(DeployError, match="oai-old has no custom subdomain"):
        deploy(azure, accounts(AccountOptions(existing=existing)))


def test_users_get_the_role_on_each_account(azure: Azure) -> None:
    both = accounts(AccountOptions(location="swedencentral"), AccountOptions(location="francecentral"))

    deployed = deploy(azure, both, users={"gateway": azure.principal_id})

    assignments = deployed.all("RoleAssignment")
    assert {entry.inputs["scope"] for entry in assignments} == set(deployed.outputs["account_ids"])
    assert {entry.inputs["principalType"] for entry in assignments} == {"ServicePrincipal"}
    assert deployed.outputs["role_assignment_ids"] == [
        deployed.one("RoleAssignment", f"ai-{key}-gateway-role").id for key in ("swedencentral", "francecentral")
    ]
    for account_id in deployed.outputs["account_ids"]:
        role = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"
        assert azure.cloud.has_role(azure.principal_id, role, account_id)


def identity(azure: Azure, group: str, name: str) -> tuple[str, str]:
    """Resource ID and object ID of a user-assigned identity."""
    if group != GROUP:
        azure.create("resources:ResourceGroup", {"resourceGroupName": group, "location": "swedencentral"})
    inputs = {"resourceGroupName": group, "resourceName": name, "location": "swedencentral"}
    resource_id, outputs = azure.create("managedidentity:UserAssignedIdentity", inputs)
    return resource_id, outputs["principalId"]


def test_identities_of_one_name_in_different_groups_all_get_the_role(azure: Azure) -> None:
    users = dict([identity(azure, "rg-a", "gateway"), identity(azure, "rg-b", "gateway")])

    deployed = deploy(azure, accounts(AccountOptions(name="oai")), users=users)

    [account_id] = deployed.outputs["account_ids"]
    assert all(azure.cloud.has_role(principal_id, OPENAI_USER, account_id) for principal_id in users.values())
    first, second = deployed.all("RoleAssignment")
    assert first.name.startswith("ai-oai-gateway-")
    # Before, one assignment stood for both, and it was the last one's.
    former, last = users.values()
    assert {entry.inputs["principalId"]: entry.aliases - {""} for entry in (first, second)} == {
        former: set(),
        last: {"ai-oai-gateway-role"},
    }


def test_an_identitys_name_in_the_state_stays_when_another_joins_or_is_spelled_differently(azure: Azure) -> None:
    one, other = identity(azure, "rg-a", "gateway"), identity(azure, "rg-b", "gateway")
    oai = accounts(AccountOptions(existing=ExistingAccount(name=azure.account("oai").key, resource_group=GROUP)))

    alone = deploy(azure, oai, users={one[0]: one[1]}, preview=True)
    both = deploy(azure, oai, users={other[0]: other[1], one[0].upper(): one[1]}, preview=True)

    assert alone.one("RoleAssignment").name in [entry.name for entry in both.all("RoleAssignment")]


def test_a_role_that_the_owner_has_given_is_not_given_again(azure: Azure) -> None:
    shared = azure.account("oai-shared")
    definition = f"/subscriptions/{azure.cloud.subscription_id}/providers/Microsoft.Authorization/roleDefinitions"
    given = {"principalId": azure.principal_id, "principalType": "ServicePrincipal", "scope": shared.id}
    azure.cloud.create(
        "azure-native:authorization:RoleAssignment",
        "given",
        {**given, "roleDefinitionId": f"{definition}/{OPENAI_USER}"},
    )

    def adopted(*, role_assigned: bool) -> OpenAIOptions:
        existing = ExistingAccount(name="oai-shared", resource_group=GROUP, role_assigned=role_assigned)
        return accounts(AccountOptions(existing=existing))

    with pytest.raises(DeployError, match="RoleAssignmentExists: The role assignment already exists"):
        deploy(azure, adopted(role_assigned=False), users={"gateway": azure.principal_id})
    deployed = deploy(azure, adopted(role_assigned=True), users={"gateway": azure.principal_id}, name_prefix="b-")

    assert deployed.all("RoleAssignment") == []
    assert deployed.outputs["role_assignment_ids"] == []


def test_a_user_may_be_given_some_of_the_accounts(azure: Azure) -> None:
    three = accounts(*(AccountOptions(name=f"oai-{letter}") for letter in "abc"))

    deployed = deploy(
        azure, three, users={"gateway": azure.principal_id}, user_accounts={"gateway": ["oai-a", "oai-c"]}
    )

    assert [entry.name for entry in deployed.all("RoleAssignment")] == [
        "ai-oai-a-gateway-role",
        "ai-oai-c-gateway-role",
    ]


def test_pools_over_some_accounts_share_the_accounts_backends(azure: Azure) -> None:
    three = accounts(*(AccountOptions(name=f"oai-{letter}") for letter in "abc"))

    deployed = deploy(azure, three, pools={"two": ["oai-a", "oai-b"], "one": ["oai-c"]})

    members = {entry.name: entry.id for entry in deployed.all("Backend") if entry.inputs["type"] == "Single"}
    assert set(members) == {"ai-backend-oai-a", "ai-backend-oai-b", "ai-backend-oai-c", "ai-backend-oai-c-alone"}
    pool = deployed.one("Backend", "ai-pool-two").inputs["pool"]["services"]
    assert [member["id"] for member in pool] == [members["ai-backend-oai-a"], members["ai-backend-oai-b"]]
    assert deployed.outputs["pool_ids"] == {"two": "ai-pool-two", "one": "ai-backend-oai-c-alone"}
    assert deployed.outputs["backend_id"] == "ai-pool"


def test_apis_that_call_one_account_alone_get_its_own_answers_though_others_share_it(azure: Azure) -> None:
    two = accounts(AccountOptions(name="oai-a"), AccountOptions(name="oai-b"))

    deployed = deploy(azure, two, pools={"one": ["oai-a"], "other": ["oai-a"]})

    assert deployed.outputs["pool_ids"] == {"one": "ai-backend-oai-a-alone", "other": "ai-backend-oai-a-alone"}
    alone, shared = (deployed.one("Backend", f"ai-backend-oai-a{end}").inputs for end in ("-alone", ""))
    assert "circuitBreaker" not in alone
    assert shared["circuitBreaker"] == {"rules": [BREAKER]}
    assert alone["url"] == shared["url"]


def test_keys_are_accepted_where_they_are_used_alone(azure: Azure) -> None:
    deployed = deploy(
        azure, accounts(AccountOptions(name="oai-a"), AccountOptions(name="oai-b")), key_accounts=["oai-b"]
    )

    off = {entry.name: entry.inputs["properties"]["disableLocalAuth"] for entry in deployed.all("Account")}
    assert off == {"ai-oai-a-account": True, "ai-oai-b-account": False}


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (
            {"pools": {"x": ["oai-b"]}},
            r'pools\.x\[0\]: "oai-b" is not an account; allowed: oai-a; did you mean oai-a\?',
        ),
        ({"pools": {"x": []}}, r"pools\.x: is empty"),
        ({"key_accounts": ["oai-b"]}, r"key_accounts\[0\]: the value \(not shown\) is not an account"),
        ({"user_accounts": {"u": ["oai-b"]}}, r'user_accounts\.u\[0\]: "oai-b" is not an account'),
    ],
    ids=["pool", "empty pool", "keys", "user"],
)
def test_accounts_that_there_are_not_are_refused(azure: Azure, args: dict[str, Any], line: str) -> None:
    with pytest.raises(DeployError, match=line):
        deploy(azure, accounts(AccountOptions(name="oai-a")), **args)


def test_a_prefix_stands_before_every_name_on_the_service_and_none_in_the_state(azure: Azure) -> None:
    two = accounts(AccountOptions(name="oai-a"), AccountOptions(name="oai-b"))

    deployed = deploy(azure, two, pools={"one": ["oai-a"], "two": ["oai-a", "oai-b"]}, name_prefix="team-a-")

    names = {entry.name: entry.inputs["backendId"] for entry in deployed.all("Backend")}
    assert names == {
        name: f"team-a-{name}"
        for name in ("ai-backend-oai-a", "ai-backend-oai-a-alone", "ai-backend-oai-b", "ai-pool", "ai-pool-two")
    }


def test_no_accounts_are_refused(azure: Azure) -> None:
    with pytest.raises(DeployError, match=r"openai\.accounts: is empty"):
        deploy(azure, OpenAIOptions(accounts=[]))


def test_nothing_of_azure_openai_waits_for_api_management(azure: Azure) -> None:
    def program() -> None:
        slow = apimanagement.ApiManagementService(
            "slow",
            resource_group_name=GROUP,
            publisher_name="C",
            publisher_email="a@b.example",
            sku={"name": "BasicV2", "capacity": 1},
        )
        OpenAIBackend(
            "ai",
            OpenAIBackendArgs(
                resource_group_name=GROUP,
                gateway_resource_group_name=GROUP,
                service_name=slow.name,
                openai=OpenAIOptions(deployments=[GPT, EMBEDDING]),
            ),
        )

    deployed = deploy_component(program, azure.cloud)

    waiting = {entry.name for entry in deployed.registrations if "slow" in deployed.waits_for(entry)}
    assert waiting == {"ai-backend-account"}


def test_at_preview_what_azure_decides_is_unknown(azure: Azure) -> None:
    deployed = deploy(azure, accounts(AccountOptions(location="swedencentral")), preview=True)

    assert deployed.outputs["backend_id"] is UNKNOWN
    assert deployed.one("Backend").inputs["url"] is UNKNOWN


def test_the_component_is_the_parent_of_all_it_makes(azure: Azure) -> None:
    deployed = deploy(azure, OpenAIOptions(deployments=[GPT]), users={"gateway": azure.principal_id})

    component = deployed.one("OpenAIBackend")
    children = [entry for entry in deployed.registrations if entry is not component]
    assert {child.parent for child in children} == {component.urn}
    assert {child.type.rsplit(":", 1)[1] for child in children} == {
        "Account",
        "Backend",
        "Deployment",
        "RandomString",
        "RoleAssignment",
    }


def test_options_may_arrive_as_the_component_host_sends_them(azure: Azure) -> None:
    sent: Any = {
        "accounts": [{"location": "swedencentral", "priority": 1.0}, {"location": "francecentral"}],
        "deployments": [{"name": "gpt", "model": "gpt-4o", "capacity": 5.0}],
    }

    deployed = deploy(azure, sent)

    assert deployed.one("Backend", "ai-pool").inputs["pool"]["services"][0]["priority"] == 1
    assert deployed.all("Deployment")[0].inputs["sku"]["capacity"] == 5


def test_each_surface_has_backends_of_its_own_on_the_same_accounts(azure: Azure) -> None:
    two = accounts(AccountOptions(name="oai-a", priority=1), AccountOptions(name="oai-b", priority=2))

    deployed = deploy(
        azure,
        two,
        surfaces=[Surface.DATED, Surface.V1],
        pools={"one": ["oai-a"], "other": ["oai-b"]},
        pool_surfaces={"other": Surface.V1},
    )

    urls = {entry.name: entry.inputs["url"] for entry in deployed.all("Backend") if entry.inputs["type"] == "Single"}
    assert urls == {
        "ai-backend-oai-a": "https://oai-a.openai.azure.com/openai",
        "ai-backend-oai-b": "https://oai-b.openai.azure.com/openai",
        "ai-backend-oai-a-alone": "https://oai-a.openai.azure.com/openai",
        "ai-v1-backend-oai-a": "https://oai-a.openai.azure.com/openai/v1",
        "ai-v1-backend-oai-b": "https://oai-b.openai.azure.com/openai/v1",
        "ai-v1-backend-oai-b-alone": "https://oai-b.openai.azure.com/openai/v1",
    }
    assert deployed.outputs["backend_ids"] == {"dated": "ai-pool", "v1": "ai-v1-pool"}
    assert deployed.outputs["backend_id"] == "ai-pool"
    assert deployed.outputs["pool_ids"] == {"one": "ai-backend-oai-a-alone", "other": "ai-v1-backend-oai-b-alone"}
    pools = {name: deployed.one("Backend", name).inputs["pool"]["services"] for name in ("ai-pool", "ai-v1-pool")}
    assert [member["priority"] for member in pools["ai-v1-pool"]] == [1, 2]
    assert not {member["id"] for member in pools["ai-pool"]} & {member["id"] for member in pools["ai-v1-pool"]}


def test_apis_of_the_v1_surface_alone_have_no_backend_of_the_other(azure: Azure) -> None:
    deployed = deploy(azure, accounts(AccountOptions(name="oai-a")), surfaces=["v1"])

    assert [entry.inputs["url"] for entry in deployed.all("Backend")] == ["https://oai-a.openai.azure.com/openai/v1"]
    assert deployed.outputs["backend_id"] == "ai-v1-backend-oai-a"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"onne": "dated"}, r'pool_surfaces.onne: "onne" is not a pool; allowed: one; did you mean one\?'),
        ({"one": "v1"}, 'pool_surfaces.one: "v1" is not one of surfaces; allowed: dated'),
    ],
)
def test_surfaces_of_pools_that_there_are_not_are_refused(azure: Azure, given: dict[str, str], said: str) -> None:
    with pytest.raises(DeployError, match=said):
        deploy(azure, accounts(AccountOptions(name="oai-a")), pools={"one": ["oai-a"]}, pool_surfaces=given)


OTHER = DeploymentOptions(name="gpt-4o-mini", model="gpt-4o-mini")
DIFFERENT = (
    AccountOptions(name="oai-a", deployments=[GPT]),
    AccountOptions(name="oai-b", deployments=[GPT, OTHER], priority=2),
    AccountOptions(name="oai-c", deployments=[GPT, OTHER], priority=3),
    AccountOptions(name="oai-d", deployments=[GPT, EMBEDDING]),
)


def test_accounts_that_serve_different_models_have_a_pool_for_each(azure: Azure) -> None:
    deployed = deploy(azure, accounts(*DIFFERENT))

    assert deployed.outputs["deployment_backend_ids"] == {
        "gpt-4o": "ai-pool",
        "gpt-4o-mini": "ai-models-oai-b-oai-c",
        "embed": "ai-backend-oai-d-alone",
    }
    services = deployed.one("Backend", "ai-models-oai-b-oai-c").inputs["pool"]["services"]
    assert [(entry["id"].rsplit("/", 1)[1], entry["priority"]) for entry in services] == [
        ("ai-backend-oai-b", 2),
        ("ai-backend-oai-c", 3),
    ]


def test_an_adopted_account_takes_part_if_it_is_said_what_it_serves(azure: Azure) -> None:
    other = Azure()
    for cloud in (azure, other):
        cloud.account("oai-shared")
    adopted = ExistingAccount(name="oai-shared", resource_group=GROUP)
    unknown = deploy(azure, accounts(DIFFERENT[1], AccountOptions(existing=adopted)))
    known = deploy(
        other,
        accounts(DIFFERENT[1], AccountOptions(existing=replace(adopted, deployments=["gpt-4o"]))),
    )

    assert unknown.outputs["deployment_backend_ids"] == {}
    assert known.outputs["deployment_backend_ids"] == {"gpt-4o": "ai-pool", "gpt-4o-mini": "ai-backend-oai-b-alone"}


def test_accounts_that_serve_the_same_models_need_no_further_pool(azure: Azure) -> None:
    deployed = deploy(azure, accounts(*DIFFERENT[1:3]))

    assert deployed.outputs["deployment_backend_ids"] == {}
    assert [entry.name for entry in deployed.all("Backend")] == ["ai-backend-oai-b", "ai-backend-oai-c", "ai-pool"]
