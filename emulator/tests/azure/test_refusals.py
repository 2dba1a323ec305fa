"""What Azure would refuse is refused, with its error code and the thing it is about."""

from collections.abc import Callable
from typing import Any

import pytest

from apim_emulator.azure import Cloud, CloudError
from emulator.tests.azure.azure import OPENAI_USER, SECRETS_USER, Azure

GUID = "11111111-1111-1111-1111-111111111111"
OPENAPI = (
    '{"openapi": "3.0.0", "info": {}, "paths": {"/a": {"get": {"operationId": "x"}, "put": {"operationId": "X"}}}}'
)

_POOL = {"services": [{"id": "/backends/b"}]}
_RULE = {
    "failureCondition": {"count": 1, "interval": "PT1M", "statusCodeRanges": [{"min": 429, "max": 429}]},
    "tripDuration": "PT1M",
}


def _principal(azure: Azure) -> str:
    return str(azure.identity("client")[1]["principalId"])


def _application(azure: Azure, **inputs: Any) -> tuple[str, dict[str, Any]]:
    role = {"id": GUID, "value": "Chat.User", "allowedMemberTypes": [], "description": "d", "displayName": "n"}
    return azure.entra("Application", **{"displayName": "api", "appRoles": [role]} | inputs)


def _service_principal(azure: Azure) -> str:
    client_id = _application(azure)[1]["clientId"]
    return str(azure.entra("ServicePrincipal", clientId=client_id)[1]["objectId"])


def _assign(azure: Azure, **inputs: Any) -> object:
    resource = _service_principal(azure)
    given = {"appRoleId": GUID, "principalObjectId": azure.cloud.deployer_object_id, "resourceObjectId": resource}
    return azure.entra("AppRoleAssignment", **given | inputs)


def _twice(action: Callable[[], object]) -> object:
    action()
    return action()


def _key_vault_value(azure: Azure, **reference: Any) -> object:
    azure.vault()
    azure.secret()
    identifier = {"secretIdentifier": "https://kv-contoso.vault.azure.net/secrets/openai-key"}
    return azure.named_value(secret=True, keyVault=identifier | reference)


def _foundry(azure: Azure, name: str, **properties: Any) -> object:
    return azure.create(
        "cognitiveservices:Account",
        resourceGroupName="rg",
        accountName=name,
        kind="AIServices",
        sku={"name": "S0"},
        properties={"customSubDomainName": name} | properties,
    )


def _model(name: str, version: str, **properties: Any) -> dict[str, Any]:
    return {"model": {"format": "OpenAI", "name": name, "version": version}, **properties}


def _overflow(azure: Azure, **inputs: Any) -> object:
    return azure.deployment(deploymentName="overflow", **inputs)


def _spill(azure: Azure, **inputs: Any) -> object:
    properties = _model("gpt-4o", "2024-11-20", spilloverDeploymentName="overflow")
    return azure.deployment(**{"sku": {"name": "GlobalProvisionedManaged"}, "properties": properties} | inputs)


REFUSALS: list[tuple[str, Callable[[Azure], object], str, str]] = [
    # What it is about, what is tried, error code, part of the message.
    ("unknown type", lambda a: a.create("storage:StorageAcount"), "InvalidResourceType", "StorageAcount"),
    ("unknown group", lambda a: a.service(resourceGroupName="rx"), "ResourceGroupNotFound", "'rx'"),
    ("missing property", lambda a: a.create("apimanagement:Api", serviceName="s"), "ValidationError", "path is"),
    ("misspelt property", lambda a: a.api(displayname="x"), "ValidationError", "did you mean displayName"),
    ("misspelt inner property", lambda a: a.account(disableLocalAuht=True), "ValidationError", "disableLocalAuth"),
    ("text for an object", lambda a: a.service(sku="BasicV2"), "ValidationError", "sku must be an object"),
    ("group without region", lambda a: a.create("resources:ResourceGroup"), "LocationRequired", "location"),
    (
        "bad group name",
        lambda a: a.create("resources:ResourceGroup", resourceGroupName="a b"),
        "ValidationError",
        "a b",
    ),
    # API Management
    ("service name in use", lambda a: a.service(), "ServiceAlreadyExists", "'apim'"),
    ("service name", lambda a: a.service(serviceName="1apim"), "ValidationError", "serviceName"),
    (
        "unknown tier",
        lambda a: a.service(serviceName="other", sku={"name": "basicv2", "capacity": 1}),
        "ValidationError",
        "sku.name",
    ),
    (
        "too many units",
        lambda a: a.service(serviceName="other", sku={"name": "Developer", "capacity": 2}),
        "ValidationError",
        "it takes 1",
    ),
    (
        "unknown identity of a service",
        lambda a: a.service(
            serviceName="other", identity={"type": "UserAssigned", "userAssignedIdentities": {"/x/y": {}}}
        ),
        "FailedIdentityOperation",
        "/x/y",
    ),
    (
        "identity type without identities",
        lambda a: a.service(serviceName="other", identity={"type": "UserAssigned"}),
        "ValidationError",
        "contradict",
    ),
    (
        "identity type",
        lambda a: a.service(serviceName="other", identity={"type": "System"}),
        "ValidationError",
        "identity.type",
    ),
    ("API of an unknown service", lambda a: a.api(serviceName="x"), "ParentResourceNotFound", "service/x"),
    ("same API twice", lambda a: a.api(path="other"), "Conflict", "cannot create already existing resource '/sub"),
    ("path in use", lambda a: a.api("second", path="OpenAI"), "ValidationError", "same Path 'OpenAI' as API 'openai'"),
    ("path with a slash", lambda a: a.api("second", path="/second"), "ValidationError", "slash"),
    ("unknown protocol", lambda a: a.api("second", protocols=["ftp"]), "ValidationError", "ftp"),
    ("value without format", lambda a: a.api("second", format=None), "ValidationError", "format and value"),
    (
        "link",
        lambda a: a.api("second", format="openapi-link", value="https://a.example/x"),
        "ValidationError",
        "downloads nothing",
    ),
    ("huge", lambda a: a.api("second", value=" " * 4 * 1024**2 + "{}"), "ValidationError", "larger than the 4 MB"),
    ("format", lambda a: a.api("second", format="wsdl"), "ValidationError", "'wsdl'"),
    ("not JSON", lambda a: a.api("second", format="openapi+json", value="{"), "ValidationError", "cannot be parsed"),
    ("not YAML", lambda a: a.api("second", format="openapi", value="a: [b"), "ValidationError", "cannot be parsed"),
    ("not OpenAPI", lambda a: a.api("second", format="openapi+json", value="{}"), "ValidationError", "OpenAPI 3"),
    (
        "no paths",
        lambda a: a.api("second", format="openapi+json", value='{"openapi": "3.0.0"}'),
        "ValidationError",
        "no paths",
    ),
    ("operation twice", lambda a: a.api("second", format="openapi+json", value=OPENAPI), "ValidationError", "twice"),
    ("API without a name", lambda a: a.apim("Api", apiId="x", path="x"), "ValidationError", "displayName"),
    ("policy of an unknown API", lambda a: a.policy("<base />", apiId="x"), "ParentResourceNotFound", "apis/x"),
    (
        "policy of an unknown operation",
        lambda a: a.apim(
            "ApiOperationPolicy", apiId="openai", operationId="x", policyId="policy", value="<policies />"
        ),
        "ParentResourceNotFound",
        "operations/x",
    ),
    ("policy name", lambda a: a.policy("<base />", policyId="mine"), "ValidationError", "policyId"),
    ("policy link", lambda a: a.policy("<base />", format="xml-link"), "ValidationError", "downloads nothing"),
    ("malformed policy", lambda a: a.policy("<base>"), "ValidationError", "line 4"),
    ("policy root", lambda a: a.policy("", value="<fragment />"), "ValidationError", "root element is <fragment>"),
    ("section", lambda a: a.policy("", value="<policies><base /></policies>"), "ValidationError", "<base>"),
    (
        "document type",
        lambda a: a.policy("", value='<!DOCTYPE p [<!ENTITY e "x">]><policies />'),
        "ValidationError",
        "document type",
    ),
    ("policy size", lambda a: a.policy("<!--" + "x" * 262_144 + "-->"), "ValidationError", "256 KiB"),
    (
        "unknown named value",
        lambda a: a.policy("<base />\n<set-header name='k'><value>{{ missing }}</value></set-header>"),
        "ValidationError",
        "line 4: cannot find a property 'missing'",
    ),
    (
        "unknown backend",
        lambda a: a.policy("<set-backend-service backend-id='missing' />"),
        "ValidationError",
        "line 3: backend-id 'missing'",
    ),
    (
        "unknown fragment",
        lambda a: a.policy("<include-fragment fragment-id='missing' />"),
        "ValidationError",
        "line 3: fragment-id 'missing'",
    ),
    (
        "named value twice",
        lambda a: _twice(lambda: a.named_value(namedValueId=None)),
        "ValidationError",
        "already exists",
    ),
    ("named value name", lambda a: a.named_value(displayName="a b"), "ValidationError", "displayName"),
    ("named value without a value", lambda a: a.named_value(value=None), "ValidationError", "exactly one"),
    ("empty named value", lambda a: a.named_value(value=""), "ValidationError", "1 to 4096"),
    ("nested named value", lambda a: a.named_value(value="{{other}}"), "ValidationError", "nested"),
    (
        "unknown vault",
        lambda a: a.named_value(secret=True, keyVault={"secretIdentifier": "https://kv/secrets/s"}),
        "ResourceNotFound",
        "kv",
    ),
    ("secret identifier", lambda a: _key_vault_value(a, secretIdentifier="kv"), "ValidationError", "must be https"),
    ("no role on the vault", _key_vault_value, "InvalidOperation", "has GET permissions on secrets"),
    ("identity for the vault", lambda a: _key_vault_value(a, identityClientId=GUID), "ValidationError", GUID),
    ("open Key Vault value", lambda a: a.named_value(keyVault={}), "ValidationError", "secret must be true"),
    ("backend without URL", lambda a: a.backend(url=None), "ValidationError", "url is missing"),
    ("backend URL", lambda a: a.backend(url="oai.openai.azure.com"), "ValidationError", "absolute"),
    ("backend type", lambda a: a.backend(type="Many"), "ValidationError", "'Many'"),
    (
        "named value of a backend",
        lambda a: a.backend(credentials={"header": {"api-key": ["{{missing}}"]}}),
        "ValidationError",
        "'missing'",
    ),
    (
        "empty pool",
        lambda a: a.apim("Backend", backendId="p", type="Pool", pool={"services": []}),
        "ValidationError",
        "0 members",
    ),
    ("pool without type", lambda a: a.backend(pool={"services": []}), "ValidationError", "contradict"),
    (
        "unknown pool member",
        lambda a: a.apim("Backend", backendId="p", type="Pool", pool={"services": [{"id": "/backends/missing"}]}),
        "ValidationError",
        "Backend Entity 'missing' not found.",
    ),
    (
        "pool priority",
        lambda a: (
            a.backend("b"),
            a.apim("Backend", backendId="p", type="Pool", pool={"services": [{"id": "/backends/b", "priority": 101}]}),
        ),
        "ValidationError",
        "101",
    ),
    (
        "URL of a pool",
        lambda a: (a.backend("b"), a.backend(type="Pool", pool=_POOL, protocol=None)),
        "ValidationError",
        "Url is not supported for backend pool.",
    ),
    (
        "protocol of a pool",
        lambda a: (a.backend("b"), a.backend(type="Pool", pool=_POOL, url=None)),
        "ValidationError",
        "Protocol is not supported for backend pool.",
    ),
    (
        "pool in a pool",
        lambda a: (
            a.backend("b"),
            a.apim("Backend", backendId="inner", type="Pool", pool=_POOL),
            a.apim("Backend", backendId="outer", type="Pool", pool={"services": [{"id": "/backends/inner"}]}),
        ),
        "ValidationError",
        "is a pool itself",
    ),
    (
        "breaker on Consumption",
        lambda a: (
            a.service(serviceName="small", sku={"name": "Consumption", "capacity": 0}),
            a.backend(serviceName="small", circuitBreaker={"rules": [_RULE]}),
        ),
        "ValidationError",
        "circuitBreaker is not supported in SkuType Consumption",
    ),
    (
        "misspelt property of a breaker",
        lambda a: a.backend(circuitBreaker={"rules": [_RULE | {"acceptRetryAfer": True}]}),
        "ValidationError",
        "did you mean acceptRetryAfter",
    ),
    ("breaker rules", lambda a: a.backend(circuitBreaker={"rules": [{}, {}]}), "ValidationError", "one circuit"),
    (
        "subscription scope",
        lambda a: a.apim("Subscription", displayName="x", scope="/everything"),
        "ValidationError",
        "/everything",
    ),
    (
        "unknown subscription scope",
        lambda a: a.apim("Subscription", displayName="x", scope="/apis/missing"),
        "ResourceNotFound",
        "/apis/missing",
    ),
    (
        "subscription state",
        lambda a: a.apim("Subscription", displayName="x", scope="/apis", state="on"),
        "ValidationError",
        "'on'",
    ),
    (
        "subscription key in use",
        lambda a: [
            a.apim("Subscription", sid=sid, displayName=sid, scope="/apis", primaryKey="same") for sid in ("a", "b")
        ],
        "ValidationError",
        "another subscription",
    ),
    (
        "unknown API of a product",
        lambda a: (
            a.apim("Product", productId="p", displayName="p"),
            a.apim("ProductApi", productId="p", apiId="missing"),
        ),
        "ResourceNotFound",
        "'missing'",
    ),
    # Azure OpenAI
    ("subdomain in use", lambda a: a.account("second", customSubDomainName="OAI"), "CustomDomainInUse", "OAI"),
    (
        "account kind",
        lambda a: a.create(
            "cognitiveservices:Account", resourceGroupName="rg", accountName="x1", kind="Speech", sku={"name": "S0"}
        ),
        "InvalidKind",
        "Speech",
    ),
    (
        "account without a kind",
        lambda a: a.create("cognitiveservices:Account", resourceGroupName="rg", accountName="x1"),
        "ValidationError",
        "kind is missing",
    ),
    ("deployment of an unknown account", lambda a: a.deployment(accountName="x"), "ParentResourceNotFound", "x"),
    (
        "deployment without a model",
        lambda a: a.deployment(properties={"model": {"format": "OpenAI"}}),
        "InvalidResourceProperties",
        "model.name",
    ),
    (
        "projects of an account that has none",
        lambda a: a.account("x1", allowProjectManagement=True),
        "ValidationError",
        "only AIServices",
    ),
    (
        "projects without an identity",
        lambda a: _foundry(a, "x1", allowProjectManagement=True),
        "ValidationError",
        "managed identity",
    ),
    (
        "unknown version",
        lambda a: a.deployment(properties=_model("gpt-4o", "2024-11-21")),
        "DeploymentModelNotSupported",
        "The model 'Format: OpenAI, Name: gpt-4o, Version: 2024-11-21, Source: ' of account deployment is not supp",
    ),
    (
        "another maker's model without Foundry",
        lambda a: a.deployment(properties={"model": {"format": "DeepSeek", "name": "DeepSeek-V3.2"}}),
        "DeploymentModelNotSupported",
        "Name: DeepSeek-V3.2",
    ),
    (
        "retired model",
        lambda a: a.deployment(properties=_model("gpt-4", "0613")),
        "DeploymentModelNotSupported",
        "Creating account deployment is not supported by the model 'gpt-4'",
    ),
    (
        "unknown SKU",
        lambda a: a.deployment(sku={"name": "GlobalStandrad", "capacity": 1}),
        "InvalidResourceProperties",
        "The specified SKU 'GlobalStandrad' of account deployment is not supported by the model 'gpt-4o' version: '202",
    ),
    (
        "SKU that the model does not have",
        lambda a: a.deployment(sku={"name": "Standard"}, properties=_model("gpt-5.6-luna", "2026-07-09")),
        "InvalidResourceProperties",
        "'Standard'",
    ),
    ("spillover to nothing", _spill, "InvalidResourceProperties", "'overflow' does not exist in the acc"),
    (
        "spillover of a standard deployment",
        lambda a: (_overflow(a), _spill(a, sku={"name": "GlobalStandard"})),
        "InvalidResourceProperties",
        "only provisioned ones can",
    ),
    (
        "spillover to another place",
        lambda a: (_overflow(a, sku={"name": "DataZoneStandard"}), _spill(a)),
        "InvalidResourceProperties",
        "does not process data where 'GlobalProvisionedManaged' does",
    ),
    (
        "spillover to a provisioned deployment",
        lambda a: (_overflow(a, sku={"name": "GlobalProvisionedManaged"}), _spill(a)),
        "InvalidResourceProperties",
        "'GlobalProvisionedManaged' of 'overflow' does not",
    ),
    (
        "spillover to another version",
        lambda a: (_overflow(a, properties=_model("gpt-4o", "2024-08-06")), _spill(a)),
        "InvalidResourceProperties",
        "another model or version",
    ),
    ("no capacity", lambda a: a.deployment(sku={"name": "Standard", "capacity": 0}), "InvalidCapacity", "capacity"),
    # Key Vault
    ("vault name in use", lambda a: _twice(a.vault), "VaultAlreadyExists", "kv-contoso"),
    ("vault name", lambda a: a.vault("kv"), "ValidationError", "vaultName"),
    ("vault of another tenant", lambda a: a.vault(tenantId=GUID), "BadRequest", GUID),
    ("vault without a mode", lambda a: a.vault(enableRbacAuthorization=False), "BadRequest", "accessPolicies"),
    ("secret of an unknown vault", lambda a: a.secret(), "ParentResourceNotFound", "kv-contoso"),
    ("secret without a value", lambda a: (a.vault(), a.secret(properties={})), "BadParameter", "properties.value"),
    # Role assignments
    ("unknown principal", lambda a: a.role(GUID, a.account("x1")[0], OPENAI_USER), "PrincipalNotFound", GUID),
    ("unknown scope", lambda a: a.role(_principal(a), "/subscriptions/x", OPENAI_USER), "ResourceNotFound", "scope"),
    ("unknown role", lambda a: a.role(_principal(a), a.account("x1")[0], GUID), "RoleDefinitionDoesNotExist", GUID),
    (
        "role without its path",
        lambda a: a.role(_principal(a), a.account("x1")[0], OPENAI_USER, roleDefinitionId=OPENAI_USER),
        "ValidationError",
        "roleDefinitionId",
    ),
    (
        "principal type",
        lambda a: a.role(_principal(a), a.account("x1")[0], OPENAI_USER, principalType="User"),
        "UnmatchedPrincipalType",
        "ServicePrincipal",
    ),
    (
        "assignment name",
        lambda a: a.role(_principal(a), a.account("x1")[0], OPENAI_USER, roleAssignmentName="mine"),
        "InvalidRoleAssignmentId",
        "mine",
    ),
    (
        "role twice",
        lambda a: (
            group := "/".join(a.account("x1")[0].split("/")[:5]),
            principal := _principal(a),
            _twice(lambda: a.role(principal, group, SECRETS_USER)),
        ),
        "RoleAssignmentExists",
        "already exists",
    ),
    # Microsoft Entra ID
    (
        "role ID twice",
        lambda a: _application(
            a, appRoles=[{"id": GUID, "allowedMemberTypes": [], "description": "", "displayName": ""}] * 2
        ),
        "Request_BadRequest",
        GUID,
    ),
    (
        "identifier URI in use",
        lambda a: _twice(lambda: _application(a, identifierUris=["api://x"])),
        "Request_BadRequest",
        "api://x",
    ),
    (
        "principal of an unknown application",
        lambda a: a.entra("ServicePrincipal", clientId=GUID),
        "Request_ResourceNotFound",
        GUID,
    ),
    (
        "second service principal",
        lambda a: (c := _application(a)[1]["clientId"], _twice(lambda: a.entra("ServicePrincipal", clientId=c))),
        "Request_MultipleObjectsWithSameKeyValue",
        "already has",
    ),
    ("unknown app role", lambda a: _assign(a, appRoleId=GUID[:-1] + "2"), "Request_BadRequest", "app role"),
    ("app role of an unknown client", lambda a: _assign(a, principalObjectId=GUID), "Request_ResourceNotFound", GUID),
    ("app role of an unknown API", lambda a: _assign(a, resourceObjectId=GUID), "Request_ResourceNotFound", GUID),
    (
        "unknown permission",
        lambda a: a.entra(
            "ApplicationPreAuthorized",
            applicationId=_application(a)[0],
            authorizedClientId=GUID,
            permissionIds=[GUID],
        ),
        "InvalidValue",
        "scope",
    ),
    (
        "password of an unknown application",
        lambda a: a.entra("ApplicationPassword", applicationId="/applications/x"),
        "Request_ResourceNotFound",
        "/applications/x",
    ),
]


@pytest.mark.parametrize(
    ("attempt", "code", "part"), [pytest.param(*row[1:], id=row[0].replace(" ", "-")) for row in REFUSALS]
)
def test_it_is_refused(azure: Azure, attempt: Callable[[Azure], object], code: str, part: str) -> None:
    azure.service()
    azure.api()
    azure.account()

    with pytest.raises(CloudError) as refusal:
        attempt(azure)

    assert refusal.value.code == code
    assert part in refusal.value.message
    assert "\n" not in str(refusal.value)


def test_a_refused_resource_leaves_nothing_behind(azure: Azure) -> None:
    azure.service()
    before = azure.cloud.gateways()

    with pytest.raises(CloudError):
        azure.api(value="https://example.com")
    with pytest.raises(CloudError):
        azure.named_value(value="{{other}}")

    assert azure.cloud.gateways() == before


@pytest.mark.parametrize(
    ("inputs", "part"),
    [
        pytest.param({"length": 1, "minLower": 2}, "length 1", id="too-short"),
        pytest.param(
            {"length": 1, **dict.fromkeys(("lower", "upper", "numeric", "special"), False)}, "classes", id="none"
        ),
    ],
)
def test_a_random_string_that_cannot_be_is_refused(cloud: Cloud, inputs: dict[str, Any], part: str) -> None:
    with pytest.raises(CloudError, match=part):
        cloud.create("random:index/randomString:RandomString", "s", inputs)


def test_reading_what_does_not_exist_is_refused(azure: Azure) -> None:
    resource_id, _ = azure.account()

    with pytest.raises(CloudError, match="ResourceNotFound"):
        azure.cloud.read("azure-native:keyvault:Vault", resource_id)
