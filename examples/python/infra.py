"""The gateway with the components as a library: no package to add, and options that mypy checks."""

import sys
from pathlib import Path

import pulumi
from pulumi_azure_native import resources

# Where the components are: this checkout, or the folder of a Git submodule.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from components import ApiGateway, ManagedIdentityApi, OpenAIBackend
from options import AccountOptions, DeploymentOptions, GatewayOptions, GatewaySku, OpenAIOptions

config = pulumi.Config()

group = resources.ResourceGroup("group")
gateway = ApiGateway(
    "gateway",
    {
        "resource_group_name": group.name,
        "gateway": GatewayOptions(
            sku=GatewaySku.BASIC_V2,
            publisher_name=config.require("publisherName"),
            publisher_email=config.require("publisherEmail"),
        ),
    },
)
openai = OpenAIBackend(
    "openai",
    {
        "resource_group_name": group.name,
        "gateway_resource_group_name": gateway.resource_group_name,
        "service_name": gateway.service_name,
        "openai": OpenAIOptions(
            accounts=[AccountOptions(location="swedencentral")],
            deployments=[
                DeploymentOptions(name="gpt-5.6-luna", model="gpt-5.6-luna", version="2026-07-09", capacity=10)
            ],
        ),
        "users": {"gateway": gateway.principal_id},
    },
)
chat = ManagedIdentityApi(
    "chat",
    {
        "resource_group_name": gateway.resource_group_name,
        "service_name": gateway.service_name,
        "path": "chat/openai",
        "backend_id": openai.backend_id,
        "accounts": openai.accounts,
        "principal_id": gateway.principal_id,
        "role_assignment_ids": openai.role_assignment_ids,
    },
)
url = pulumi.Output.concat(gateway.gateway_url, "/chat/openai")
