"""Where an API answers from the semantic cache: once a prompt is known to be safe, before the hook and the model.

What a call must have in common with an earlier one to get its answer is one value, its partition: the API, the caller,
the deployment, and all of the request but what was said. Only that is compared by meaning.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from components._caller import CALLER, TokenCaller
from components._inputs import raise_mistakes, read_options
from components._requests import BODY_VARIABLE, DEPLOYMENT_VARIABLE, IS_CHAT
from options import CacheOptions, PolicyOptions, VaryBy
from options.cache import check_cache_in_use
from policies import (
    Choose,
    LlmSemanticCacheLookup,
    LlmSemanticCacheStore,
    Policy,
    SetVariable,
    When,
)

_PARTITION = "openai-gateway-cache"
"""Variable with the partition, or with nothing for a call that is not looked up."""
_KEPT = f'@(context.Variables.GetValueOrDefault<string>("{_PARTITION}", "") != "")'
_ELSEWHERE = ("functions", "tools", "store", "stream")
"""Members of a request whose answer must be its own: what is to be done, what is stored, and what is streamed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cache:
    """What an API answers from the cache, and how its callers are told apart."""

    options: CacheOptions | None = None
    backend_id: pulumi.Input[str] = "-"
    """Backend of the embeddings."""
    caller: TokenCaller | None = None
    """How the validated token names the caller, if the API validates one."""

    @property
    def by_token(self) -> bool:
        """Whether the validated token tells callers apart."""
        return self.options is not None and self.options.vary_by is VaryBy.CALLER

    def inbound(self, backend_id: str, *, caller_known: bool) -> list[Policy]:
        """Return the policies that look a prompt up; `caller_known` is whether `CALLER` is set already."""
        options = self.options
        if options is None:
            return []
        return [
            *(self.caller.set_caller() if self.caller and self.by_token and not caller_known else ()),
            SetVariable(name=_PARTITION, value=_partition(_CALLERS[options.vary_by])),
            Choose(
                when=[
                    When(
                        condition=_KEPT,
                        policies=[
                            LlmSemanticCacheLookup(
                                score_threshold=options.score_threshold,
                                embeddings_backend_id=backend_id,
                                ignore_system_messages=True,  # they are in the partition, word for word
                                vary_by=[f'@((string)context.Variables["{_PARTITION}"])'],
                            )
                        ],
                    )
                ]
            ),
        ]

    def outbound(self) -> list[Policy]:
        """Return the policies that keep the answer of a call that was looked up."""
        if self.options is None:
            return []
        store = LlmSemanticCacheStore(duration=self.options.duration)
        return [Choose(when=[When(condition=_KEPT, policies=[store])])]


NO_CACHE = Cache()

_CALLERS: Mapping[VaryBy, str] = {
    VaryBy.CALLER: f'(string)context.Variables["{CALLER}"]',
    VaryBy.SUBSCRIPTION: "Uri.EscapeDataString(context.Subscription.Id)",
    VaryBy.API: '"-"',
}


def _partition(caller: str) -> str:
    """Return the expression for a call's partition.

    Only dialogues of plain text are looked up: what the gateway would make of an image or of a tool's result in a
    comparison is not known. Parts from the request come last and the whole is hashed, so that nobody can write a
    request that looks like another caller's.
    """
    elsewhere = ", ".join(f'"{name}"' for name in _ELSEWHERE)
    return f"""@{{
    if (context.Request.Method != "POST" || !{IS_CHAT}) {{ return ""; }}
    var caller = {caller};
    var body = (JObject)context.Variables["{BODY_VARIABLE}"];
    var messages = body["messages"] as JArray;
    if (caller == "" || messages == null || messages.Count == 0 || body.Properties().Any(member =>
        new[] {{ {elsewhere} }}.Contains(member.Name.ToLowerInvariant())
        && !(member.Value.Type == JTokenType.Boolean && !(bool)member.Value))) {{ return ""; }}
    if (messages.Any(message => message.Type != JTokenType.Object || ((JObject)message).Properties().Any(member =>
        (member.Name != "role" && member.Name != "content") || member.Value.Type != JTokenType.String))) {{
        return "";
    }}
    var shared = new JArray(messages.Select(message => (string)message["role"] == "user"
        || (string)message["role"] == "assistant" ? message["role"] : message));
    var rest = new JObject(body.Properties().Where(member => member.Name != "messages"));
    var parts = new[] {{
        context.Api.Id, caller, context.Variables.GetValueOrDefault<string>("{DEPLOYMENT_VARIABLE}", ""),
        context.Request.Url.Path, context.Request.Url.Query.GetValueOrDefault("api-version", ""),
        shared.ToString(Formatting.None), rest.ToString(Formatting.None)
    }};
    return BitConverter.ToString(SHA256.Create().ComputeHash(Encoding.UTF8.GetBytes(string.Join("\\n", parts))));
}}"""


def api_cache(args: Mapping[str, Any], *, caller: TokenCaller | None, one_caller: bool) -> Cache:
    """Return what an API caches, from its inputs `cache` and `embeddings_backend_id`.

    Raises:
        pulumi.RunError: The options have mistakes, or one of the two inputs is missing.

    """
    given, backend_id = args.get("cache"), args.get("embeddings_backend_id")
    if given is None:
        return NO_CACHE
    options = read_options(CacheOptions, given, "cache")
    if options.redis is not None:
        raise pulumi.RunError("cache.redis: belongs to SemanticCache, which connects it; remove it here")
    if backend_id is None:
        raise pulumi.RunError(
            "cache: needs embeddings_backend_id, such as OpenAIBackend.embeddings_backend_ids has; give both or neither"
        )
    policy = args.get("policy")
    hook = None if policy is None else read_options(PolicyOptions, policy, "policy")
    found = check_cache_in_use(options, ("cache",), (), by_token=caller is not None, one_caller=one_caller, policy=hook)
    raise_mistakes(found)
    return Cache(options=options, backend_id=backend_id, caller=caller)
