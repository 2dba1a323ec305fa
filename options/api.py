"""An API that publishes Azure OpenAI."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from definitions import VERSIONS, DefinitionError, check_definition
from options import retry
from options.auth import AuthMode
from options.defaulted import Defaulted
from options.entra import EntraOptions
from options.gateway import identity
from options.jwt import JwtOptions
from options.key import KeyOptions
from options.mistakes import Key, Mistake, Warn, suggestion, unique
from options.policy import PolicyOptions
from options.retry import RetryOptions, check_retry
from options.rules import Rules, boolean, distinct, matches, prefixed

API_VERSION = "2024-10-21"
"""Latest stable version of Azure OpenAI's dated REST API."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiOptions:
    """An API that publishes Azure OpenAI, and where it differs from the stack's defaults."""

    name: str
    """Identifier of the API, unique within the service."""
    path: str
    """URL path below the gateway. It should end in `openai`, which the OpenAI SDKs append to their `azure_endpoint`."""
    auth: AuthMode | None = None
    """How callers and the gateway authenticate. Defaults to the stack's `auth`."""
    accounts: list[str] | None = None
    """Accounts that the API uses, each by its name or, if the name is generated, by its region. Defaults to all."""
    identity: str | None = None
    """Identity that calls Azure OpenAI, given as in `gateway.identity`. Defaults to `gateway.identity`."""
    key: KeyOptions | None = None
    """How the Azure OpenAI key is stored and presented. Defaults to the stack's `key`."""
    entra: EntraOptions | None = None
    """Microsoft Entra ID tokens that callers need. Defaults to the stack's `entra`."""
    jwt: JwtOptions | None = None
    """Tokens of another provider that callers need. Defaults to the stack's `jwt`."""
    subscription_required: bool | None = None
    """Whether callers need a subscription key. Defaults to true, or to false if the API validates a token."""
    api_version: Defaulted[str] = API_VERSION
    """Stable version of Azure OpenAI's REST API whose operations the API offers."""
    definition_file: str | None = None
    """OpenAPI 3 document (JSON) to import instead, relative to the project; its `servers` are ignored. Its paths
    follow `/openai`, such as `/deployments/{deployment-id}/chat/completions`."""
    policy: PolicyOptions | None = None
    """Your own policies, which can add to the API's policy and remove nothing from it. Defaults to those of
    `policy_file`, if any."""
    policy_file: str | None = None
    """Policy document to use instead of `policy`, relative to the project."""
    retry: RetryOptions | None = None
    """How often a call that an account rejects is tried on another. By default on up to two others, at once."""


def _known_version(key: Key, value: object) -> Iterator[Mistake]:
    if isinstance(value, str) and value not in VERSIONS:
        known = ", ".join(VERSIONS)
        problem = f"is not a stable version; allowed: {known}, or a definition of your own{suggestion(value, VERSIONS)}"
        yield Mistake(key=key, value=value, problem=problem)


def definition(key: Key, value: object) -> Iterator[Mistake]:
    """Refuse the text of a user's own definition that cannot be imported or does not fit the backend."""
    if isinstance(value, str):
        try:
            check_definition(value)
        except DefinitionError as error:
            yield Mistake(key=key, problem=str(error))


VALUES: Rules = {
    "name": (
        matches(
            "[a-zA-Z](?:[a-zA-Z0-9-]{0,48}[a-zA-Z0-9])?",
            "1 to 50 letters, digits and hyphens, beginning with a letter and not ending in a hyphen",
        ),
    ),
    "path": (
        matches(
            r"(?=.{1,400}\Z)(?!(?:.*/)?\.{1,2}(?:/|\Z))[A-Za-z0-9._~-]+(?:/[A-Za-z0-9._~-]+)*",
            "segments of letters, digits and . _ ~ - separated by single slashes, without the segments . and .. and "
            "without a slash at either end",
        ),
    ),
    "accounts": (distinct,),
    "identity": (identity,),
    "subscription_required": (boolean,),
    "api_version": (_known_version,),
    "definition": (definition,),
    **prefixed("retry", retry.VALUES),
}


def check_api(api: ApiOptions) -> Iterator[Mistake]:
    """Yield what is wrong with one API."""
    if api.path.rpartition("/")[2] != "openai":
        problem = (
            "does not end in openai, where the OpenAI SDKs look below their azure_endpoint; append /openai, or have "
            "callers give the API's whole URL as base_url"
        )
        yield Warn(key=("path",), value=api.path, problem=problem)
    if api.policy is not None and api.policy_file is not None:
        problem = "conflicts with {0}: policies come from a file or from here; remove one"
        yield Mistake(key=("policy",), problem=problem, about=(("policy_file",),))
    if api.retry is not None:
        yield from (mistake.under("retry") for mistake in check_retry(api.retry))


def check_apis(apis: Sequence[ApiOptions]) -> Iterator[Mistake]:
    """Yield what is wrong with each API, and names and paths that two of them share."""
    if not apis:
        yield Mistake(key=(), problem="is empty; list at least one API, or leave it out for one at path openai")
    yield from unique([((i, "name"), api.name) for i, api in enumerate(apis)], "API names must be unique")
    yield from unique([((i, "path"), api.path) for i, api in enumerate(apis)], "API paths must be unique")
    for i, api in enumerate(apis):
        for mistake in check_api(api):
            yield mistake.under(i)


def check_tokens(entra: EntraOptions | None, jwt: JwtOptions | None) -> Iterator[Mistake]:
    """Refuse both of the blocks that say whose tokens are accepted."""
    if entra and jwt:
        problem = "conflicts with {0}: tokens come from Entra or from another provider; remove one"
        yield Mistake(key=("jwt",), problem=problem, about=(("entra",),))
