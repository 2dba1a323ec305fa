"""Stand-ins for the services around the gateway: Azure OpenAI, Microsoft Entra ID, another OpenID Connect provider."""
