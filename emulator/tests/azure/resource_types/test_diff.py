"""Which changes there are between inputs, and which of them need a new resource."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apim_emulator.azure import Cloud
from apim_emulator.azure.registry import resource_types
from apim_emulator.azure.resource_types.diff import Difference
from apim_emulator.pulumi.property_values import UNKNOWN

SERVICE = "azure-native:apimanagement:ApiManagementService"
API = "azure-native:apimanagement:Api"
NAMED_VALUE = "azure-native:apimanagement:NamedValue"
POLICY = "azure-native:apimanagement:ApiPolicy"
ACCOUNT = "azure-native:cognitiveservices:Account"
DEPLOYMENT = "azure-native:cognitiveservices:Deployment"
VAULT = "azure-native:keyvault:Vault"
GROUP = "azure-native:resources:ResourceGroup"
ROLE = "azure-native:authorization:RoleAssignment"
APPLICATION = "azuread:index/application:Application"
PRINCIPAL = "azuread:index/servicePrincipal:ServicePrincipal"
PASSWORD = "azuread:index/applicationPassword:ApplicationPassword"
STRING = "random:index/randomString:RandomString"


def sku(name: str) -> dict[str, Any]:
    return {"sku": {"name": name, "capacity": 1}}


def properties(**values: Any) -> dict[str, Any]:
    return {"properties": values}


@pytest.mark.parametrize(
    ("token", "old", "new", "changed"),
    [
        pytest.param(SERVICE, sku("BasicV2"), sku("StandardV2"), ("sku.name",), id="tier-v2"),
        pytest.param(SERVICE, sku("Developer"), sku("Premium"), ("sku.name",), id="tier-classic"),
        pytest.param(SERVICE, sku("Basic"), {"sku": {"name": "Basic", "capacity": 2}}, ("sku.capacity",), id="units"),
        pytest.param(API, {"path": "a"}, {"path": "b"}, ("path",), id="path-of-an-api"),
        pytest.param(NAMED_VALUE, {"value": "a"}, {"value": "b"}, ("value",), id="named-value"),
        pytest.param(POLICY, {"value": "a"}, {"value": "b"}, ("value",), id="policy"),
        pytest.param(ACCOUNT, {"kind": "OpenAI"}, {"kind": "AIServices"}, ("kind",), id="upgrade to Foundry"),
        pytest.param(
            ACCOUNT, {}, properties(customSubDomainName="a"), ("properties.customSubDomainName",), id="first-subdomain"
        ),
        pytest.param(
            DEPLOYMENT,
            properties(model={"version": "1"}),
            properties(model={"version": "2"}),
            ("properties.model.version",),
            id="model-version",
        ),
        pytest.param(GROUP, {"tags": {"a.b": "1"}}, {"tags": {"a.b": "2"}}, ('tags["a.b"]',), id="tag"),
        pytest.param(GROUP, {"tags": {"a": "1"}}, {}, ("tags.a",), id="tag-left-out"),
        pytest.param(ROLE, {}, {"description": "d"}, ("description",), id="description-of-a-role-assignment"),
        pytest.param(APPLICATION, {"displayName": "a"}, {"displayName": "b"}, ("displayName",), id="application"),
        pytest.param(
            PRINCIPAL, {}, {"appRoleAssignmentRequired": True}, ("appRoleAssignmentRequired",), id="principal"
        ),
        pytest.param(API, {"protocols": ["https"]}, {"protocols": ["http"]}, ("protocols",), id="list"),
        pytest.param(API, {"value": "a"}, {"value": UNKNOWN}, ("value",), id="unknown"),
        pytest.param(API, {"value": "a"}, {"value": "b"}, ("value",), id="definition-of-an-api"),
        pytest.param(
            API,
            {"format": "openapi+json-link", "value": "a"},
            {"format": "openapi+json", "value": "b"},
            ("format", "value"),
            id="link-to-a-definition",
        ),
    ],
)
def test_it_changes_in_place(token: str, old: dict[str, Any], new: dict[str, Any], changed: tuple[str, ...]) -> None:
    assert Cloud().diff(token, old, new) == Difference(changed=changed)


@pytest.mark.parametrize(
    ("token", "old", "new", "replace"),
    [
        pytest.param(SERVICE, sku("Basic"), sku("BasicV2"), ("sku.name",), id="classic-to-v2"),
        pytest.param(SERVICE, sku("Consumption"), sku("Developer"), ("sku.name",), id="out-of-consumption"),
        pytest.param(SERVICE, sku("StandardV2"), sku("Consumption"), ("sku.name",), id="into-consumption"),
        pytest.param(SERVICE, sku("Basic"), {"sku": UNKNOWN, "location": "b"}, ("location",), id="location"),
        pytest.param(SERVICE, {"serviceName": "a"}, {"serviceName": "b"}, ("serviceName",), id="name"),
        pytest.param(API, {"serviceName": "a"}, {"serviceName": UNKNOWN}, ("serviceName",), id="unknown-parent"),
        pytest.param(API, {}, {"apiId": "b"}, ("apiId",), id="name-given-later"),
        pytest.param(
            ACCOUNT,
            properties(customSubDomainName="a"),
            properties(customSubDomainName="b"),
            ("properties.customSubDomainName",),
            id="subdomain",
        ),
        pytest.param(ACCOUNT, properties(customSubDomainName="a"), {}, ("properties.customSubDomainName",), id="none"),
        pytest.param(VAULT, properties(tenantId="a"), properties(tenantId="b"), ("properties.tenantId",), id="tenant"),
        pytest.param(GROUP, {"location": "a"}, {"location": "b"}, ("location",), id="location-of-a-group"),
        pytest.param(ROLE, {"roleDefinitionId": "a"}, {"roleDefinitionId": "b"}, ("roleDefinitionId",), id="role"),
        pytest.param(ROLE, {}, {"principalType": "ServicePrincipal"}, ("principalType",), id="principal-type"),
    ],
)
def test_it_needs_a_new_resource_after_the_old_one(
    token: str, old: dict[str, Any], new: dict[str, Any], replace: tuple[str, ...]
) -> None:
    found = Cloud().diff(token, old, new)

    assert found.replace == replace
    assert set(replace) <= set(found.changed)
    assert found.delete_before_replace


@pytest.mark.parametrize(
    ("token", "old", "new", "replace"),
    [
        pytest.param(PRINCIPAL, {"clientId": "a"}, {"clientId": "b"}, ("clientId",), id="principal"),
        pytest.param(PASSWORD, {}, {"endDate": "b"}, ("endDate",), id="password"),
        pytest.param(
            PASSWORD,
            {"rotateWhenChanged": {"a": "1"}},
            {"rotateWhenChanged": {"a": "2"}},
            ("rotateWhenChanged.a",),
            id="rotation",
        ),
        pytest.param(
            "azuread:index/applicationPreAuthorized:ApplicationPreAuthorized",
            {"authorizedClientId": "a", "permissionIds": ["x"]},
            {"authorizedClientId": "b", "permissionIds": ["y"]},
            ("authorizedClientId",),
            id="pre-authorization",
        ),
        pytest.param(
            "azuread:index/applicationIdentifierUri:ApplicationIdentifierUri",
            {"identifierUri": "a"},
            {"identifierUri": "b"},
            ("identifierUri",),
            id="identifier-uri",
        ),
        pytest.param(
            "azuread:index/appRoleAssignment:AppRoleAssignment",
            {"appRoleId": "a"},
            {"appRoleId": "b"},
            ("appRoleId",),
            id="app-role",
        ),
        pytest.param(STRING, {"length": 4}, {"length": 5}, ("length",), id="random"),
        pytest.param(STRING, {"keepers": {"a": "1"}}, {}, ("keepers.a",), id="keepers"),
    ],
)
def test_it_needs_a_new_resource_before_the_old_one_goes(
    token: str, old: dict[str, Any], new: dict[str, Any], replace: tuple[str, ...]
) -> None:
    found = Cloud().diff(token, old, new)

    assert found.replace == replace
    assert not found.delete_before_replace


@pytest.mark.parametrize(
    ("token", "old", "new"),
    [
        pytest.param(SERVICE, {"location": "Sweden Central"}, {"location": "swedencentral"}, id="location"),
        pytest.param(SERVICE, {"location": "swedencentral"}, {}, id="location-filled-in"),
        pytest.param(SERVICE, {"serviceName": "auto1234"}, {}, id="auto-name"),
        pytest.param(GROUP, {"resourceGroupName": "auto1234"}, {}, id="auto-name-of-a-group"),
        pytest.param(ROLE, {"roleAssignmentName": "guid"}, {"principalType": "User"}, id="name-of-a-role-assignment"),
        pytest.param(SERVICE, {}, {"restore": False, "virtualNetworkType": "None"}, id="defaults-of-a-service"),
        pytest.param(
            VAULT, properties(tenantId="a"), properties(tenantId="a", softDeleteRetentionInDays=90), id="nested-default"
        ),
        pytest.param(POLICY, {"format": "xml"}, {}, id="format-of-a-policy"),
        pytest.param(API, {"description": None, "subscriptionKeyParameterNames": {}}, {}, id="null-and-empty"),
        pytest.param("azure-native:apimanagement/v20240501:Api", {"path": "a"}, {"path": "a"}, id="api-version"),
    ],
)
def test_nothing_changes(token: str, old: dict[str, Any], new: dict[str, Any]) -> None:
    assert Cloud().diff(token, old, new) == Difference()


@pytest.mark.parametrize("token", resource_types())
def test_what_cannot_change_is_a_property_of_the_type(token: str) -> None:
    kind = resource_types()[token]

    paths = [*kind.immutable, *kind.assigned, *kind.defaults, *kind.write_only({"secret": True})]

    for path in paths:
        shape, (*outer, name) = kind.shape, path.split(".")
        for part in outer:
            shape = shape.nested[part]
        assert name in shape.names, path


KEYS = st.text(min_size=1, max_size=5)
VALUES = st.recursive(
    st.text(max_size=3) | st.integers() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, database=None)
@given(old=st.dictionaries(KEYS, VALUES), new=st.dictionaries(KEYS, VALUES))
def test_differences_are_symmetric_and_none_with_oneself(old: dict[str, Any], new: dict[str, Any]) -> None:
    cloud = Cloud()

    assert cloud.diff(APPLICATION, old, old) == Difference()
    assert set(cloud.diff(APPLICATION, old, new).changed) == set(cloud.diff(APPLICATION, new, old).changed)
