from typing import Any

import pytest

from apim_emulator.pulumi.deploy import DeployError
from apim_emulator.pulumi.property_values import UNKNOWN
from components import ContentSafety, ManagedIdentityApi
from options import ExistingSafetyAccount, SafetyAccountOptions, SafetyOptions, SafetyWindowOptions
from policies import SeverityLevels
from tests.components.conftest import GROUP, SERVICE, Azure, exporting
from tests.deployed import Deployed, deploy_component

USER = "a97b65f3-24c7-4388-baec-2e87135dc908"
CLIENT = "0f0e0d0c-0b0a-4908-8706-050403020100"
HATE = SafetyOptions(categories={"Hate": 4})


def deploy(
    azure: Azure, account: SafetyAccountOptions | None = None, *, preview: bool = False, **args: Any
) -> Deployed:
    inputs: Any = {
        "resource_group_name": GROUP,
        "gateway_resource_group_name": GROUP,
        "service_name": SERVICE,
        "principal_id": azure.principal_id,
        "account": account,
        **args,
    }
    outputs = ("backend_id", "account_id", "url")
    return deploy_component(
        exporting(lambda: ContentSafety("content-safety", inputs), *outputs), azure.cloud, preview=preview
    )


def shared(azure: Azure, kind: str = "ContentSafety", **properties: Any) -> SafetyAccountOptions:
    inputs = {"accountName": "cs-shared", "location": "swedencentral", "kind": kind, "sku": {"name": "S0"}}
    azure.create("cognitiveservices:Account", {**inputs, "properties": properties})
    return SafetyAccountOptions(existing=ExistingSafetyAccount(name="cs-shared", resource_group=GROUP))


def publish(azure: Azure, safety: Any = HATE, **more: Any) -> Deployed:
    def build() -> Any:
        inputs: Any = {
            "resource_group_name": GROUP,
            "gateway_resource_group_name": GROUP,
            "service_name": SERVICE,
            "principal_id": azure.principal_id,
        }
        checker = ContentSafety("content-safety", inputs)
        given = {"safety": safety, "safety_backend_id": checker.backend_id, **more}
        return ManagedIdentityApi("openai", azure.api_args(azure.account("oai"), **given))

    return deploy_component(exporting(build), azure.cloud)


def test_an_account_is_created_for_entra_tokens_alone(azure: Azure) -> None:
    deployed = deploy(azure, SafetyAccountOptions(name="cs-contoso", location="francecentral"))

    inputs = deployed.one("Account").inputs
    assert (inputs["kind"], inputs["sku"], inputs["location"]) == ("ContentSafety", {"name": "S0"}, "francecentral")
    assert inputs["accountName"] == inputs["properties"]["customSubDomainName"] == "cs-contoso"
    assert inputs["properties"]["disableLocalAuth"] is True
    assert deployed.outputs["url"] == "https://cs-contoso.cognitiveservices.azure.com"


def test_a_name_left_out_is_unique(azure: Azure) -> None:
    deployed = deploy(azure)

    suffix = deployed.one("RandomString").outputs["result"]
    assert deployed.one("Account").inputs["accountName"] == f"cs-content-safety-{suffix}"


@pytest.mark.parametrize(("client_id", "expected"), [(None, {}), (CLIENT, {"clientId": CLIENT})])
def test_the_backend_presents_the_gateways_identity(
    azure: Azure, client_id: str | None, expected: dict[str, str]
) -> None:
    backend = deploy(azure, SafetyAccountOptions(name="cs-contoso"), identity_client_id=client_id).one("Resource")

    assert backend.inputs["properties"]["url"] == "https://cs-contoso.cognitiveservices.azure.com"
    assert backend.inputs["properties"]["credentials"] == {
        "managedIdentity": {"resource": "https://cognitiveservices.azure.com", **expected}
    }
    assert backend.inputs["properties"]["tls"] == {"validateCertificateChain": True, "validateCertificateName": True}
    assert backend.id.endswith(f"/providers/Microsoft.ApiManagement/service/{SERVICE}/backends/content-safety-backend")


def test_the_identity_gets_its_role_on_the_account(azure: Azure) -> None:
    deployed = deploy(azure)

    role = deployed.one("RoleAssignment").inputs
    assert role["scope"] == deployed.one("Account").id
    assert role["principalId"] == azure.principal_id
    assert role["roleDefinitionId"].endswith(f"/roleDefinitions/{USER}")


def test_the_policy_goes_live_after_the_role_exists(azure: Azure) -> None:
    deployed = publish(azure)

    waited = deployed.waits_for(deployed.one("ApiPolicy"))
    assert {"content-safety-role", "content-safety-backend"} <= waited


def test_a_prefix_keeps_stacks_apart(azure: Azure) -> None:
    assert deploy(azure, name_prefix="team-a-").outputs["backend_id"] == "team-a-content-safety-backend"


@pytest.mark.parametrize("kind", ["ContentSafety", "AIServices"])
def test_an_account_is_adopted_without_owning_it(azure: Azure, kind: str) -> None:
    deployed = deploy(azure, shared(azure, kind, customSubDomainName="cs-shared"))

    assert deployed.all("Account") == []
    assert deployed.outputs["url"] == "https://cs-shared.cognitiveservices.azure.com"


def test_a_role_that_the_owner_has_given_is_not_given_again(azure: Azure) -> None:
    shared(azure, customSubDomainName="cs-shared")
    existing = ExistingSafetyAccount(name="cs-shared", resource_group=GROUP, role_assigned=True)

    assert deploy(azure, SafetyAccountOptions(existing=existing)).all("RoleAssignment") == []


@pytest.mark.parametrize(
    ("kind", "properties", "told"),
    [
        pytest.param("OpenAI", {"customSubDomainName": "cs-shared"}, "kind OpenAI, which cannot check", id="kind"),
        pytest.param("ContentSafety", {}, "cs-shared has no custom subdomain", id="no subdomain"),
    ],
)
def test_an_account_that_cannot_serve_is_refused(
    azure: Azure, kind: str, properties: dict[str, str], told: str
) -> None:
    account = shared(azure, kind, **properties)

    with pytest.raises(DeployError, match=told):
        deploy(azure, account)


def test_a_backend_that_another_stack_has_is_told_at_preview(azure: Azure) -> None:
    deploy(azure)

    with pytest.raises(DeployError, match="exist on the service already"):
        deploy(azure, preview=True)


def test_a_preview_knows_nothing_yet(azure: Azure) -> None:
    assert deploy(azure, preview=True).outputs["backend_id"] == UNKNOWN


def test_content_is_checked_before_the_hook_and_the_credential(azure: Azure) -> None:
    hook = {"inbound": '<set-header name="X-Team"><value>a</value></set-header>'}

    policy = publish(azure, policy=hook).policy("openai")

    order = ["context.Subscription == null", "<llm-content-safety", "X-Team", 'name="api-key"', "<authentication-"]
    assert sorted(order, key=policy.index) == order


def test_every_option_is_in_the_policy(azure: Azure) -> None:
    safety = SafetyOptions(
        categories={"Hate": 4, "SelfHarm": 7},
        output_type=SeverityLevels.EIGHT,
        shield_prompt=True,
        blocklists=["rivals", "secrets"],
        enforce_on_completions=True,
        window=SafetyWindowOptions(size=500, overlap=50),
    )

    policy = publish(azure, safety).policy("openai")

    shared = (
        'backend-id="content-safety-backend"{} enforce-on-completions="true" window-size="500" '
        'window-overlap-size="50">'
    )
    first, second = policy.split("<llm-content-safety ")[1:]
    assert first.startswith(shared.format(' shield-prompt="true"'))
    assert '<categories output-type="EightSeverityLevels">' in first
    assert '<category name="SelfHarm" threshold="7" />' in first
    assert "<id>rivals</id>" in first
    assert "<id>secrets</id>" not in first
    assert second.startswith(shared.format(""))
    assert "<id>secrets</id>" in second
    assert "<category " not in second


def test_other_languages_pass_mappings_with_floats(azure: Azure) -> None:
    given = {"categories": {"Hate": 4.0}, "window": {"size": 500.0, "overlap": None}}

    policy = publish(azure, safety=given).policy("openai")

    assert 'window-size="500">' in policy
    assert '<category name="Hate" threshold="4" />' in policy


@pytest.mark.parametrize(
    ("given", "told"),
    [
        pytest.param({"safety": SafetyOptions()}, "safety: checks nothing; give safety.categories", id="nothing"),
        pytest.param(
            {"safety": SafetyOptions(shield_prompt=True, account=SafetyAccountOptions())},
            "safety.account: belongs to ContentSafety",
            id="account",
        ),
        pytest.param({"safety_backend_id": None}, "safety: needs safety_backend_id", id="no backend"),
        pytest.param(
            {"sku": "Consumption"},
            "safety: cannot be set with sku Consumption, whose gateway cannot check content; remove it, or change sku",
            id="tier",
        ),
    ],
)
def test_options_that_cannot_be_are_refused(azure: Azure, given: dict[str, Any], told: str) -> None:
    with pytest.raises(DeployError, match=told):
        publish(azure, **{"safety": HATE, **given})
