from typing import Any

import pytest

from apim_emulator.pulumi.deploy import DeployError
from apim_emulator.pulumi.property_values import UNKNOWN
from components import ApiGateway, ApiGatewayArgs, ManagedIdentityApi, OpenAIAccount, OpenAIBackend, OpenAIBackendArgs
from options import GatewayOptions, OpenAIOptions
from tests.components.conftest import GROUP, SERVICE, Azure, exporting
from tests.deployed import Deployed, deploy_component

OPENAI_USER = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"


def deploy(azure: Azure, args: Any, *, preview: bool = False) -> Deployed:
    return deploy_component(
        exporting(lambda: ManagedIdentityApi("openai", args), "api_id", "subscription_key"),
        azure.cloud,
        preview=preview,
    )


def test_the_identity_gets_its_role_on_each_account(azure: Azure) -> None:
    both = azure.account("oai-a"), azure.account("oai-b")

    deployed = deploy(azure, azure.api_args(*both))

    assignments = [entry.inputs for entry in deployed.all("RoleAssignment")]
    assert [entry["scope"] for entry in assignments] == [account.id for account in both]
    for entry in assignments:
        assert entry["principalId"] == azure.principal_id
        assert entry["principalType"] == "ServicePrincipal"
        subscription = f"/subscriptions/{azure.cloud.subscription_id}"
        assert (
            entry["roleDefinitionId"]
            == f"{subscription}/providers/Microsoft.Authorization/roleDefinitions/{OPENAI_USER}"
        )


def test_role_assignments_are_named_by_what_they_say(azure: Azure) -> None:
    def names(account: str, **more: Any) -> list[str]:
        fresh = Azure()
        deployed = deploy(fresh, fresh.api_args(fresh.account(account), **more))
        return [entry.inputs["roleAssignmentName"] for entry in deployed.all("RoleAssignment")]

    assert names("oai-a") == names("oai-a", path="other/openai")
    assert names("oai-a") != names("oai-b")


def test_the_policy_goes_live_after_the_role_exists(azure: Azure) -> None:
    deployed = deploy(azure, azure.api_args(azure.account("oai")))

    assert deployed.one("RoleAssignment").name in deployed.waits_for(deployed.one("ApiPolicy"))


def test_the_policy_presents_the_identitys_token_as_the_article_does(azure: Azure) -> None:
    policy = deploy(azure, azure.api_args(azure.account("oai"))).policy("openai")

    assert (
        '<authentication-managed-identity resource="https://cognitiveservices.azure.com" '
        'output-token-variable-name="managed-id-access-token" ignore-error="false" />'
    ) in policy
    assert '<set-header name="Authorization" exists-action="override">' in policy
    assert '<value>@("Bearer " + (string)context.Variables["managed-id-access-token"])</value>' in policy
    assert '<set-backend-service backend-id="openai-backend" />' in policy


def test_a_user_assigned_identity_is_named_by_its_client_id(azure: Azure) -> None:
    client_id = "0f0e0d0c-0b0a-4908-8706-050403020100"

    policy = deploy(azure, azure.api_args(azure.account("oai"), identity_client_id=client_id)).policy("openai")

    assert f' client-id="{client_id}" ' in policy


def test_an_account_without_a_resource_id_is_refused(azure: Azure) -> None:
    account = OpenAIAccount(key="oai", id="oai-contoso", url="https://oai.openai.azure.com/openai")

    with pytest.raises(DeployError, match='"oai-contoso" is not a resource ID; allowed: /subscriptions/ID'):
        deploy(azure, azure.api_args(account))


def test_no_key_exists(azure: Azure) -> None:
    deployed = deploy(azure, azure.api_args(azure.account("oai", local_auth=False)))

    assert deployed.all("NamedValue") == deployed.all("Secret") == []


def test_roles_that_exist_already_are_waited_for_and_not_made_again(azure: Azure) -> None:
    def program() -> None:
        backend = OpenAIBackend(
            "ai",
            OpenAIBackendArgs(
                resource_group_name=GROUP,
                gateway_resource_group_name=GROUP,
                service_name=SERVICE,
                openai=OpenAIOptions(),
                users={"gateway": azure.principal_id},
            ),
        )
        for name in ("first", "second"):
            args = azure.api_args(*backend.accounts, role_assignment_ids=backend.role_assignment_ids)
            ManagedIdentityApi(name, args | {"path": f"{name}/openai"})

    deployed = deploy_component(program, azure.cloud)

    role = deployed.one("RoleAssignment")
    for name in ("first", "second"):
        assert role.name in deployed.waits_for(deployed.one("ApiPolicy", f"{name}-policy"))


def test_callers_need_a_subscription_key(azure: Azure) -> None:
    deployed = deploy(azure, azure.api_args(azure.account("oai")))

    assert deployed.one("Api").inputs["subscriptionRequired"] is True
    assert deployed.one("Subscription").inputs["scope"] == deployed.outputs["api_id"]
    assert "subscription_key" in deployed.deployment.secret_outputs


def test_at_preview_an_unknown_identity_leaves_the_policy_unknown(azure: Azure) -> None:
    def program() -> None:
        options = GatewayOptions(publisher_name="C", publisher_email="a@b.example", identity="user-assigned")
        gateway = ApiGateway("gateway", ApiGatewayArgs(resource_group_name=GROUP, gateway=options))
        args = azure.api_args(azure.account("oai")) | {
            "principal_id": gateway.principal_id,
            "identity_client_id": gateway.identity_client_id,
        }
        ManagedIdentityApi("openai", args)

    deployed = deploy_component(program, azure.cloud, preview=True)

    assert deployed.one("RoleAssignment").inputs["principalId"] is UNKNOWN
    assert deployed.one("ApiPolicy").inputs["value"] is UNKNOWN


def test_the_component_is_the_parent_of_all_it_makes(azure: Azure) -> None:
    deployed = deploy(azure, azure.api_args(azure.account("oai")))

    component = deployed.one("ManagedIdentityApi")
    children = [entry for entry in deployed.registrations if entry is not component]
    assert {child.parent for child in children} == {component.urn}
    assert {child.type.rsplit(":", 1)[1] for child in children} == {
        "Api",
        "ApiPolicy",
        "RoleAssignment",
        "Subscription",
    }


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({}, "own_responses: true conflicts with surface dated, which has no Responses"),
        (
            {"surface": "v1", "definition": '{"openapi": "3.0.0", "paths": {"/a": {"get": {}}}}'},
            "conflicts with definition",
        ),
        (
            {"surface": "v1", "sku": "Consumption"},
            "own_responses: true needs the built-in cache, which sku Consumption",
        ),
    ],
)
def test_responses_with_owners_are_refused_where_there_can_be_none(
    azure: Azure, inputs: dict[str, Any], said: str
) -> None:
    with pytest.raises(DeployError, match=said):
        deploy(azure, azure.api_args(azure.account("oai"), own_responses=True, **inputs))


def test_who_made_a_response_is_known_for_as_long_as_azure_stores_it(azure: Azure) -> None:
    args = azure.api_args(azure.account("oai"), surface="v1", own_responses=True)

    policy = deploy(azure, args).policy("openai")

    assert policy.index("<cache-lookup-value") < policy.index('<set-header name="api-key" exists-action="delete"')
    assert 'duration="2592000"' in policy
    assert "stream" not in policy
