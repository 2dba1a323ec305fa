import * as pulumi from "@pulumi/pulumi";
import * as resources from "@pulumi/azure-native/resources";
import { ApiGateway, ManagedIdentityApi, OpenAIBackend } from "@pulumi/openai-gateway";

const config = new pulumi.Config();

const group = new resources.ResourceGroup("group");
const gateway = new ApiGateway("gateway", {
    resourceGroupName: group.name,
    gateway: {
        sku: "BasicV2",
        publisherName: config.require("publisherName"),
        publisherEmail: config.require("publisherEmail"),
    },
});
const openai = new OpenAIBackend("openai", {
    resourceGroupName: group.name,
    gatewayResourceGroupName: gateway.resourceGroupName,
    serviceName: gateway.serviceName,
    openai: {
        accounts: [{ location: "swedencentral" }],
        deployments: [{ name: "gpt-5.6-luna", model: "gpt-5.6-luna", version: "2026-07-09", capacity: 10 }],
    },
    users: { gateway: gateway.principalId },
});
const chat = new ManagedIdentityApi("chat", {
    resourceGroupName: gateway.resourceGroupName,
    serviceName: gateway.serviceName,
    path: "chat/openai",
    backendId: openai.backendId,
    accounts: [{ key: "swedencentral", id: openai.accountIds[0], url: openai.urls[0] }],
    principalId: gateway.principalId,
    roleAssignmentIds: openai.roleAssignmentIds,
});

export const gatewayUrl = gateway.gatewayUrl;
export const url = pulumi.interpolate`${gateway.gatewayUrl}/chat/openai`;
export const subscriptionKey = chat.subscriptionKey;
