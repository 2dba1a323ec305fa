"""Key vaults and their secrets (Microsoft.KeyVault)."""

VAULT = "azure-native:keyvault:Vault"
SECRET = "azure-native:keyvault:Secret"  # noqa: S105 - a type token

PATH = "Microsoft.KeyVault/vaults"
"""ARM type of a vault."""
