"""Where the key of each account is stored: in a secret named value, or in a Key Vault secret that it refers to."""

import re
from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi
from pulumi_azure_native import apimanagement, cognitiveservices, keyvault

from components._arm import name_of, resource_group_of
from components._backends import OpenAIAccount
from components._clashes import NAMES, report_clash
from components._endpoints import PrivateEndpoints, private_endpoints
from components._roles import KEY_VAULT_SECRETS_USER, assign_role
from components._subscriptions import child_options, invoke_options
from components._vaults import Vault, adopted_vault, create_vault, write_secret
from components._waiting import retry_until_vault_access
from options import AccountKey, KeyOptions, KeyRotation, KeySource, KeyVaultOptions, Surface


class KeyArgs(TypedDict):
    """The inputs of an API component that can authenticate by key."""

    resource_group_name: pulumi.Input[str]
    service_name: pulumi.Input[str]
    subscription_id: NotRequired[str | None]
    sku: NotRequired[pulumi.Input[str]]
    name_prefix: NotRequired[str]
    backend_id: pulumi.Input[str]
    accounts: list[OpenAIAccount]
    surface: NotRequired[Surface]
    key: NotRequired[KeyOptions | None]
    vault_resource_group_name: NotRequired[pulumi.Input[str]]
    private_endpoints: NotRequired[PrivateEndpoints | None]
    protect: NotRequired[bool]
    principal_id: NotRequired[pulumi.Input[str]]
    identity_client_id: NotRequired[pulumi.Input[str | None]]


def store_keys(
    name: str, key: KeyOptions, accounts: Sequence[OpenAIAccount], args: KeyArgs, *, parent: pulumi.Resource
) -> list[pulumi.Output[str]]:
    """Store the key of each account as a secret named value; return the references to them, `{{name}}`."""
    stem = key.named_value or f"{name}-api-key"
    prefix = "" if key.named_value else args.get("name_prefix", "")  # a name from the options gets no prefix
    names = [stem] if len(accounts) == 1 else [f"{stem}-{account.key}" for account in accounts]
    vault = _vault(name, key, args, parent) if key.source is KeySource.KEY_VAULT else None
    references = []
    for named_value, account in zip(names, accounts, strict=True):
        value = _account_key(account, key.account_key, parent)
        if vault is None:
            kept = _create_named_value(named_value, prefix, args, parent=parent, value=value)
        else:
            secret = write_secret(
                named_value,
                vault,
                value,
                secret_name=re.sub("[^a-zA-Z0-9-]", "-", prefix + named_value),
                content_type="Azure OpenAI API key",
                parent=parent,
            )
            kept = _refer_to(secret, named_value, prefix, args, vault=vault, rotation=key.rotation, parent=parent)
        references.append(pulumi.Output.concat("{{", kept.display_name, "}}"))
    return references


def _account_key(account: OpenAIAccount, key: AccountKey, parent: pulumi.Resource) -> pulumi.Output[str]:
    # Called with known values: the engine does not answer calls that depend on a component in a YAML program. This
    # waits for the URL because a preview does not know it if the account is about to accept keys, and has no keys yet.
    known = pulumi.Output.all(account.id, name_of(account.id), resource_group_of(account.id), account.url)
    opts = invoke_options(parent, account.subscription_id)
    keys: pulumi.Output[cognitiveservices.ListAccountKeysResult]
    keys = known.apply(
        lambda values: cognitiveservices.list_account_keys_output(
            account_name=values[1], resource_group_name=values[2], opts=opts
        )
    )
    return pulumi.Output.secret(
        pulumi.Output.all(account.id, keys).apply(lambda found: _select(found[0], found[1], key))
    )


def _select(account_id: str, keys: cognitiveservices.ListAccountKeysResult, key: AccountKey) -> str:
    found = keys.key2 if key is AccountKey.KEY2 else keys.key1
    if not found:
        raise pulumi.RunError(
            f"account {account_id} has no API key; enable local authentication on it, or use a managed identity"
        )
    return found


def _vault(name: str, key: KeyOptions, args: KeyArgs, parent: pulumi.Resource) -> Vault:
    vault = key.vault or KeyVaultOptions()
    if vault.existing is not None:
        return adopted_vault(vault.existing, parent)
    group = args.get("vault_resource_group_name", args["resource_group_name"])
    return create_vault(
        name,
        group,
        vault_name=vault.name,
        endpoints=private_endpoints(args),
        protect=args.get("protect"),
        parent=parent,
    )


def _refer_to(
    secret: keyvault.Secret,
    named_value: str,
    prefix: str,
    args: KeyArgs,
    *,
    vault: Vault,
    rotation: KeyRotation,
    parent: pulumi.Resource,
) -> apimanagement.NamedValue:
    principal_id = args.get("principal_id")
    if principal_id is None:
        raise pulumi.RunError("source key-vault needs principal_id, the identity that reads the secret for the gateway")
    # Only on the secret, so that the gateway's identity reads nothing else in a shared vault.
    reader = assign_role(
        f"{named_value}-reader",
        scope=secret.id,
        principal_id=principal_id,
        role=KEY_VAULT_SECRETS_USER,
        parent=parent,
    )
    written = pulumi.Output.unsecret(secret.properties)
    refresh = rotation is KeyRotation.REFRESH
    return _create_named_value(
        named_value,
        prefix,
        args,
        parent=parent,
        key_vault={
            "secret_identifier": written.apply(lambda its: its.secret_uri if refresh else its.secret_uri_with_version),
            "identity_client_id": args.get("identity_client_id"),
        },
        # Any change makes the service read the secret again; without a version in the reference, this one does.
        tags=[written.apply(lambda its: f"secret-{_version(its.secret_uri_with_version)}")] if refresh else None,
        depends_on=[reader, *vault.names],
        hooks=retry_until_vault_access(named_value),
    )


def _version(identifier: str) -> str:
    return identifier.rsplit("/", 1)[1]


def _create_named_value(
    named_value: str,
    prefix: str,
    args: KeyArgs,
    *,
    parent: pulumi.Resource,
    value: pulumi.Input[str] | None = None,
    key_vault: apimanagement.KeyVaultContractCreatePropertiesArgsDict | None = None,
    tags: Sequence[pulumi.Input[str]] | None = None,
    depends_on: Sequence[pulumi.Resource] = (),
    hooks: pulumi.ResourceHookBinding | None = None,
) -> apimanagement.NamedValue:
    opts = child_options(parent, args.get("subscription_id"), depends_on=depends_on)
    opts.hooks = hooks
    resource = apimanagement.NamedValue(
        named_value,
        named_value_id=prefix + named_value,
        display_name=prefix + named_value,
        resource_group_name=args["resource_group_name"],
        service_name=args["service_name"],
        secret=True,
        value=value,
        key_vault=key_vault,
        tags=tags,
        opts=opts,
    )
    report_clash(
        resource,
        "apimanagement:getNamedValue",
        {
            "resourceGroupName": args["resource_group_name"],
            "serviceName": args["service_name"],
            "namedValueId": prefix + named_value,
        },
        kind=NAMES,
        opts=invoke_options(parent, args.get("subscription_id")),
    )
    return resource
