"""A cloud with one call per resource: every input that a test does not care about has a sound value."""

import json
from typing import Any

from apim_emulator.azure import Cloud, Deployer

OPENAI_USER = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"
SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
DEFINITION = json.dumps(
    {
        "openapi": "3.0.0",
        "info": {"title": "Azure OpenAI", "version": "1"},
        "paths": {
            f"/deployments/{{deployment-id}}/{path}": {"post": {"operationId": name, "responses": {}}}
            for path, name in (("chat/completions", "ChatCompletions_Create"), ("embeddings", "embeddings_create"))
        },
    }
)
APIM = {"resourceGroupName": "rg", "serviceName": "apim"}


class Azure:
    """A cloud with the resource group `rg`."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.administrator = cloud.acting_as(Deployer.ADMINISTRATOR)
        self.create("resources:ResourceGroup", resourceGroupName="rg", location="swedencentral")

    def create(self, kind: str, /, **inputs: Any) -> tuple[str, dict[str, Any]]:
        """Create an azure-native resource, named by its inputs."""
        return self.cloud.create(f"azure-native:{kind}", "thing", inputs)

    def group_id(self) -> str:
        """ID of the resource group."""
        return f"/subscriptions/{self.cloud.subscription_id}/resourceGroups/rg"

    def service_id(self) -> str:
        """ID of the service `apim`."""
        return f"{self.group_id()}/providers/Microsoft.ApiManagement/service/apim"

    def change(self, kind: str, resource_id: str, /, **inputs: Any) -> dict[str, Any]:
        """Update an azure-native resource: its inputs with some of them changed, and without those that are None."""
        token = f"azure-native:{kind}"
        return self.cloud.update(token, resource_id, self.cloud.inputs_of(token, resource_id) | inputs)

    def service(self, **inputs: Any) -> tuple[str, dict[str, Any]]:
        """API Management service `apim` with a system-assigned identity."""
        return self.create(
            "apimanagement:ApiManagementService",
            **APIM
            | {
                "publisherName": "Contoso",
                "publisherEmail": "ai@contoso.com",
                "sku": {"name": "BasicV2", "capacity": 1},
                "identity": {"type": "SystemAssigned"},
            }
            | inputs,
        )

    def apim(self, kind: str, /, **inputs: Any) -> tuple[str, dict[str, Any]]:
        """Create what belongs to the service `apim`."""
        return self.create(f"apimanagement:{kind}", **APIM | inputs)

    def api(self, name: str = "openai", **inputs: Any) -> tuple[str, dict[str, Any]]:
        """API with two operations of Azure OpenAI."""
        definition = {"format": "openapi+json", "value": DEFINITION}
        return self.apim("Api", **{"apiId": name, "path": name, "displayName": name} | definition | inputs)

    def policy(self, inbound: str, **inputs: Any) -> tuple[str, dict[str, Any]]:
        """Policy of the API `openai`."""
        value = f"<policies>\n<inbound>\n{inbound}\n</inbound>\n</policies>"
        return self.apim("ApiPolicy", **{"apiId": "openai", "policyId": "policy", "value": value} | inputs)

    def named_value(self, name: str = "openai-api-key", **inputs: Any) -> tuple[str, dict[str, Any]]:
        """Plain named value."""
        content = {} if "keyVault" in inputs else {"value": "something"}
        return self.apim("NamedValue", **{"namedValueId": name, "displayName": name} | content | inputs)

    def certificate(self, name: str = "client", **inputs: Any) -> tuple[str, dict[str, Any]]:
        """Certificate with what it is made of."""
        return self.apim("Certificate", **{"certificateId": name} | inputs)

    def backend(self, name: str = "openai-backend", **inputs: Any) -> tuple[str, dict[str, Any]]:
        """Backend with one URL."""
        return self.apim(
            "Backend",
            **{"backendId": name, "protocol": "http", "url": "https://oai.openai.azure.com/openai"} | inputs,
        )

    def account(self, name: str = "oai", **properties: Any) -> tuple[str, dict[str, Any]]:
        """Azure OpenAI account with the subdomain of its name."""
        return self.create(
            "cognitiveservices:Account",
            resourceGroupName="rg",
            accountName=name,
            kind="OpenAI",
            sku={"name": "S0"},
            properties={"customSubDomainName": name} | properties,
        )

    def deployment(self, **inputs: Any) -> tuple[str, dict[str, Any]]:
        """Model gpt-4o of the account `oai`."""
        return self.create(
            "cognitiveservices:Deployment",
            **{
                "resourceGroupName": "rg",
                "accountName": "oai",
                "deploymentName": "gpt-4o",
                "sku": {"name": "GlobalStandard", "capacity": 1},
                "properties": {"model": {"format": "OpenAI", "name": "gpt-4o", "version": "2024-11-20"}},
            }
            | inputs,
        )

    def redis(self, name: str = "redis-contoso", **inputs: Any) -> tuple[str, dict[str, Any]]:
        """Cluster of Azure Managed Redis."""
        return self.create(
            "redisenterprise:RedisEnterprise",
            **{
                "resourceGroupName": "rg",
                "clusterName": name,
                "publicNetworkAccess": "Enabled",
                "sku": {"name": "Balanced_B0"},
            }
            | inputs,
        )

    def database(self, **inputs: Any) -> tuple[str, dict[str, Any]]:
        """Database of the cluster `redis-contoso` that can be searched and opened with its keys."""
        return self.create(
            "redisenterprise:Database",
            **{
                "resourceGroupName": "rg",
                "clusterName": "redis-contoso",
                "databaseName": "default",
                "accessKeysAuthentication": "Enabled",
                "clusteringPolicy": "EnterpriseCluster",
                "evictionPolicy": "NoEviction",
                "modules": [{"name": "RediSearch"}],
            }
            | inputs,
        )

    def workspace(self, name: str = "log-contoso", **inputs: Any) -> tuple[str, dict[str, Any]]:
        """Log Analytics workspace."""
        return self.create("operationalinsights:Workspace", resourceGroupName="rg", workspaceName=name, **inputs)

    def component(self, name: str = "appi-contoso", **inputs: Any) -> tuple[str, dict[str, Any]]:
        """Application Insights component, in the workspace `log-contoso` unless another is given."""
        workspace = f"{self.group_id()}/providers/Microsoft.OperationalInsights/workspaces/log-contoso"
        given = {"kind": "web", "applicationType": "web", "workspaceResourceId": workspace}
        return self.create("applicationinsights:Component", resourceGroupName="rg", resourceName=name, **given | inputs)

    def logger(self, name: str = "insights", **inputs: Any) -> tuple[str, dict[str, Any]]:
        """Logger of Application Insights, with an instrumentation key."""
        given = {"loggerType": "applicationInsights", "credentials": {"instrumentationKey": "k3y"}}
        return self.apim("Logger", **{"loggerId": name} | given | inputs)

    def vault(self, name: str = "kv-contoso", **properties: Any) -> tuple[str, dict[str, Any]]:
        """Vault in RBAC mode."""
        base = {"tenantId": self.cloud.tenant_id, "sku": {"family": "A", "name": "standard"}}
        return self.create(
            "keyvault:Vault",
            resourceGroupName="rg",
            vaultName=name,
            properties=base | {"enableRbacAuthorization": True} | properties,
        )

    def secret(self, value: str = "s3cr3t", **inputs: Any) -> tuple[str, dict[str, Any]]:
        """Secret of the vault `kv-contoso`."""
        names = {"resourceGroupName": "rg", "vaultName": "kv-contoso", "secretName": "openai-key"}
        return self.create("keyvault:Secret", **names | {"properties": {"value": value}} | inputs)

    def identity(self, name: str = "gateway-identity") -> tuple[str, dict[str, Any]]:
        """User-assigned identity."""
        return self.create("managedidentity:UserAssignedIdentity", resourceGroupName="rg", resourceName=name)

    def role(self, principal_id: str, scope: str, role: str, **inputs: Any) -> tuple[str, dict[str, Any]]:
        """Role assignment to a service principal."""
        definition = (
            f"/subscriptions/{self.cloud.subscription_id}/providers/Microsoft.Authorization/roleDefinitions/{role}"
        )
        return self.create(
            "authorization:RoleAssignment",
            **{
                "scope": scope,
                "principalId": principal_id,
                "principalType": "ServicePrincipal",
                "roleDefinitionId": definition,
            }
            | inputs,
        )

    def entra(self, kind: str, name: str = "app", /, **inputs: Any) -> tuple[str, dict[str, Any]]:
        """Create an azuread resource, as an administrator does."""
        return self.administrator.create(f"azuread:index/{kind[0].lower()}{kind[1:]}:{kind}", name, inputs)

    def network(self, name: str = "vnet", **inputs: Any) -> tuple[str, dict[str, Any]]:
        """Virtual network 10.0.0.0/16."""
        space = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}
        return self.create(
            "network:VirtualNetwork", **{"resourceGroupName": "rg", "virtualNetworkName": name} | space | inputs
        )

    def security_group(self, name: str = "nsg", **inputs: Any) -> tuple[str, dict[str, Any]]:
        """Network security group without rules of its own."""
        return self.create(
            "network:NetworkSecurityGroup", resourceGroupName="rg", networkSecurityGroupName=name, **inputs
        )

    def subnet(
        self, name: str = "endpoints", prefix: str = "10.0.1.0/24", delegation: str = "", **inputs: Any
    ) -> tuple[str, dict[str, Any]]:
        """Subnet of the network `vnet`, delegated to a service or to none."""
        delegations = [{"name": "delegation", "serviceName": delegation}] if delegation else []
        names = {"resourceGroupName": "rg", "virtualNetworkName": "vnet", "subnetName": name, "addressPrefix": prefix}
        return self.create("network:Subnet", **names | {"delegations": delegations} | inputs)

    def gateway_subnet(self, delegation: str = "", prefix: str = "10.0.0.0/24") -> str:
        """Network `vnet` with the subnet `gateway`, which has a security group; returns the subnet's ID."""
        self.network()
        group_id, _ = self.security_group()
        return self.subnet("gateway", prefix, delegation, networkSecurityGroup={"id": group_id})[0]

    def endpoint(self, target_id: str, group: str, subnet_id: str, **inputs: Any) -> tuple[str, dict[str, Any]]:
        """Private endpoint that leads to a resource."""
        connection = {"name": "connection", "privateLinkServiceId": target_id, "groupIds": [group]}
        return self.create(
            "network:PrivateEndpoint",
            **{
                "resourceGroupName": "rg",
                "privateEndpointName": f"pe-{target_id.rpartition('/')[2]}",
                "subnet": {"id": subnet_id},
                "privateLinkServiceConnections": [connection],
            }
            | inputs,
        )

    def zone(self, name: str) -> tuple[str, dict[str, Any]]:
        """Private DNS zone."""
        return self.create("privatedns:PrivateZone", resourceGroupName="rg", privateZoneName=name, location="global")

    def zone_group(self, endpoint_id: str, *zone_ids: str) -> tuple[str, dict[str, Any]]:
        """DNS zones that get the records of a private endpoint."""
        return self.create(
            "network:PrivateDnsZoneGroup",
            resourceGroupName="rg",
            privateEndpointName=endpoint_id.rpartition("/")[2],
            privateDnsZoneGroupName="default",
            privateDnsZoneConfigs=[{"name": f"zone-{i}", "privateDnsZoneId": zone} for i, zone in enumerate(zone_ids)],
        )

    def zone_link(self, zone: str, network_id: str, **inputs: Any) -> tuple[str, dict[str, Any]]:
        """Let a network resolve the names of a zone."""
        names = {"resourceGroupName": "rg", "privateZoneName": zone, "virtualNetworkLinkName": "link"}
        return self.create(
            "privatedns:VirtualNetworkLink",
            **names | {"location": "global", "virtualNetwork": {"id": network_id}} | inputs,
        )
