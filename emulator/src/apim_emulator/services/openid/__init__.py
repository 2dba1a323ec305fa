"""OpenID Connect providers other than Microsoft Entra ID."""
