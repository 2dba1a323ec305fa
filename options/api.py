"""An API that publishes Azure OpenAI."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from definitions import VERSIONS, DefinitionError, check
from options.auth import AuthMode
from options.defaulted import Defaulted
from options.entra import EntraOptions
from options.gateway import identity
from options.jwt import JwtOptions
from options.key import KeyOptions
from options.mistakes import Key, Mistake, Warn, suggestion, unique
from options.policy import PolicyOptions
from options.rules import Rules, boolean, distinct, like

API_VERSION = "2024-10-21"
"""Latest of the stable versions of Azure OpenAI's dated REST API."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiOptions:
    """An API that publishes Azure OpenAI, and where it differs from the stack's defaults."""

    name: str
    """Identifier of the API, unique within the service."""
    path: str
    """URL path below the gateway; ends in `openai`, where the OpenAI SDKs look below their `azure_endpoint`."""
    auth: AuthMode | None = None
    """Left out: the stack's `auth`."""
    accounts: list[str] | None = None
    """Accounts that the API uses, each by its name, or where that is made up, by its region. Left out: all."""
    identity: str | None = None
    """Identity for Azure OpenAI, as in `gateway.identity`. Left out: the gateway's."""
    key: KeyOptions | None = None
    """Left out: the stack's `key`."""
    entra: EntraOptions | None = None
    """Left out: the stack's `entra`."""
    jwt: JwtOptions | None = None
    """Left out: the stack's `jwt`."""
    subscription_required: bool | None = None
    """Whether callers need a subscription key. Left out: they do, unless they present a validated token."""
    api_version: Defaulted[str] = API_VERSION
    """Stable version of Azure OpenAI's REST API whose operations it offers."""
    definition_file: str | None = None
    """OpenAPI 3 document (JSON) to import in its place, relative to the project; its `servers` are not used. Its paths
    follow `/openai`, such as `/deployments/{deployment-id}/chat/completions`."""
    policy: PolicyOptions | None = None
    """Policies of your own: they can add, and take nothing away. Left out: none, or those of `policy_file`."""
    policy_file: str | None = None
    """Policy document that holds them in place of `policy`, relative to the project. Left out: `policy` says them."""


def _known_version(key: Key, value: object) -> Iterator[Mistake]:
    if isinstance(value, str) and value not in VERSIONS:
        known = ", ".join(VERSIONS)
        problem = f"is not a stable version; allowed: {known}, or a definition of your own{suggestion(value, VERSIONS)}"
        yield Mistake(key=key, value=value, problem=problem)


def definition(key: Key, value: object) -> Iterator[Mistake]:
    """Refuse a definition of the user's own, given in full, that cannot be imported or does not fit the backend."""
    if isinstance(value, str):
        try:
            check(value)
        except DefinitionError as error:
            yield Mistake(key=key, problem=str(error))


VALUES: Rules = {
    "name": (
        like(
            "[a-zA-Z](?:[a-zA-Z0-9-]{0,48}[a-zA-Z0-9])?",
            "1 to 50 letters, digits and hyphens, beginning with a letter and not ending in a hyphen",
        ),
    ),
    "path": (
        like(
            r"(?=.{1,400}\Z)(?!(?:.*/)?\.{1,2}(?:/|\Z))[A-Za-z0-9._~-]+(?:/[A-Za-z0-9._~-]+)*",
            "segments of letters, digits and . _ ~ - with single slashes between them, none . or .., none at the ends",
        ),
    ),
    "accounts": (distinct,),
    "identity": (identity,),
    "subscription_required": (boolean,),
    "api_version": (_known_version,),
    "definition": (definition,),
}


def check_api(api: ApiOptions) -> Iterator[Mistake]:
    """Yield what is wrong with an API as it stands."""
    if api.path.rpartition("/")[2] != "openai":
        problem = (
            "does not end in openai, where the OpenAI SDKs look below their azure_endpoint; append /openai, or have "
            "callers give the API's whole URL as base_url"
        )
        yield Warn(key=("path",), value=api.path, problem=problem)
    if api.policy is not None and api.policy_file is not None:
        problem = "contradicts {0}: policies come from a file or stand here; remove one"
        yield Mistake(key=("policy",), problem=problem, about=(("policy_file",),))


def check_apis(apis: Sequence[ApiOptions]) -> Iterator[Mistake]:
    """Yield what is wrong with APIs beside each other."""
    if not apis:
        yield Mistake(key=(), problem="is empty; list at least one API, or leave it out for one at path openai")
    yield from unique([((i, "name"), api.name) for i, api in enumerate(apis)], "a name belongs to one API")
    yield from unique([((i, "path"), api.path) for i, api in enumerate(apis)], "a path leads to one API")
    for i, api in enumerate(apis):
        for mistake in check_api(api):
            yield mistake.under(i)


def check_tokens(entra: EntraOptions | None, jwt: JwtOptions | None) -> Iterator[Mistake]:
    """Yield a contradiction between the two blocks that say whose tokens are accepted."""
    if entra and jwt:
        problem = "contradicts {0}: tokens come from Entra or from another provider; remove one"
        yield Mistake(key=("jwt",), problem=problem, about=(("entra",),))
