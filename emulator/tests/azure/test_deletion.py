"""What goes with a deleted resource, and what keeps one from being deleted."""

from collections.abc import Callable

import pytest

from apim_emulator.azure import CloudError
from emulator.tests.azure.azure import OPENAI_USER, Azure

POLICY = "<set-backend-service backend-id='openai-backend' />"


def test_all_below_a_resource_goes_with_it(azure: Azure) -> None:
    azure.service()
    api_id, _ = azure.api()
    azure.policy("<base />")

    azure.cloud.delete(api_id)

    assert azure.cloud.gateways()[0].apis == ()
    azure.api()
    assert azure.cloud.gateways()[0].apis[0].policy is None


def test_role_assignments_go_with_their_scope(azure: Azure) -> None:
    account_id, _ = azure.account()
    principal = azure.identity()[1]["principalId"]
    azure.role(principal, account_id, OPENAI_USER)

    azure.cloud.delete(account_id)
    azure.cloud.purge("azure-native:cognitiveservices:Account", "oai")
    azure.account()

    assert not azure.cloud.has_role(principal, OPENAI_USER, account_id)


def test_a_deleted_identity_holds_no_role_nor_does_its_successor(azure: Azure) -> None:
    account_id, _ = azure.account()
    identity_id, identity = azure.identity()
    azure.role(identity["principalId"], account_id, OPENAI_USER)
    assert azure.cloud.has_role(identity["principalId"], OPENAI_USER, account_id)

    azure.cloud.delete(identity_id)
    successor = azure.identity()[1]["principalId"]

    assert not azure.cloud.has_role(identity["principalId"], OPENAI_USER, account_id)
    assert not azure.cloud.has_role(successor, OPENAI_USER, account_id)


def test_a_deleted_role_assignment_gives_nothing(azure: Azure) -> None:
    account_id, _ = azure.account()
    principal = azure.identity()[1]["principalId"]
    assignment, _ = azure.role(principal, account_id, OPENAI_USER)

    azure.cloud.delete(assignment)

    assert not azure.cloud.has_role(principal, OPENAI_USER, account_id)


def test_a_service_principal_goes_with_its_application(azure: Azure) -> None:
    resource_id, application = azure.entra("Application", displayName="api")
    azure.entra("ServicePrincipal", clientId=application["clientId"])

    azure.administrator.delete(resource_id)

    assert azure.cloud.applications() == ()


def test_a_name_is_free_again(azure: Azure) -> None:
    identity_id, identity = azure.identity()

    azure.cloud.delete(identity_id)
    again_id, again = azure.identity()

    assert again_id == identity_id
    assert again["principalId"] != identity["principalId"]


def test_what_does_not_exist_cannot_be_deleted(azure: Azure) -> None:
    with pytest.raises(CloudError, match="ResourceNotFound"):
        azure.cloud.delete("/subscriptions/x")


@pytest.mark.parametrize(
    ("create", "use"),
    [
        pytest.param(
            lambda azure: azure.named_value("key"),
            lambda azure: azure.policy("<set-header name='api-key'><value>{{key}}</value></set-header>"),
            id="named-value-in-a-policy",
        ),
        pytest.param(
            lambda azure: azure.named_value("key"),
            lambda azure: azure.backend("b", credentials={"header": {"api-key": ["{{key}}"]}}),
            id="named-value-in-a-backend",
        ),
        pytest.param(
            lambda azure: azure.named_value("key"),
            lambda azure: azure.apim("PolicyFragment", id="f", value="<fragment><a b='{{key}}' /></fragment>"),
            id="named-value-in-a-fragment",
        ),
        pytest.param(lambda azure: azure.backend(), lambda azure: azure.policy(POLICY), id="backend-in-a-policy"),
        pytest.param(
            lambda azure: azure.backend("b"),
            lambda azure: azure.apim(
                "Backend", backendId="pool", type="Pool", pool={"services": [{"id": "/backends/b"}]}
            ),
            id="backend-in-a-pool",
        ),
        pytest.param(
            lambda azure: azure.apim("PolicyFragment", id="f", value="<fragment />"),
            lambda azure: azure.policy("<include-fragment fragment-id='f' />"),
            id="fragment-in-a-policy",
        ),
    ],
)
def test_what_is_referred_to_cannot_be_deleted_before_its_user(
    azure: Azure,
    create: Callable[[Azure], tuple[str, object]],
    use: Callable[[Azure], tuple[str, object]],
) -> None:
    azure.service()
    azure.api()
    used, _ = create(azure)
    user, _ = use(azure)

    with pytest.raises(CloudError, match="cannot be deleted") as refusal:
        azure.cloud.delete(used)

    assert user in refusal.value.message
    azure.cloud.delete(user)
    azure.cloud.delete(used)
    with pytest.raises(CloudError, match="ResourceNotFound"):
        azure.cloud.delete(used)
