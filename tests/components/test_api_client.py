"""A client of a hub that another stack owns."""

from typing import Any

import pytest

from apim_emulator.azure import Cloud, Deployer
from apim_emulator.pulumi.deploy import DeployError
from components import ApiClient
from sandbox.applications import create_application
from tests.components.conftest import GROUP, SERVICE, Azure, exporting
from tests.deployed import Deployed, deploy_component
from tests.judges import errors_of_resource

OUTPUTS = ("endpoint", "primary_key", "secondary_key", "scope")
PLACE = {"resource_group_name": GROUP, "service_name": SERVICE}
PRINCIPAL = "11111111-1111-4111-8111-111111111111"


@pytest.fixture
def azure() -> Azure:
    """A hub with an API in a product, and its app registration."""
    made = Azure(Cloud(deployer=Deployer.ADMINISTRATOR))
    api = {"apiId": "chat", "path": "chat/openai", "displayName": "chat"}
    made.create("apimanagement:Api", {"serviceName": SERVICE, **api})
    for name, state in (("assistants", "published"), ("draft", "notPublished")):
        product = {"productId": name, "displayName": name, "state": state}
        made.create("apimanagement:Product", {"serviceName": SERVICE, **product})
    made.create("apimanagement:ProductApi", {"serviceName": SERVICE, "productId": "assistants", "apiId": "chat"})
    create_application(made.cloud, "chat (hub)", ["Chat.User", "Chat.Admin"])
    return made


def deploy(azure: Azure, **more: Any) -> Deployed:
    args: Any = {**PLACE, "api": "chat", **more}
    return deploy_component(exporting(lambda: ApiClient("assistant", args), *OUTPUTS), azure.cloud)


def test_it_gets_a_key_and_a_role_by_names_alone(azure: Azure) -> None:
    app = azure.cloud.add_caller("app")

    deployed = deploy(
        azure, product="assistants", application="chat (hub)", role="Chat.User", principal_id=app.service_principal_id
    )

    service = azure.cloud.gateways()[0]
    own = next(found for found in service.subscriptions if found.id == "assistant")
    hub = next(found for found in azure.cloud.applications() if found.display_name == "chat (hub)")
    assert (own.scope, own.active) == ("/products/assistants", True)
    assert deployed.outputs == {
        "endpoint": f"https://{SERVICE}.azure-api.net/chat/openai",
        "primary_key": own.primary_key,
        "secondary_key": own.secondary_key,
        "scope": f"api://{hub.client_id}/.default",
    }
    assert deployed.deployment.secret_outputs == {"primary_key", "secondary_key"}
    assert hub.assignments == {app.service_principal_id: {"Chat.User"}}


def test_it_makes_nothing_else_and_changes_nothing_of_the_hub(azure: Azure) -> None:
    deployed = deploy(azure, product="assistants")

    made = [entry for entry in deployed.registrations if entry.type.startswith(("azure", "random"))]
    assert [(entry.type, entry.name) for entry in made] == [
        ("azure-native:apimanagement:Subscription", "assistant-subscription")
    ]
    assert errors_of_resource(made[0].type, made[0].inputs) == []
    assert "scope" not in deployed.outputs


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({}, "product: is missing, and so is application"),
        (
            {"application": "chat (hub)", "principal_id": PRINCIPAL},
            "role: is missing; give the app role for application",
        ),
        ({"product": "assistants", "role": "Chat.User"}, "role: has no effect without application"),
        ({"product": "draft"}, "product draft is not published, so its keys open nothing"),
        ({"product": "assistant"}, "'assistant' was not found"),
        ({"product": "assistants", "api": "chatt"}, "'chatt' was not found"),
        (
            {"application": "chat (hub)", "role": "Chat.Usr", "principal_id": PRINCIPAL},
            "has no role Chat.Usr; it has Chat.Admin, Chat.User",
        ),
        ({"application": "chatty", "role": "Chat.User", "principal_id": PRINCIPAL}, "chatty"),
    ],
)
def test_a_name_that_is_wrong_is_told(azure: Azure, more: dict[str, Any], problem: str) -> None:
    with pytest.raises(DeployError) as refused:
        deploy(azure, **more)

    assert problem in str(refused.value)


def test_a_registration_of_the_same_name_is_no_way_in(azure: Azure) -> None:
    """Whoever may register applications can take any display name."""
    create_application(azure.cloud, "chat (hub)", ["Chat.User"])

    with pytest.raises(DeployError, match=r"found multiple objects matching chat \(hub\)"):
        deploy(azure, application="chat (hub)", role="Chat.User", principal_id=PRINCIPAL)
