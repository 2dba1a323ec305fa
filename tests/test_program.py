"""The program as a whole, in every mode."""

import os
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from apim_emulator.azure import Cloud
from apim_emulator.pulumi.deploy import DeployError
from apim_emulator.pulumi.property_values import UNKNOWN
from definitions import without_server
from sandbox.existing import create_existing
from tests.deployed import ROOT, Deployed, deploy_program
from tests.judges import errors_of_resource, remarks_of
from tests.modes import ENTRA, GROUP, MODES, PUBLISHER, mode_config, shared_cloud

SNAPSHOTS = ROOT / "tests" / "snapshots" / "modes"
# The scope puts the tests of a mode beside each other, which share a deployment.
EVERY_MODE = pytest.mark.parametrize("mode", list(MODES), scope="module")
GUID_OF = "00000000-0000-0000-0000-{:012}"


def deploy(mode: str, *, preview: bool = False, **more: Any) -> Deployed:
    if not more:
        return deploy_once(mode, preview)
    return deploy_program(mode_config(mode, **more), shared_cloud(), preview=preview)


@cache
def deploy_once(mode: str, preview: bool) -> Deployed:
    """A mode as it is, for all tests that look at it and change nothing."""
    return deploy_program(mode_config(mode), shared_cloud(), preview=preview)


@EVERY_MODE
def test_the_policy_is_the_one_that_people_have_read(mode: str) -> None:
    """`UPDATE_SNAPSHOTS=1` writes the files anew; read the difference before committing it."""
    deployed = deploy(mode)
    text = deployed.policy("openai")
    for number, unstable in enumerate(sorted(unstable_ids(deployed))):
        text = text.replace(unstable, GUID_OF.format(number))
    path = SNAPSHOTS / f"{mode}.xml"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.write_text(text, encoding="utf-8")

    assert text == path.read_text(encoding="utf-8")


def unstable_ids(deployed: Deployed) -> set[str]:
    """IDs that the sandbox's cloud chose."""
    found = {deployed.cloud.tenant_id}
    for entry in deployed.registrations:
        found |= {str(entry.outputs[name]) for name in ("clientId", "principalId") if entry.outputs.get(name)}
    return found


@EVERY_MODE
def test_the_official_schema_accepts_the_policy(mode: str) -> None:
    assert remarks_of(deploy(mode).policy("openai")) == []


@EVERY_MODE
def test_azure_accepts_every_resource(mode: str) -> None:
    resources = [entry for entry in deploy(mode).registrations if entry.type.startswith("azure-native:")]

    refused = {entry.name: errors for entry in resources if (errors := errors_of_resource(entry.type, entry.inputs))}

    assert resources
    assert refused == {}


@EVERY_MODE
def test_no_secret_is_in_the_clear(mode: str) -> None:
    deployed = deploy(mode)
    gateway = [found for found in deployed.cloud.gateways() if found.apis]
    secrets = {key for account in deployed.cloud.accounts() for key in account.keys}
    secrets |= {
        key for found in gateway for entry in found.subscriptions for key in (entry.primary_key, entry.secondary_key)
    }

    leaks = [
        (entry.name, name)
        for entry in deployed.registrations
        for values, hidden in ((entry.inputs, entry.secret_inputs), (entry.outputs, entry.secret_outputs))
        for name, value in values.items()
        if name not in hidden and any(secret in repr(value) for secret in secrets)
    ]
    exported = [
        name
        for name, value in deployed.outputs.items()
        if name not in deployed.deployment.secret_outputs and any(secret in repr(value) for secret in secrets)
    ]

    assert secrets
    assert leaks == []
    assert exported == []
    assert not any(secret in repr(deployed.deployment) for secret in secrets)


@pytest.mark.slow
@EVERY_MODE
def test_every_mode_can_be_previewed_before_anything_exists(mode: str) -> None:
    deployed = deploy(mode, preview=True)

    assert deployed.one("Api").inputs["apiId"] == "openai"
    assert deployed.policy("openai")


@EVERY_MODE
def test_nothing_waits_for_api_management_that_need_not(mode: str) -> None:
    deployed = deploy(mode)
    independent = {"Account", "Deployment", "Vault", "Secret", "Application", "ServicePrincipal"}

    for entry in deployed.registrations:
        own_key = "subscription key" in str(entry.inputs)  # which API Management makes
        if entry.type.rsplit(":", 1)[1] in independent and not own_key:
            assert "gateway-service" not in deployed.waits_for(entry), entry.name


@EVERY_MODE
def test_what_callers_present_never_reaches_azure_openai(mode: str) -> None:
    inbound = ET.fromstring(deploy(mode).policy("openai")).find("inbound")
    assert inbound is not None
    tags = [child.tag for child in inbound]
    chosen = tags.index("set-backend-service")

    removed = {child.get("name") for child in inbound[:chosen] if child.get("exists-action") == "delete"}
    assert removed == {"api-key", "Ocp-Apim-Subscription-Key", "Authorization", "subscription-key"}
    assert tags.count("base") == 1
    assert tags[0] == "base"


@EVERY_MODE
def test_the_policy_itself_refuses_whom_nothing_identifies(mode: str) -> None:
    """The API's subscriptionRequired can be changed while the policy stays: a change of mode does, for a moment."""
    policy = deploy(mode).policy("openai")

    assert ("<validate-" in policy) is not ('condition="@(context.Subscription == null)"' in policy)


def test_exports_say_where_each_api_is_and_what_to_present() -> None:
    deployed = deploy(
        "entra-identity",
        apis=[
            {"name": "chat", "path": "chat/openai"},
            {"name": "batch", "path": "batch/openai", "auth": "managed-identity"},
        ],
    )

    url = deployed.outputs["gatewayUrl"]
    assert deployed.outputs["chatUrl"] == f"{url}/chat/openai"
    assert deployed.outputs["batchUrl"] == f"{url}/batch/openai"
    assert deployed.outputs["chatAudience"] == deployed.one("Application").outputs["clientId"]
    assert deployed.outputs["chatScopes"][0].endswith("/access_as_user")
    assert deployed.deployment.secret_outputs == {"batchSubscriptionKey", "batchSecondarySubscriptionKey"}


def test_names_for_people_tell_project_and_stack() -> None:
    deployed = deploy("entra-identity", apis=[{"name": "chat", "path": "openai", "subscriptionRequired": True}])

    title = "chat (openai-gateway/test)"
    assert [deployed.one(kind).inputs["displayName"] for kind in ("Application", "Api", "Subscription")] == [
        title,
        title,
        f"{title} callers",
    ]


def test_apis_that_share_an_identity_share_its_roles() -> None:
    apis = [{"name": name, "path": f"{name}/openai"} for name in ("one", "two")]

    together = deploy("identity-pool", apis=apis)
    alone = deploy("identity-pool", apis=apis[1:])

    roles = [entry.name for entry in together.all("RoleAssignment")]
    assert roles == [entry.name for entry in alone.all("RoleAssignment")]
    assert len(roles) == 2
    for name in ("one", "two"):
        assert set(roles) <= together.waits_for(together.one("ApiPolicy", f"{name}-policy"))


def test_an_api_may_use_another_identity_than_the_others() -> None:
    apis = [
        {"name": "one", "path": "one/openai"},
        {"name": "two", "path": "two/openai", "identity": "user-assigned"},
    ]

    deployed = deploy("identity-system-assigned", apis=apis)

    assert deployed.one("ApiManagementService").inputs["identity"]["type"] == "SystemAssigned, UserAssigned"
    client_id = deployed.one("UserAssignedIdentity").outputs["clientId"]
    assert f'client-id="{client_id}"' in deployed.policy("two")
    assert "client-id" not in deployed.policy("one")
    assert len(deployed.all("RoleAssignment")) == 2


def test_identities_of_one_name_in_different_groups_both_call_azure_openai() -> None:
    cloud = shared_cloud()
    ids = []
    for group in ("rg-a", "rg-b"):
        cloud.create("azure-native:resources:ResourceGroup", group, {"resourceGroupName": group, "location": "x"})
        inputs = {"resourceGroupName": group, "resourceName": "gateway"}
        ids.append(cloud.create("azure-native:managedidentity:UserAssignedIdentity", group, inputs))
    apis = [
        {"name": name, "path": f"{name}/openai", "identity": resource_id}
        for name, (resource_id, _) in zip(("one", "two"), ids, strict=True)
    ]

    deployed = deploy_program(mode_config("identity-system-assigned", apis=apis), cloud)

    [account] = cloud.accounts()[-1:]
    for name, (_, outputs) in zip(("one", "two"), ids, strict=True):
        assert f'client-id="{outputs["clientId"]}"' in deployed.policy(name)
        assert cloud.has_role(outputs["principalId"], "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd", account.id)


def test_an_api_uses_the_accounts_that_it_names_and_keys_stay_off_on_the_others() -> None:
    apis = [
        {"name": "keyed", "path": "keyed/openai", "auth": "key", "accounts": ["francecentral"]},
        {"name": "near", "path": "near/openai", "accounts": ["swedencentral"], "identity": "user-assigned"},
        {"name": "all", "path": "all/openai"},
    ]

    deployed = deploy("identity-pool", apis=apis)

    assert 'backend-id="keyed-key-backend-francecentral"' in deployed.policy("keyed")
    assert 'backend-id="openai-backend-swedencentral-alone"' in deployed.policy("near")
    assert 'backend-id="openai-pool"' in deployed.policy("all")
    off = {entry.name: entry.inputs["properties"]["disableLocalAuth"] for entry in deployed.all("Account")}
    assert off == {"openai-francecentral-account": False, "openai-swedencentral-account": True}
    assert [entry.name for entry in deployed.all("RoleAssignment")] == [
        "openai-francecentral-system-assigned-role",
        "openai-swedencentral-system-assigned-role",
        "openai-swedencentral-user-assigned-role",
    ]


def test_two_stacks_stand_on_one_adopted_service_with_prefixes() -> None:
    cloud = shared_cloud()
    adopted = {"existing": {"name": "oai-shared", "resourceGroup": "rg-shared"}}
    first = deploy_program(mode_config("existing-gateway-and-account"), cloud)
    gateway = {"existing": {"name": "apim-shared", "resourceGroup": "rg-shared"}, "namePrefix": "b-"}
    account = {"existing": {**adopted["existing"], "roleAssigned": True}}
    apis = [{"name": "openai", "path": "b/openai"}, {"name": "keyed", "path": "b/keyed/openai", "auth": "key"}]

    second = deploy_program(
        mode_config("existing-gateway-and-account", gateway=gateway, openai={"accounts": [account]}, apis=apis), cloud
    )

    assert first.outputs.keys() <= second.outputs.keys()
    assert {entry.inputs["apiId"]: entry.inputs["displayName"] for entry in second.all("Api")} == {
        "b-openai": "openai (openai-gateway/test)",
        "b-keyed": "keyed (openai-gateway/test)",
    }
    assert second.one("NamedValue").inputs["displayName"] == "b-keyed-api-key"
    assert [entry.inputs["sid"] for entry in second.all("Subscription")] == ["b-keyed-callers", "b-openai-callers"]
    assert [entry.inputs["backendId"] for entry in second.all("Backend")] == [
        "b-keyed-key-backend-oai-shared",
        "b-openai-backend-oai-shared",
    ]
    [shared] = [found for found in cloud.gateways() if found.name == "apim-shared"]
    assert {found.id for found in shared.apis} == {"openai", "b-openai", "b-keyed"}


def test_a_preview_lists_all_that_another_stack_has_on_the_service_and_both_ways_out() -> None:
    cloud = shared_cloud()
    apis = [{"name": "openai", "path": "openai"}, {"name": "keyed", "path": "keyed/openai", "auth": "key"}]
    config = mode_config("existing-gateway-and-account", apis=apis)
    first = deploy_program(config, cloud)

    with pytest.raises(DeployError) as refused:
        deploy_program(config, cloud, preview=True)

    lines = str(refused.value).splitlines()
    taken = [
        f"  {entry.type} {entry.name} {entry.id}"
        for kind in ("Api", "Backend", "NamedValue", "Subscription")
        for entry in first.all(kind)
    ]
    assert lines == [
        "these exist on the service already and are not in this stack's state:",
        *sorted(taken),
        "give this stack its own names with gateway.namePrefix, or take over those that are yours with pulumi import "
        'and the type, name and ID above (docs/environments.md: "Several stacks on one service")',
        "these roles are assigned already and are not in this stack's state:",
        *(f"  {entry.type} {entry.name} {entry.id}" for entry in first.all("RoleAssignment")),
        "leave them to the account's owner with roleAssigned in existing, or take over those that are yours with "
        'pulumi import and the type, name and ID above (docs/environments.md: "Several stacks on one service")',
    ]
    assert len(taken) == 7


def test_a_stack_does_not_clash_with_what_it_has_made_itself() -> None:
    cloud = shared_cloud()
    config = mode_config("existing-gateway-and-account")
    first = deploy_program(config, cloud)

    again = deploy_program(config, cloud, preview=True, after=first)

    assert {entry.urn for entry in again.registrations} == {entry.urn for entry in first.registrations}


def test_a_key_api_beside_an_identity_api_does_not_give_it_the_key() -> None:
    apis = [{"name": "keyed", "path": "keyed/openai", "auth": "key"}, {"name": "plain", "path": "plain/openai"}]

    deployed = deploy("identity-system-assigned", apis=apis)

    assert 'backend-id="keyed-key-backend-swedencentral"' in deployed.policy("keyed")
    assert 'backend-id="openai-backend-swedencentral"' in deployed.policy("plain")
    assert "credentials" not in deployed.one("Backend", "openai-backend-swedencentral").inputs
    assert deployed.one("Account").inputs["properties"]["disableLocalAuth"] is False


def test_auth_alone_moves_a_stack_from_one_mode_to_another() -> None:
    config = mode_config("identity-system-assigned", entra={"roles": ["Chat.User"]}, key={"delivery": "header"})
    found = {}
    for auth in ("key", "managed-identity", "entra"):
        deployed = deploy_program({**config, "openai-gateway:auth": auth}, shared_cloud())
        policy = deployed.policy("openai")
        found[auth] = (
            "{{openai-api-key}}" in policy,
            "authentication-managed-identity" in policy,
            "validate-azure-ad-token" in policy,
            deployed.one("Account").inputs["properties"]["disableLocalAuth"],
        )
        assert deployed.one("Api").urn.endswith("::openai-api")

    assert found == {
        "key": (True, False, False, False),
        "managed-identity": (False, True, False, True),
        "entra": (False, True, True, True),
    }


def test_mistakes_stop_the_program_before_anything_is_registered() -> None:
    cloud = shared_cloud()
    config = mode_config("identity-system-assigned", auth="keys", apis=[{"name": "a b", "path": "x"}])

    with pytest.raises(DeployError) as refused:
        deploy_program(config, cloud)

    assert str(refused.value).splitlines()[0] == "the stack's config has mistakes; nothing was deployed:"
    assert len(str(refused.value).splitlines()) == 3
    assert [found.name for found in cloud.gateways()] == ["apim-shared", "apim-hub"]


def test_warnings_reach_the_log_and_do_not_stop_the_program() -> None:
    deployed = deploy("identity-system-assigned", apis=[{"name": "openai", "path": "chat"}])

    warning = 'openai-gateway:apis[0].path: "chat" does not end in openai'
    assert [message.text[: len(warning)] for message in deployed.deployment.messages] == [warning]
    assert deployed.deployment.messages[0].severity == "warning"


def test_a_definition_file_is_imported_in_place_of_the_official_one(tmp_path: Path) -> None:
    definition = tmp_path / "definition.json"
    definition.write_text('{"openapi": "3.0.0", "paths": {"/models": {"get": {"operationId": "models"}}}}')
    apis = [{"name": "openai", "path": "openai", "definitionFile": str(definition)}]

    inputs = deploy("identity-system-assigned", apis=apis).one("Api").inputs

    assert inputs["format"] == "openapi+json"
    assert inputs["value"] == without_server(definition.read_text(), title="openai (openai-gateway/test)")


def test_a_policy_file_stands_between_validation_and_the_gateways_own_credential(tmp_path: Path) -> None:
    file = tmp_path / "policy.xml"
    file.write_text(
        '<policies><inbound><set-header name="X-Team"><value>@("a" + "b")</value></set-header></inbound></policies>'
    )
    apis = [{"name": "openai", "path": "openai", "policyFile": str(file)}]

    policy = deploy("entra-identity", apis=apis).policy("openai")

    places = [policy.index(text) for text in ("<validate-azure-ad-token", 'name="X-Team"', "<authentication-managed-")]
    assert places == sorted(places)


def test_at_preview_the_exports_are_unknown_and_the_keys_still_secret() -> None:
    deployed = deploy("identity-system-assigned", preview=True)

    assert deployed.outputs["openaiUrl"] is UNKNOWN
    assert deployed.deployment.secret_outputs == {"openaiSubscriptionKey", "openaiSecondarySubscriptionKey"}


@pytest.mark.parametrize(
    "gateway",
    [
        pytest.param({**PUBLISHER, "sku": "Consumption"}, id="created"),
        pytest.param({"existing": {"name": "apim-small", "resourceGroup": GROUP}}, id="adopted"),
    ],
)
def test_a_policy_that_the_tier_does_not_take_fails_the_preview(gateway: dict[str, Any]) -> None:
    cloud = shared_cloud()
    service = {
        "publisherName": "Shared",
        "publisherEmail": "shared@example.com",
        "identity": {"type": "SystemAssigned"},
    }
    sku = {"name": "Consumption", "capacity": 0}
    place = {"resourceGroupName": GROUP, "location": "swedencentral", "serviceName": "apim-small"}
    cloud.create("azure-native:apimanagement:ApiManagementService", "small", {**place, **service, "sku": sku})
    claims = {"department": [f"department-{number:04}" for number in range(500)]}
    config = mode_config("entra-identity", gateway=gateway, entra={**ENTRA, "requiredClaims": claims})

    with pytest.raises(DeployError) as refused:
        deploy_program(config, cloud, preview=True)

    assert str(refused.value).count("the limit for Consumption is 16 KiB") == 1
    assert "Traceback" not in str(refused.value)


def test_protect_holds_what_azure_keeps_the_name_of_and_the_group_around_it() -> None:
    deployed = deploy("key-key-vault-backend", protect=True)

    protected = {entry.type.rsplit(":", 1)[1] for entry in deployed.registrations if entry.protected}
    assert protected == {"ResourceGroup", "ApiManagementService", "Account", "Vault"}


def test_everything_is_where_the_config_says() -> None:
    deployed = deploy("key-key-vault-backend", openai={"accounts": [{}]}, gateway=PUBLISHER)

    assert deployed.one("ResourceGroup").inputs["location"] == "swedencentral"
    assert deployed.one("ApiManagementService").outputs["location"] == "swedencentral"


def test_a_gateway_with_a_name_of_its_own_reads_its_certificate_in_the_sandbox() -> None:
    hostname = {"name": "ai.contoso.com", "vault": {"name": "kv-tls", "resourceGroup": "rg-tls"}, "certificate": "ai"}
    gateway = {**PUBLISHER, "sku": "Premium", "zones": [1, 2], "hostnames": [hostname]}
    config = mode_config("identity-system-assigned", gateway=gateway)
    cloud = Cloud()
    create_existing(cloud, config)

    deployed = deploy_program(config, cloud)

    builtin, own = deployed.one("ApiManagementService").outputs["hostnameConfigurations"]
    assert (builtin["certificateSource"], own["hostName"]) == ("BuiltIn", "ai.contoso.com")
    assert len(deployed.all("RoleAssignment")) == 2  # one on the account, one on the certificate


@pytest.mark.parametrize("mode", ["identity-pool", "key-named-value-backend"])
def test_breaker_and_retry_reach_the_backends_and_the_policy_of_every_auth_mode(mode: str) -> None:
    openai = {
        "accounts": [{"location": "swedencentral"}, {"location": "francecentral"}],
        "deployments": [{"name": "gpt-4o", "model": "gpt-4o"}],
        "breaker": {"count": 3, "interval": "PT2M", "trip": "PT30S", "statusCodes": ["429"], "acceptRetryAfter": False},
    }

    deployed = deploy(mode, openai=openai, apis=[{"name": "openai", "path": "openai", "retry": {"count": 0}}])

    rules = [
        entry.inputs["circuitBreaker"]["rules"][0]
        for entry in deployed.all("Backend")
        if entry.inputs.get("circuitBreaker")
    ]
    assert rules
    for rule in rules:
        assert (rule["tripDuration"], rule["acceptRetryAfter"]) == ("PT30S", False)
        assert rule["failureCondition"]["statusCodeRanges"] == [{"min": 429, "max": 429}]
        assert (rule["failureCondition"]["count"], rule["failureCondition"]["interval"]) == (3, "PT2M")
    assert "seconds = 30;" in deployed.policy("openai")
    assert "<retry" not in deployed.policy("openai")
