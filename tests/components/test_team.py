"""What a team's component creates, and what it leaves alone."""

import os
import re
from collections.abc import Sequence
from typing import Any

import pytest

from apim_emulator.azure import Cloud, Deployer
from apim_emulator.pulumi.deploy import DeployError
from components import EntraProtectedApi, ManagedIdentityApi, Team, TeamApi
from options import LimitOptions, LimitPer, ModelOptions, OwnerOptions, OwnerType, Surface, TeamKeysOptions
from sandbox.applications import create_application
from tests.components.conftest import GROUP, SERVICE, Azure, exporting
from tests.deployed import ROOT, Deployed, deploy_component, deploy_program
from tests.judges import errors_of, errors_of_resource

SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
USER = "11111111-1111-4111-8111-111111111111"
SNAPSHOT = ROOT / "tests" / "snapshots" / "team.xml"
OUTPUTS = ("product_id", "primary_keys", "secondary_keys", "key_secrets")


def args(*apis: Any, **more: Any) -> Any:
    return {"resource_group_name": GROUP, "service_name": SERVICE, "sku": "StandardV2", "apis": list(apis), **more}


def deploy(azure: Azure, **more: Any) -> Deployed:
    """Deploy the team `research` with the API `openai`."""
    account = azure.account("oai")

    def build() -> Team:
        api = ManagedIdentityApi("openai", azure.api_args(account))
        return Team("research", args(TeamApi(name="openai", id=api.api_id)) | more)

    return deploy_component(exporting(build, *OUTPUTS), azure.cloud)


def policy(deployed: Deployed, team: str = "research") -> str:
    return str(deployed.one("ProductPolicy", f"{team}-product-policy").inputs["value"])


CONFIG: dict[str, Any] = {
    "azure-native:location": "swedencentral",
    "openai-gateway:gateway": {"publisherName": "Contoso", "publisherEmail": "ai@contoso.com"},
    "openai-gateway:openai": {
        "deployments": [{"name": "chat", "model": "gpt-4o"}, {"name": "small", "model": "gpt-4o"}]
    },
    "openai-gateway:apis": [
        {"name": "chat", "path": "openai"},
        {"name": "v1", "path": "v1/openai/v1", "surface": "v1"},
    ],
}
LIMITS = [{"per": "product", "tokensPerMinute": 1000}, {"per": "subscription", "requestsPerMinute": 60}]
ONE: dict[str, Any] = {"name": "one", "apis": ["chat"], "limits": LIMITS}
TWO: dict[str, Any] = {"name": "two", "apis": ["chat", "v1"], "models": ["small"], "subscriptions": ["blue", "green"]}
THREE: dict[str, Any] = {"name": "three", "apis": ["v1"], "limits": LIMITS, "keys": {"vault": True}}


def program(*teams: dict[str, Any], after: Deployed | None = None) -> Deployed:
    return deploy_program({**CONFIG, "openai-gateway:teams": list(teams)}, after=after)


def resources(deployed: Deployed) -> dict[str, Any]:
    """ID and inputs of each resource, by its URN."""
    return {entry.urn: (entry.id, entry.inputs) for entry in deployed.registrations}


def changed(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """Return the names of the resources that came, went or have other inputs."""
    urns = {urn for urn in {*before, *after} if before.get(urn) != after.get(urn)}
    return {urn.rsplit("::", 1)[1] for urn in urns}


@pytest.fixture(scope="module")
def deployed() -> Deployed:
    return deploy(Azure(), subscriptions=["app", "batch"])


class TestProduct:
    def test_it_is_published_and_nobody_subscribes_unasked(self, deployed: Deployed) -> None:
        product = deployed.one("Product").inputs

        assert product["productId"] == "research"
        assert product["state"] == "published"
        assert (product["subscriptionRequired"], product["approvalRequired"]) == (True, True)

    def test_it_is_linked_to_the_apis_by_their_ids(self, deployed: Deployed) -> None:
        link = deployed.one("ProductApiLink").inputs

        assert (link["productId"], link["apiLinkId"]) == ("research", "research_openai")
        assert link["apiId"] == deployed.one("Api").id

    def test_each_subscription_opens_the_product_once_its_limits_hold(self, deployed: Deployed) -> None:
        found = [entry for entry in deployed.all("Subscription") if entry.name.startswith("research")]

        assert [entry.inputs["sid"] for entry in found] == ["research_app", "research_batch"]
        assert {entry.inputs["scope"] for entry in found} == {deployed.one("Product").id}
        for entry in found:
            assert entry.inputs["state"] == "active"
            assert {"research-product-policy", "research_openai-link"} <= deployed.waits_for(entry)

    def test_both_keys_of_each_are_secret_outputs(self, deployed: Deployed) -> None:
        primary, secondary = deployed.outputs["primary_keys"], deployed.outputs["secondary_keys"]
        service = deployed.cloud.gateways()[0]
        keys = {found.id: (found.primary_key, found.secondary_key) for found in service.subscriptions}

        assert set(primary) == set(secondary) == {"app", "batch"}
        assert {"primary_keys", "secondary_keys"} <= deployed.deployment.secret_outputs
        for name in primary:
            assert keys[f"research_{name}"] == (primary[name], secondary[name])

    def test_there_is_no_vault_unless_one_is_asked_for(self, deployed: Deployed) -> None:
        assert deployed.all("Vault") == deployed.all("Secret") == []
        assert deployed.outputs["key_secrets"] == {}

    def test_official_judges_accept_it(self, deployed: Deployed) -> None:
        judged = ("Product", "ProductApiLink", "ProductPolicy", "Subscription")
        found = [entry for entry in deployed.registrations if entry.type.rsplit(":", 1)[1] in judged]

        assert [errors_of_resource(entry.type, entry.inputs) for entry in found] == [[]] * len(found)
        assert errors_of(policy(deployed), "v2") == []


def test_the_policy_is_the_one_that_people_have_read() -> None:
    """`UPDATE_SNAPSHOTS=1` writes the file anew; read the difference before committing it."""
    text = policy(program({**TWO, "limits": LIMITS}), "two")
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SNAPSHOT.write_text(text, encoding="utf-8")

    assert text == SNAPSHOT.read_text(encoding="utf-8")


def test_names_have_the_stacks_prefix(azure: Azure) -> None:
    deployed = deploy(azure, name_prefix="hub-", models=["gpt-4o"])

    assert deployed.one("Product").inputs["productId"] == "hub-research"
    assert deployed.one("ProductApiLink").inputs["apiLinkId"] == "hub-research_openai"
    assert "hub-research_default" in {entry.inputs["sid"] for entry in deployed.all("Subscription")}
    assert "&quot;hub-openai&quot; }.Contains(context.Api.Id)" in policy(deployed)


@pytest.mark.slow
class TestNeighbours:
    """A team comes, changes and goes without the others."""

    @pytest.fixture
    def two(self) -> Deployed:
        return program(ONE, TWO)

    @pytest.fixture
    def before(self, two: Deployed) -> dict[str, Any]:
        return resources(two)

    def test_one_that_is_added_changes_its_own_resources_alone(self, two: Deployed, before: dict[str, Any]) -> None:
        after = resources(program(ONE, TWO, THREE, after=two))

        assert changed(before, after) == {
            "three",
            "three-product",
            "three-product-policy",
            "three_v1-link",
            "three_default-subscription",
            "three-vault",
            "three-kv-suffix",
            *(f"three_default-{kind}-{what}" for kind in ("primary", "secondary") for what in ("secret", "key-suffix")),
        }

    def test_one_that_changes_changes_its_own_resources_alone(self, two: Deployed, before: dict[str, Any]) -> None:
        other = {**TWO, "models": ["chat"], "subscriptions": ["blue"], "apis": ["chat"]}

        after = resources(program(ONE, other, after=two))

        assert changed(before, after) == {"two-product-policy", "two_v1-link", "two_green-subscription"}

    def test_one_that_goes_takes_its_own_resources_alone(self, two: Deployed, before: dict[str, Any]) -> None:
        after = resources(program(TWO, after=two))

        names = {"one-product", "one-product-policy", "one_chat-link", "one_default-subscription"}
        assert changed(before, after) == {"one", *names}

    def test_order_does_not_matter(self, two: Deployed, before: dict[str, Any]) -> None:
        assert changed(before, resources(program(TWO, ONE, after=two))) == set()


def test_a_product_outlives_its_team_without_opening_anything() -> None:
    two = program(ONE, TWO)
    keys = two.outputs["onePrimaryKeys"].values()

    program(TWO, after=two)

    service = two.cloud.gateways()[0]
    left = next(product for product in service.products if product.id == "one")
    assert left.api_ids == frozenset()
    assert not {found.primary_key for found in service.subscriptions} & set(keys)


def test_a_product_that_is_there_already_is_told_in_a_preview(azure: Azure) -> None:
    azure.create("apimanagement:Product", {"serviceName": SERVICE, "productId": "research", "displayName": "research"})
    api = azure.create("apimanagement:Api", {"serviceName": SERVICE, "apiId": "a", "path": "a", "displayName": "a"})[0]

    with pytest.raises(DeployError) as refused:
        deploy_component(lambda: Team("research", args(TeamApi(name="a", id=api))), azure.cloud, preview=True)

    assert re.search(
        r"azure-native:apimanagement:Product research-product /subscriptions/\S+/products/research", str(refused.value)
    )
    assert "pulumi import" in str(refused.value)


def counters(document: str) -> set[str]:
    return set(re.findall(r'counter-key="(?:@\(&quot;)?([^"&]+)', document))


def test_no_two_teams_and_no_api_share_a_counter() -> None:
    limits = [
        {"per": per, "tokensPerMinute": 1000, "requestsPerMinute": 60}
        for per in ("subscription", "product", "model", "api")
    ]
    shadow = [{"per": "product", "tokenQuota": 1000, "tokenQuotaPeriod": "Daily", "shadow": True}]
    config = {**CONFIG, "openai-gateway:limits": limits + shadow}
    teams = [{"name": name, "apis": ["chat"], "limits": limits + shadow} for name in ("chat", "v1")]

    deployed = deploy_program({**config, "openai-gateway:teams": teams})

    found = [policy(deployed, "chat"), policy(deployed, "v1"), deployed.policy("chat"), deployed.policy("v1")]
    keys = [counters(document) for document in found]
    assert all(len(own) == 9 for own in keys)
    assert len(set.union(*keys)) == sum(map(len, keys))


def test_a_teams_headers_are_told_apart_from_an_apis() -> None:
    deployed = program({**ONE, "limits": [{"per": "subscription", "tokensPerMinute": 1000, "requestsPerMinute": 60}]})

    document = policy(deployed, "one")
    assert 'remaining-tokens-header-name="x-ratelimit-remaining-team-subscription-tokens"' in document
    assert 'total-calls-header-name="x-ratelimit-limit-team-subscription-requests"' in document


def test_an_api_can_leave_the_keys_to_its_teams() -> None:
    apis = [{"name": "chat", "path": "openai", "ownSubscription": False}]
    config = {**CONFIG, "openai-gateway:apis": apis, "openai-gateway:teams": [ONE]}

    deployed = deploy_program(config)

    assert [entry.inputs["sid"] for entry in deployed.all("Subscription")] == ["one_default"]
    assert {name for name in deployed.outputs if "Key" in name} == {"onePrimaryKeys", "oneSecondaryKeys"}
    assert deployed.one("Api").inputs["subscriptionRequired"] is True


class TestVault:
    def test_the_keys_go_to_a_vault_of_the_teams_own_which_its_owners_read(self, azure: Azure) -> None:
        owner = azure.cloud.add_user("ada@contoso.com").object_id
        group = azure.group()
        deployed = deploy(
            azure,
            keys=TeamKeysOptions(vault=True),
            owners=[OwnerOptions(id=owner), OwnerOptions(id=group, type=OwnerType.GROUP)],
        )

        secrets = deployed.all("Secret")
        values = [entry.inputs["properties"]["value"] for entry in secrets]
        assert values == [deployed.outputs["primary_keys"]["default"], deployed.outputs["secondary_keys"]["default"]]
        assert set(deployed.outputs["key_secrets"]) == {"default-primary", "default-secondary"}
        assert "key_secrets" not in deployed.deployment.secret_outputs
        readers = [entry.inputs for entry in deployed.all("RoleAssignment") if SECRETS_USER in str(entry.inputs)]
        assert {(entry["principalId"], entry["principalType"]) for entry in readers} == {
            (owner, "User"),
            (group, "Group"),
        }
        assert {entry["scope"] for entry in readers} == {entry.id for entry in secrets}

    def test_or_to_one_that_exists(self, azure: Azure) -> None:
        azure.vault("kv-shared")
        existing = {"name": "kv-shared", "resource_group": GROUP}

        deployed = deploy(azure, keys={"vault": True, "existing": existing, "secrets_officer": True})

        names = {entry.inputs["secretName"] for entry in deployed.all("Secret")}
        assert names == {"research--default--primary", "research--default--secondary"}
        assert deployed.all("Vault") == []


class TestRoles:
    def test_principals_get_the_role_of_a_registration_that_is_created(self) -> None:
        azure = Azure(Cloud(deployer=Deployer.ADMINISTRATOR))
        group = azure.group()
        app = azure.cloud.add_caller("app").service_principal_id

        def build() -> Team:
            entra = {"roles": ["Chat.User"]}
            api = EntraProtectedApi(
                "openai", azure.api_args(azure.account("oai"), entra=entra, subscription_required=True)
            )
            known = TeamApi(
                name="openai", id=api.api_id, roles=["Chat.User"], service_principal_id=api.service_principal_id
            )
            return Team("research", args(known, principals=[group, app.upper()]))

        deployed = deploy_component(exporting(build, *OUTPUTS), azure.cloud)

        found = [entry.inputs for entry in deployed.all("AppRoleAssignment")]
        assert {entry["principalObjectId"].lower() for entry in found} == {group, app}
        application = deployed.one("Application").inputs
        assert {entry["appRoleId"] for entry in found} == {application["appRoles"][0]["id"]}
        registered = azure.cloud.applications()
        assert any(found.assignments.get(group) == frozenset({"Chat.User"}) for found in registered)

    @pytest.mark.parametrize("role", ["Chat.Admin", "Chat.Nobody"])
    def test_or_of_one_that_somebody_else_owns(self, role: str) -> None:
        cloud = Cloud(deployer=Deployer.ADMINISTRATOR)
        azure = Azure(cloud)
        hub = create_application(cloud, "hub", ["Chat.User", "Chat.Admin"])
        app = cloud.add_caller("app").service_principal_id
        account = azure.account("oai")

        def build() -> Team:
            api = ManagedIdentityApi("openai", azure.api_args(account))
            known = TeamApi(name="openai", id=api.api_id, roles=["Chat.User", role], client_id=hub.client_id)
            return Team("research", args(known, principals=[app], role=role))

        if role not in hub.app_roles.values():
            with pytest.raises(DeployError, match=r"has no role Chat.Nobody; it has Chat.Admin, Chat.User"):
                deploy_component(build, cloud)
            return
        deploy_component(build, cloud)
        registered = next(found for found in cloud.applications() if found.client_id == hub.client_id)
        assert registered.assignments == {app: {role}}

    @pytest.mark.parametrize(
        ("more", "problem"),
        [
            (
                {"principals": [USER]},
                "principals: a list get an app role, and none of apis validates tokens",
            ),
            ({"role": "Chat.User"}, 'role: "Chat.User" has no effect without principals'),
            ({"owners": [OwnerOptions(id=USER)]}, "owners: read the team's keys in a vault, and keys.vault is false"),
        ],
    )
    def test_what_would_have_no_effect_is_refused(self, azure: Azure, more: dict[str, Any], problem: str) -> None:
        with pytest.raises(DeployError) as refused:
            deploy(azure, **more)

        assert problem.replace("a list ", "") in str(refused.value)


def test_a_program_in_another_language_says_the_same(azure: Azure) -> None:
    """The component host passes mappings, with floats for integers."""
    account = azure.account("oai")
    models = [{"name": "fast", "deployment": "small"}, {"name": "chat"}]

    def build(typed: bool) -> Team:
        api = ManagedIdentityApi("openai", azure.api_args(account))
        if typed:
            found = [ModelOptions(name="fast", deployment="small"), ModelOptions(name="chat")]
            known: Any = TeamApi(name="openai", id=api.api_id, surface=Surface.V1, models=found)
            limit: Any = LimitOptions(per=LimitPer.PRODUCT, tokens_per_minute=1000)
        else:
            known = {"name": "openai", "id": api.api_id, "surface": "v1", "models": models}
            limit = {"per": "product", "tokens_per_minute": 1000.0}
        return Team("research", args(known, models=["fast"], limits=[limit]))

    first = deploy_component(exporting(lambda: build(True), *OUTPUTS), azure.cloud)
    second = deploy_component(exporting(lambda: build(False), *OUTPUTS), after=first)

    assert policy(first) == policy(second)


@pytest.mark.parametrize(
    ("more", "problems"),
    [
        ({"name_prefix": "-"}, ["name_prefix"]),
        ({"models": ["aa", "aa"], "subscriptions": ["x", "X"]}, ["models[1]", "subscriptions[1]"]),
        ({"limits": [LimitOptions(per=LimitPer.CALLER, tokens_per_minute=1)]}, ["limits[0].per"]),
        ({"apis": []}, ["apis"]),
    ],
)
def test_mistakes_are_told_together(azure: Azure, more: dict[str, Any], problems: Sequence[str]) -> None:
    with pytest.raises(DeployError) as refused:
        deploy(azure, **more)

    assert [line.partition(":")[0] for line in str(refused.value).splitlines()] == list(problems)
