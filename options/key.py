"""The Azure OpenAI key: where the gateway keeps it and how it presents it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from options import existing
from options.defaulted import Defaulted
from options.existing import ExistingResource
from options.mistakes import Mistake, Warn
from options.rules import Rules, adopted, boolean, like, prefixed


class KeySource(StrEnum):
    """Where the gateway keeps the Azure OpenAI key."""

    NAMED_VALUE = "named-value"
    KEY_VAULT = "key-vault"


class KeyDelivery(StrEnum):
    """How the key gets onto the request to Azure OpenAI."""

    BACKEND = "backend"
    HEADER = "header"


class AccountKey(StrEnum):
    """Which of an account's two keys the gateway presents."""

    KEY1 = "key1"
    KEY2 = "key2"


class KeyRotation(StrEnum):
    """How the named value refers to its Key Vault secret, and so when the gateway presents a new key."""

    VERSIONED = "versioned"
    REFRESH = "refresh"


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyVaultOptions:
    """The vault that holds the Azure OpenAI key: what to create, or which one to adopt."""

    existing: ExistingResource | None = None
    """Vault in Azure RBAC mode to adopt without owning it. Left out: one is created."""
    name: str | None = None
    """Name of the vault to create, unique in Azure. Left out: made from the component's name and random letters."""
    secrets_officer: Defaulted[bool] = False
    """Whether who deploys holds *Key Vault Secrets Officer* on the adopted vault. Without that role the vault refuses
    to delete the secret, and to recover one of its name that was deleted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyOptions:
    """How the gateway keeps and presents the Azure OpenAI key."""

    source: Defaulted[KeySource] = KeySource.NAMED_VALUE
    """Secret named value, or a named value that refers to a Key Vault secret."""
    delivery: Defaulted[KeyDelivery] = KeyDelivery.BACKEND
    """Credentials of the APIM backend, or a `set-header` policy."""
    account_key: Defaulted[AccountKey] = AccountKey.KEY1
    """Key of the account. To rotate: present the other one, regenerate the first, present that again."""
    rotation: Defaulted[KeyRotation] = KeyRotation.VERSIONED
    """For `source: key-vault`. `versioned` refers to the secret's version that the last `up` wrote, so the key changes
    when `up` runs and at no other time. `refresh` names no version: the gateway reads the secret when `up` changes it,
    and besides follows within four hours what somebody else writes there."""
    named_value: str | None = None
    """Name of the named value. Left out: the API's name and `-api-key`."""
    vault: KeyVaultOptions | None = None
    """Vault for `source: key-vault`. Left out: one is created."""


vault_name = like(
    "(?!.*--)[a-zA-Z][a-zA-Z0-9-]{1,22}[a-zA-Z0-9]",
    "3 to 24 letters, digits and single hyphens, beginning with a letter and not ending in a hyphen",
)
_SECRET_NAME = re.compile("[A-Za-z0-9-]{1,127}")

VALUES: Rules = {
    "named_value": (like("[A-Za-z0-9._-]{1,256}", "1 to 256 letters, digits and . _ -"),),
    "vault": (adopted("a vault", "name"),),
    "vault.name": (vault_name,),
    "vault.secrets_officer": (boolean,),
    "vault.existing.name": (vault_name,),
    **prefixed("vault.existing", existing.VALUES),
}


def check_key(key: KeyOptions) -> Iterator[Mistake]:
    """Yield what is wrong with a key's block."""
    if key.vault and key.source is not KeySource.KEY_VAULT:
        yield Mistake(key=("vault",), problem=_without_vault(key.source))
    if key.rotation is not KeyRotation.VERSIONED and key.source is not KeySource.KEY_VAULT:
        yield Mistake(key=("rotation",), value=str(key.rotation), problem=_without_vault(key.source))
    if key.vault and key.vault.secrets_officer and not key.vault.existing:
        problem = "has no effect on a vault that is created, which takes its secrets along; remove it, or name existing"
        yield Mistake(key=("vault", "secrets_officer"), problem=problem)
    if key.vault and key.vault.existing and not key.vault.secrets_officer:
        problem = (
            "is a vault that refuses to delete the secret, and to recover one of its name that was deleted, unless "
            "who deploys holds Key Vault Secrets Officer on it; assign that role, then set {0} to true"
        )
        yield Warn(key=("vault", "existing"), problem=problem, about=(("vault", "secrets_officer"),))


def _without_vault(source: KeySource) -> str:
    return f"has no effect with source {source}; remove it, or set source to key-vault"


def check_key_in_use(key: KeyOptions, accounts: int) -> Iterator[Mistake]:
    """Yield what is wrong with the key of an API that calls so many accounts by key."""
    if key.delivery is KeyDelivery.HEADER and accounts > 1:
        problem = f"cannot give each of {accounts} accounts its own key; allowed with a pool: backend"
        yield Mistake(key=("delivery",), value=str(key.delivery), problem=problem)
    if key.source is KeySource.KEY_VAULT and key.named_value and not _SECRET_NAME.fullmatch(key.named_value):
        problem = "cannot name a Key Vault secret; allowed with key-vault: 1 to 127 letters, digits and hyphens"
        yield Mistake(key=("named_value",), value=key.named_value, problem=problem)
