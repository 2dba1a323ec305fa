"""Rules across the keys of stack config."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from options import (
    USER_ASSIGNED,
    ApiOptions,
    AuthMode,
    EntraOptions,
    GatewayOptions,
    GatewaySku,
    JwtOptions,
    KeyDelivery,
    KeyOptions,
    KeySource,
    OpenAIOptions,
)
from settings.mistakes import Key, Mistake, Warn, spell
from settings.resolve import ApiSettings
from settings.schema import Stack

CAPACITY = {
    GatewaySku.CONSUMPTION: range(1),
    GatewaySku.DEVELOPER: range(1, 2),
    GatewaySku.BASIC: range(1, 3),
    GatewaySku.STANDARD: range(1, 5),
    GatewaySku.PREMIUM: range(1, 13),
    GatewaySku.BASIC_V2: range(1, 11),
    GatewaySku.STANDARD_V2: range(1, 11),
}
"""Scale units of each tier (API Management: features of the tiers)."""
_SECRET_NAME = re.compile("[A-Za-z0-9-]{1,127}")
MAX_POOL = 30
"""Backends in a pool (API Management: backends)."""


def check_gateway(gateway: GatewayOptions) -> Iterator[Mistake]:
    """Yield what is wrong with the service."""
    if gateway.existing:
        if gateway.identity == USER_ASSIGNED:
            yield _unattachable(("gateway", "identity"))
        return
    for name, value, example in (
        ("publisherName", gateway.publisher_name, "your organization"),
        ("publisherEmail", gateway.publisher_email, "an address of yours"),
    ):
        if value is None:
            problem = f"is missing; a service to create needs it: give {example}, or adopt a service with existing"
            yield Mistake(key=("gateway", name), problem=problem)
    allowed = CAPACITY[gateway.sku]
    if gateway.capacity is not None and gateway.capacity not in allowed:
        span = f"{allowed[0]}" if len(allowed) == 1 else f"{allowed[0]} to {allowed[-1]}"
        problem = f"is not valid for the SKU {gateway.sku}; allowed: {span}; change capacity or sku"
        yield Mistake(key=("gateway", "capacity"), value=gateway.capacity, problem=problem)


def check_openai(openai: OpenAIOptions) -> Iterator[Mistake]:
    """Yield what is wrong with the accounts and deployments."""
    accounts, key = openai.accounts, ("openai", "accounts")
    if not accounts:
        yield Mistake(key=key, problem="is empty; list at least one account, or leave it out to create one")
    if len(accounts) > MAX_POOL:
        problem = f"has {len(accounts)} accounts; allowed: up to {MAX_POOL} in a pool; remove some"
        yield Mistake(key=key, problem=problem)
    names: list[tuple[Key, str | None]] = [
        ((*key, i, "existing", "name"), account.existing.name)
        if account.existing
        else ((*key, i, "name"), account.name)
        for i, account in enumerate(accounts)
    ]
    yield from _unique(names, "account names are unique in Azure")
    for i, account in enumerate(accounts):
        for name, value in (("priority", account.priority), ("weight", account.weight)):
            if value is not None and len(accounts) == 1:
                problem = "has no effect on a single account; remove it, or add accounts to make a pool"
                yield Warn(key=(*key, i, name), value=value, problem=problem)

    key = ("openai", "deployments")
    named = [((*key, i, "name"), deployment.name) for i, deployment in enumerate(openai.deployments)]
    yield from _unique(named, "deployment names are unique in an account")
    created = any(not account.existing for account in accounts)
    if created and not openai.deployments:
        yield Warn(key=key, problem="is empty; the accounts to create serve no model until one is listed")
    if accounts and not created and openai.deployments:
        yield Warn(key=key, problem="has no effect, as every account is adopted and keeps its own; remove it")


def check_apis(apis: Sequence[ApiOptions]) -> Iterator[Mistake]:
    """Yield what is wrong with the APIs as they stand, before they inherit."""
    if not apis:
        yield Mistake(key=("apis",), problem="is empty; list at least one API, or leave it out for one at path openai")
    yield from _unique([(("apis", i, "name"), api.name) for i, api in enumerate(apis)], "a name belongs to one API")
    yield from _unique([(("apis", i, "path"), api.path) for i, api in enumerate(apis)], "a path leads to one API")
    for i, api in enumerate(apis):
        if api.path.rpartition("/")[2] != "openai":
            problem = "does not end in openai, so the OpenAI SDKs cannot call it; append /openai"
            yield Warn(key=("apis", i, "path"), value=api.path, problem=problem)
        yield from check_blocks(("apis", i), api.key, api.entra, api.jwt)


def check_effect(stack: Stack, apis: Sequence[ApiSettings]) -> Iterator[Mistake]:
    """Yield open APIs and what has no effect; `apis` are the resolved ones."""
    for i, (own, api) in enumerate(zip(stack.apis, apis, strict=True)):
        key = ("apis", i)
        if api.auth is not AuthMode.ENTRA and not api.subscription_required:
            problem = f"leaves the API open, as auth {api.auth} validates no token; remove it, or set auth to entra"
            yield Mistake(key=(*key, "subscriptionRequired"), value=False, problem=problem)
        unused = {
            "entra": own.entra and not api.entra and not own.jwt and "only auth entra validates tokens",
            "jwt": own.jwt and not api.jwt and "only auth entra validates tokens",
            "key": own.key and not api.key and f"Azure OpenAI is called with {api.backend_auth}",
            "identity": own.identity and api.uses_no_identity and "Azure OpenAI is called with its key",
        }
        for name, reason in unused.items():
            if reason:
                yield Mistake(key=(*key, name), problem=f"has no effect, as {reason}; remove it, or change auth")
        if own.identity == USER_ASSIGNED and stack.gateway.existing:
            yield _unattachable((*key, "identity"))
    for name, given, used in (
        ("entra", (stack.entra or EntraOptions()) != EntraOptions(), any(api.entra is stack.entra for api in apis)),
        ("jwt", stack.jwt is not None, any(api.jwt is stack.jwt for api in apis)),
        ("key", stack.key != KeyOptions(), any(api.key is stack.key for api in apis)),
    ):
        if given and not used:
            yield Warn(key=(name,), problem="has no effect, as no API uses it; remove it, or change auth")


def check_keys(stack: Stack, apis: Sequence[ApiSettings]) -> Iterator[Mistake]:
    """Yield what is wrong with the keys of the APIs that call Azure OpenAI by key; `apis` are the resolved ones."""
    by_key = [(i, api, api.key) for i, api in enumerate(apis) if api.key]
    accounts = stack.openai.accounts
    for i, account in enumerate(accounts):
        if by_key and account.disable_local_auth:
            problem = f"contradicts {spell(('apis', by_key[0][0]))}, which calls it by key; remove it, or change auth"
            yield Mistake(key=("openai", "accounts", i, "disableLocalAuth"), value=True, problem=problem)
    for i, _, key in by_key:
        if key.delivery is KeyDelivery.HEADER and len(accounts) > 1:
            problem = f"cannot give each of {len(accounts)} accounts its own key; allowed with a pool: backend"
            block: Key = ("apis", i, "key") if stack.apis[i].key else ("key",)
            yield Mistake(key=(*block, "delivery"), value=str(key.delivery), problem=problem)
    for i, _, key in by_key:
        if key.source is KeySource.KEY_VAULT and key.named_value and not _SECRET_NAME.fullmatch(key.named_value):
            block = ("apis", i, "key") if stack.apis[i].key else ("key",)
            problem = "cannot name a Key Vault secret; allowed with key-vault: 1 to 127 letters, digits and hyphens"
            yield Mistake(key=(*block, "namedValue"), value=key.named_value, problem=problem)
    yield from _unique(
        [(("apis", i, "key", "namedValue"), key.named_value or f"{api.name}-api-key") for i, api, key in by_key],
        "each API keeps its own named value",
    )
    yield from _unique(
        [
            (("apis", i, "key", "vault", "name"), key.vault.name)
            for i, api, key in by_key
            if api.creates_vault and key.vault
        ],
        "each API creates its own vault",
    )


def read_definitions(apis: Sequence[ApiOptions], project_dir: Path) -> tuple[list[str | None], list[Mistake]]:
    """Return the text of each API's definition file, None where there is none, and what is wrong with the files."""
    texts: list[str | None] = []
    mistakes: list[Mistake] = []
    for i, api in enumerate(apis):
        text = None
        if api.definition_file is not None:
            try:
                text = _read_openapi(project_dir / api.definition_file)
            except ValueError as error:
                mistakes.append(
                    Mistake(key=("apis", i, "definitionFile"), value=api.definition_file, problem=str(error))
                )
        texts.append(text)
    return texts, mistakes


def _read_openapi(file: Path) -> str:
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise ValueError(f"cannot be read ({error.strerror}); name a file relative to the project's folder") from None
    except ValueError:  # not UTF-8, or a null character in the name
        raise ValueError("is no file of JSON text; name an OpenAPI 3 document in JSON") from None
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("is not JSON; convert the OpenAPI document to JSON") from None
    if not (isinstance(document, dict) and re.match(r"3\.", str(document.get("openapi")))):
        raise ValueError('is not an OpenAPI 3 document; its "openapi" must be 3.x: convert it')
    return text


def check_blocks(
    at: Key, key: KeyOptions | None, entra: EntraOptions | None, jwt: JwtOptions | None
) -> Iterator[Mistake]:
    """Yield what is wrong with the blocks that stand side by side at `at`, an API or the stack."""
    if key and key.vault and key.source is not KeySource.KEY_VAULT:
        problem = f"has no effect with source {key.source}; remove it, or set source to key-vault"
        yield Mistake(key=(*at, "key", "vault"), problem=problem)
    if entra and jwt:
        problem = f"contradicts {spell((*at, 'entra'))}: tokens come from Entra or from another provider; remove one"
        yield Mistake(key=(*at, "jwt"), problem=problem)
    if entra:
        yield from _check_entra((*at, "entra"), entra)
    if jwt:
        for name, urls in (("openidConfigUrls", jwt.openid_config_urls), ("audiences", jwt.audiences)):
            if not urls:
                yield Mistake(
                    key=(*at, "jwt", name), problem="is empty; list at least one, as no token could be validated"
                )


def _check_entra(key: Key, entra: EntraOptions) -> Iterator[Mistake]:
    if entra.existing and not entra.existing.audiences:
        problem = "is missing; list the audiences of the app's tokens: its client ID for v2, its ID URI for v1"
        yield Mistake(key=(*key, "existing", "audiences"), problem=problem)
    if entra.tenant_id is not None and not entra.existing:
        problem = (
            "cannot be chosen for an app registration that is created; it is made in the tenant of the azuread login "
            "(azuread:tenantId): remove it, or name an existing registration"
        )
        yield Mistake(key=(*key, "tenantId"), value=entra.tenant_id, problem=problem)
    if entra.roles and "roles" in entra.required_claims:
        problem = f"contradicts {spell((*key, 'roles'))}, of which a caller needs one; remove one of the two"
        yield Mistake(key=(*key, "requiredClaims", "roles"), problem=problem)
    for i, scope in enumerate(entra.scopes):
        if scope in entra.roles:
            problem = "is also a role, and Entra wants their values distinct; rename one"
            yield Mistake(key=(*key, "scopes", i), value=scope, problem=problem)
    for i, assignment in enumerate(entra.role_assignments):
        if assignment.role not in entra.roles:
            problem = f"is not one of {spell((*key, 'roles'))}; add it there"
            yield Mistake(key=(*key, "roleAssignments", i, "role"), value=assignment.role, problem=problem)


def _unattachable(key: Key) -> Mistake:
    problem = "cannot be created for a service that is adopted; give the resource ID of an identity that it has"
    return Mistake(key=key, value=USER_ASSIGNED, problem=problem)


def _unique(named: Iterable[tuple[Key, str | None]], why: str) -> Iterator[Mistake]:
    """Yield every name that stands a second time, whatever its case."""
    first: dict[str, Key] = {}
    for key, name in named:
        if name is not None and (twin := first.setdefault(name.lower(), key)) != key:
            yield Mistake(key=key, value=name, problem=f"is taken by {spell(twin)}; {why}; change one")
