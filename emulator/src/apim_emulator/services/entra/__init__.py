"""A stand-in for Microsoft Entra ID: OpenID configuration, signing keys, and tokens for whoever may have them."""

from apim_emulator.services.entra.service import LOGIN, STS, Entra

__all__ = ["LOGIN", "STS", "Entra"]
