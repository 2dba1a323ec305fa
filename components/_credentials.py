"""The credential that the gateway presents to Azure OpenAI: its managed identity, or an API key that it keeps."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NotRequired, TypedDict

import pulumi
from pulumi_azure_native import apimanagement, authorization, cognitiveservices, keyvault

from components._arm import name_of, resource_group_of
from components._backends import OpenAIAccount, Service, create_backends, openai_accounts
from components._names import unique_name
from components._roles import COGNITIVE_SERVICES_OPENAI_USER, KEY_VAULT_SECRETS_USER, assign_role
from components._subscriptions import child_options, invoke_options
from components._wire import options, require
from options import KeyDelivery, KeyOptions, KeySource, KeyVaultOptions
from options.key import check_key_in_use
from policies import (
    BEARER_TOKEN,
    TOKEN_VARIABLE,
    AuthenticationManagedIdentity,
    ExistsAction,
    Policy,
    SetBackendService,
    SetHeader,
)


def grant_access(
    name: str, *, accounts: Sequence[OpenAIAccount], principal_id: pulumi.Input[str], parent: pulumi.Resource
) -> pulumi.Output[list[str]]:
    """Give an identity the role *Cognitive Services OpenAI User* on each account; return the assignments' IDs."""
    return pulumi.Output.all(
        *(
            assign_role(
                f"{name}-{account.key}-role",
                scope=account.id,
                principal_id=principal_id,
                role=COGNITIVE_SERVICES_OPENAI_USER,
                parent=parent,
            ).id
            for account in accounts
        )
    )


def managed_identity_credential(
    *,
    backend_id: pulumi.Input[str],
    client_id: pulumi.Input[str | None],
    role_assignment_ids: pulumi.Input[list[str]],
) -> pulumi.Output[list[Policy]]:
    """Policies that call `backend_id` as the gateway's identity, known once the identity holds its role."""
    return pulumi.Output.all(backend=backend_id, client=client_id, roles=role_assignment_ids).apply(
        lambda known: [
            SetBackendService(backend_id=known["backend"]),
            AuthenticationManagedIdentity(client_id=known["client"], output_token_variable_name=TOKEN_VARIABLE),
            SetHeader(name="Authorization", exists_action=ExistsAction.OVERRIDE, values=[BEARER_TOKEN]),
        ]
    )


class KeyArgs(TypedDict):
    """The inputs of an API component that may authenticate by key."""

    resource_group_name: pulumi.Input[str]
    service_name: pulumi.Input[str]
    subscription_id: NotRequired[str | None]
    sku: NotRequired[pulumi.Input[str]]
    backend_id: pulumi.Input[str]
    accounts: list[OpenAIAccount]
    key: NotRequired[KeyOptions | None]
    vault_resource_group_name: NotRequired[pulumi.Input[str]]
    protect: NotRequired[bool]
    principal_id: NotRequired[pulumi.Input[str]]
    identity_client_id: NotRequired[pulumi.Input[str | None]]


def key_credential(name: str, args: KeyArgs, *, parent: pulumi.Resource) -> pulumi.Output[list[Policy]]:
    """Policies that call the accounts by API key, known once the gateway can read every key.

    `backend_id` is used for `delivery: header`; `delivery: backend` makes backends of its own, so that no other API
    on the accounts is given the key.
    """
    key = options(KeyOptions, args.get("key") or KeyOptions(), "key")
    accounts = openai_accounts(args["accounts"])
    require(mistake.under("key") for mistake in check_key_in_use(key, len(accounts)))
    stem = key.named_value or f"{name}-api-key"
    names = [stem] if len(accounts) == 1 else [f"{stem}-{account.key}" for account in accounts]
    group = args.get("vault_resource_group_name", args["resource_group_name"])
    vault = _vault(name, key, group, args, parent) if key.source is KeySource.KEY_VAULT else None
    references = [
        _named_value(named_value, args, value=_account_key(account, parent), vault=vault, parent=parent)
        for named_value, account in zip(names, accounts, strict=True)
    ]
    if key.delivery is KeyDelivery.BACKEND:
        keyed = create_backends(
            f"{name}-key-backend",
            f"{name}-key-pool",
            accounts,
            service=Service(
                resource_group_name=args["resource_group_name"],
                name=args["service_name"],
                sku=args.get("sku"),
                subscription_id=args.get("subscription_id"),
            ),
            api_keys=references,
            parent=parent,
        )
        return keyed.apply(lambda known: [SetBackendService(backend_id=known)])
    return pulumi.Output.all(backend=args["backend_id"], reference=references[0]).apply(
        lambda known: [
            SetBackendService(backend_id=known["backend"]),
            SetHeader(name="api-key", exists_action=ExistsAction.OVERRIDE, values=[known["reference"]]),
        ]
    )


def _account_key(account: OpenAIAccount, parent: pulumi.Resource) -> pulumi.Output[str]:
    # Called with values: an engine does not answer calls that depend on a component of a YAML program. The URL is
    # waited for because a preview does not know it of an account that is about to accept keys, and has none to list.
    known = pulumi.Output.all(account.id, name_of(account.id), resource_group_of(account.id), account.url)
    asking = invoke_options(parent, account.subscription_id)
    keys: pulumi.Output[cognitiveservices.ListAccountKeysResult]
    keys = known.apply(
        lambda parts: cognitiveservices.list_account_keys_output(
            account_name=parts[1], resource_group_name=parts[2], opts=asking
        )
    )
    return pulumi.Output.secret(pulumi.Output.all(account.id, keys).apply(lambda found: _first_key(found[0], found[1])))


def _first_key(account_id: str, keys: cognitiveservices.ListAccountKeysResult) -> str:
    if not keys.key1:
        raise pulumi.RunError(
            f"account {account_id} has no API key; enable local authentication on it, or use its identity"
        )
    return keys.key1


@dataclass(frozen=True, kw_only=True, slots=True)
class _Vault:
    subscription_id: str | None
    resource_group_name: pulumi.Input[str]
    name: pulumi.Input[str]


def _vault(
    name: str, key: KeyOptions, resource_group_name: pulumi.Input[str], args: KeyArgs, parent: pulumi.Resource
) -> _Vault:
    vault = key.vault or KeyVaultOptions()
    if vault.existing is not None:
        found = keyvault.get_vault_output(
            vault_name=vault.existing.name,
            resource_group_name=vault.existing.resource_group,
            opts=invoke_options(parent, vault.existing.subscription_id),
        )
        return _Vault(
            subscription_id=vault.existing.subscription_id,
            resource_group_name=vault.existing.resource_group,
            name=found.apply(_in_rbac_mode),
        )
    client = authorization.get_client_config_output(opts=pulumi.InvokeOutputOptions(parent=parent))
    created = keyvault.Vault(
        f"{name}-vault",
        vault_name=vault.name
        or unique_name(name, "kv", limit=24, replaced_on={"resourceGroup": resource_group_name}, parent=parent),
        resource_group_name=resource_group_name,
        properties={
            "tenant_id": client.tenant_id,
            "sku": {"family": keyvault.SkuFamily.A, "name": keyvault.SkuName.STANDARD},
            "enable_rbac_authorization": True,
            "enable_purge_protection": True,
        },
        opts=pulumi.ResourceOptions(parent=parent, protect=args.get("protect")),
    )
    return _Vault(subscription_id=None, resource_group_name=resource_group_name, name=created.name)


def _in_rbac_mode(vault: keyvault.GetVaultResult) -> str:
    if not vault.properties.enable_rbac_authorization:
        raise pulumi.RunError(
            f"vault {vault.name} uses access policies, where a role gives no access to secrets; switch it to Azure "
            "role-based access control, or name another vault"
        )
    return vault.name


def _named_value(
    named_value: str,
    args: KeyArgs,
    *,
    value: pulumi.Output[str],
    vault: _Vault | None,
    parent: pulumi.Resource,
) -> pulumi.Output[str]:
    """Keep a key as a secret named value and return the reference to it, `{{name}}`."""
    depends_on: list[pulumi.Resource] = []
    key_vault: apimanagement.KeyVaultContractCreatePropertiesArgsDict | None = None
    if vault is not None:
        principal_id = args.get("principal_id")
        if principal_id is None:
            raise pulumi.RunError(
                "source key-vault needs principal_id, the identity that reads the secret for the gateway"
            )
        secret = keyvault.Secret(
            f"{named_value}-secret",
            secret_name=re.sub("[^a-zA-Z0-9-]", "-", named_value),
            vault_name=vault.name,
            resource_group_name=vault.resource_group_name,
            properties={"value": value, "content_type": "Azure OpenAI API key"},
            opts=pulumi.ResourceOptions.merge(
                child_options(parent, vault.subscription_id),
                pulumi.ResourceOptions(additional_secret_outputs=["properties"]),
            ),
        )
        # On the secret alone: the gateway's identity reads nothing else of a shared vault.
        depends_on = [
            assign_role(
                f"{named_value}-reader",
                scope=secret.id,
                principal_id=principal_id,
                role=KEY_VAULT_SECRETS_USER,
                parent=parent,
            )
        ]
        # Without a version, so that the gateway follows a rotated key.
        identifier = pulumi.Output.unsecret(secret.properties.apply(lambda properties: properties.secret_uri))
        key_vault = {"secret_identifier": identifier, "identity_client_id": args.get("identity_client_id")}
    resource = apimanagement.NamedValue(
        named_value,
        named_value_id=named_value,
        display_name=named_value,
        resource_group_name=args["resource_group_name"],
        service_name=args["service_name"],
        secret=True,
        value=None if vault is not None else value,
        key_vault=key_vault,
        opts=child_options(parent, args.get("subscription_id"), depends_on=depends_on),
    )
    return pulumi.Output.concat("{{", resource.display_name, "}}")
