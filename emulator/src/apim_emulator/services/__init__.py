"""Stand-ins for the services around the gateway: Azure OpenAI, Microsoft Entra ID, another OpenID Connect provider."""

__all__ = ["azure_openai", "content_safety", "entra", "openid", "signing", "token_client"]
