"""Unit tests of Pulumi programs, in the way of Pulumi's own guide."""

from collections.abc import Callable
from typing import Any

import pulumi
import pulumi_azure_native
import pytest
from pulumi_azure_native import apimanagement, authorization, containerregistry, managedidentity, resources

from apim_emulator.azure import CloudError
from apim_emulator.pulumi import AzureMocks


def run(mocks: AzureMocks, program: Callable[[], Any]) -> None:
    """Run a program until all is registered."""
    pulumi.runtime.set_mocks(mocks, project="chat", stack="test", preview=False)
    pulumi.runtime.test(program)()  # type: ignore[no-untyped-call]


def test_the_ids_that_a_program_gets_are_of_arms_shape() -> None:
    mocks = AzureMocks(location="swedencentral")
    seen: list[str] = []

    def program() -> Any:
        group = resources.ResourceGroup("group")
        service = apimanagement.ApiManagementService(
            "service",
            resource_group_name=group.name,
            publisher_name="Contoso",
            publisher_email="ai@contoso.com",
            sku={"name": "BasicV2", "capacity": 1},
        )
        api = apimanagement.Api(
            "chat",
            resource_group_name=group.name,
            service_name=service.name,
            path="chat",
            display_name="Chat",
            protocols=["https"],
        )
        return pulumi.Output.all(group.id, group.name, service.id, service.name, api.id, api.name).apply(seen.extend)

    run(mocks, program)

    group_id, group_name, service_id, service_name, api_id, api_name = seen
    assert group_id == f"/subscriptions/{mocks.cloud.subscription_id}/resourceGroups/{group_name}"
    assert service_id == f"{group_id}/providers/Microsoft.ApiManagement/service/{service_name}"
    assert api_id == f"{service_id}/apis/{api_name}"
    assert {found.name: found.id for found in mocks.registrations} == {
        "group": group_id,
        "service": service_id,
        "chat": api_id,
    }


def test_a_function_is_answered() -> None:
    mocks = AzureMocks()
    seen: list[str] = []

    run(mocks, lambda: seen.append(authorization.get_client_config().tenant_id))

    assert seen == [mocks.cloud.tenant_id]


def test_a_resource_goes_where_its_provider_leads_and_others_stay() -> None:
    other = "00000000-0000-4000-8000-000000000002"
    mocks = AzureMocks(location="swedencentral")
    mocks.cloud.add_subscription(other)

    def program() -> Any:
        provider = pulumi_azure_native.Provider("hub", subscription_id=other, location="francecentral")
        there = resources.ResourceGroup("there", opts=pulumi.ResourceOptions(provider=provider))
        here = resources.ResourceGroup("here", opts=pulumi.ResourceOptions(depends_on=[there]))
        return pulumi.Output.all(here.id, there.id)

    run(mocks, program)

    made = {found.name: found for found in mocks.registrations}
    assert made["there"].id.startswith(f"/subscriptions/{other}/resourceGroups/")
    assert made["there"].outputs["location"] == "francecentral"
    assert made["here"].id.startswith(f"/subscriptions/{mocks.cloud.subscription_id}/resourceGroups/")
    assert made["here"].outputs["location"] == "swedencentral"


def test_what_azure_refuses_fails_the_test_of_the_program() -> None:
    def program() -> Any:
        return managedidentity.UserAssignedIdentity("identity", resource_group_name="nowhere", location="eastus").id

    with pytest.raises(CloudError, match="Resource group 'nowhere' could not be found"):
        run(AzureMocks(), program)


def test_an_id_that_is_inferred_is_warned_about() -> None:
    mocks = AzureMocks(location="swedencentral")

    def program() -> Any:
        group = resources.ResourceGroup("group")
        return containerregistry.Registry("images", resource_group_name=group.name, sku={"name": "Basic"}).id

    with pytest.warns(UserWarning, match="azure-native:containerregistry:Registry is not modelled.*ID is inferred"):
        run(mocks, program)

    group, images = mocks.registrations
    assert images.id.startswith(f"{group.id}/providers/Microsoft.Containerregistry/registries/images")
