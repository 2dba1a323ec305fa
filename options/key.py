"""The Azure OpenAI key: where it is stored and how the gateway presents it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from options import existing
from options.defaulted import Defaulted
from options.existing import ExistingResource
from options.mistakes import Mistake, Warn
from options.rules import Rules, boolean, excludes_existing, matches, prefixed


class KeySource(StrEnum):
    """Where the Azure OpenAI key is stored."""

    NAMED_VALUE = "named-value"
    KEY_VAULT = "key-vault"


class KeyDelivery(StrEnum):
    """How the key is added to the request to Azure OpenAI."""

    BACKEND = "backend"
    HEADER = "header"


class AccountKey(StrEnum):
    """Which of an account's two keys the gateway presents."""

    KEY1 = "key1"
    KEY2 = "key2"


class KeyRotation(StrEnum):
    """How the named value refers to its Key Vault secret, which decides when the gateway presents a new key."""

    VERSIONED = "versioned"
    REFRESH = "refresh"


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyVaultOptions:
    """The vault that holds the Azure OpenAI key: what to create, or which one to adopt."""

    existing: ExistingResource | None = None
    """Vault in Azure RBAC mode to adopt without owning it. By default a vault is created."""
    name: str | None = None
    """Name of the vault to create, unique in Azure. Defaults to the component's name with a random suffix."""
    secrets_officer: Defaulted[bool] = False
    """Whether the deployer holds *Key Vault Secrets Officer* on the adopted vault. Without that role the deployer can
    neither delete the secret nor recover a deleted secret of the same name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyOptions:
    """How the Azure OpenAI key is stored and presented."""

    source: Defaulted[KeySource] = KeySource.NAMED_VALUE
    """`named-value` (default): a secret named value. `key-vault`: a named value that refers to a Key Vault secret."""
    delivery: Defaulted[KeyDelivery] = KeyDelivery.BACKEND
    """`backend` (default): the credentials of the APIM backend. `header`: a `set-header` policy."""
    account_key: Defaulted[AccountKey] = AccountKey.KEY1
    """Which of the account's keys to present; defaults to `key1`. To rotate the keys, present the other one, regenerate
    the first, and present the first again."""
    rotation: Defaulted[KeyRotation] = KeyRotation.VERSIONED
    """For `source: key-vault`. `versioned` (default) refers to the version of the secret that the last `up` wrote, so
    the key changes only when `up` runs. `refresh` refers to no version: the gateway reads the secret when `up` changes
    it, and within four hours of any other change."""
    named_value: str | None = None
    """Name of the named value. Defaults to the API's name followed by `-api-key`."""
    vault: KeyVaultOptions | None = None
    """Vault for `source: key-vault`. By default a vault is created."""


vault_name = matches(
    "(?!.*--)[a-zA-Z][a-zA-Z0-9-]{1,22}[a-zA-Z0-9]",
    "3 to 24 letters, digits and single hyphens, beginning with a letter and not ending in a hyphen",
)
_SECRET_NAME = re.compile("[A-Za-z0-9-]{1,127}")

VALUES: Rules = {
    "named_value": (matches("[A-Za-z0-9._-]{1,256}", "1 to 256 letters, digits and . _ -"),),
    "vault": (excludes_existing("vault", "name"),),
    "vault.name": (vault_name,),
    "vault.secrets_officer": (boolean,),
    "vault.existing.name": (vault_name,),
    **prefixed("vault.existing", existing.VALUES),
}


def check_key(key: KeyOptions) -> Iterator[Mistake]:
    """Yield what is wrong with the options of a key."""
    if key.vault and key.source is not KeySource.KEY_VAULT:
        yield Mistake(key=("vault",), problem=_without_vault(key.source))
    if key.rotation is not KeyRotation.VERSIONED and key.source is not KeySource.KEY_VAULT:
        yield Mistake(key=("rotation",), value=str(key.rotation), problem=_without_vault(key.source))
    if key.vault and key.vault.secrets_officer and not key.vault.existing:
        problem = "has no effect on a new vault, whose secrets are deleted with it; remove it, or name existing"
        yield Mistake(key=("vault", "secrets_officer"), problem=problem)
    if key.vault and key.vault.existing and not key.vault.secrets_officer:
        problem = (
            "is a vault in which the deployer can delete the secret, or recover a deleted one of the same name, only "
            "with the role Key Vault Secrets Officer; assign that role to the deployer, then set {0} to true"
        )
        yield Warn(key=("vault", "existing"), problem=problem, about=(("vault", "secrets_officer"),))


def _without_vault(source: KeySource) -> str:
    return f"has no effect with source {source}; remove it, or set source to key-vault"


def check_key_in_use(key: KeyOptions, accounts: int) -> Iterator[Mistake]:
    """Yield what is wrong with the key of an API that calls this many accounts by key."""
    if key.delivery is KeyDelivery.HEADER and accounts > 1:
        problem = f"cannot give each of {accounts} accounts its own key; allowed with a pool: backend"
        yield Mistake(key=("delivery",), value=str(key.delivery), problem=problem)
    if key.source is KeySource.KEY_VAULT and key.named_value and not _SECRET_NAME.fullmatch(key.named_value):
        problem = "cannot name a Key Vault secret; allowed with key-vault: 1 to 127 letters, digits and hyphens"
        yield Mistake(key=("named_value",), value=key.named_value, problem=problem)
