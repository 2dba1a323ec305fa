"""OpenID Connect providers other than Microsoft Entra ID."""

__all__ = ["stand_ins"]
