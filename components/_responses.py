"""Stored responses that belong to their caller: what an API's policy does so that nobody else can use their IDs.

Azure OpenAI knows the gateway alone, so whoever knows an ID could show, continue, cancel or delete the response. The
policy notes in the cache who made a response, and refuses its ID to everybody else. What the cache does not know is
refused too: responses that were streamed, since reading an ID from a stream would hold it back, and those that the
cache has forgotten.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from components._answers import json_answer
from components._caller import CALLER, REFUSE_UNKNOWN_CALLER, TokenCaller
from components._inputs import raise_mistakes, surface_of
from options.responses import KEPT_SECONDS, check_own_responses, check_own_responses_tier
from policies import (
    CacheLookupValue,
    CacheStoreValue,
    Choose,
    Policy,
    SetBody,
    SetVariable,
    When,
)

_ASKED = "openai-gateway-response-asked"
"""Variable with the ID that a request names in its path or as `previous_response_id`, or with nothing."""
_CREATES = "openai-gateway-response-made"
"""Variable that is set while a response is made."""
_OWNER = "openai-gateway-response-caller"
"""Variable with the caller, and the API in which it is known by that name."""
_FOUND = "openai-gateway-response-owner"
"""Variable with who made the response that the request names."""
_KEY = '"openai-gateway-response/" + '
# Whatever else is posted: another spelling of the path, if the gateway takes one, is no way round.
_CREATE = (
    'context.Request.Method == "POST" && !context.Request.MatchedParameters.ContainsKey("response_id")'
    ' && !context.Request.Url.Path.EndsWith("/chat/completions") && !context.Request.Url.Path.EndsWith("/embeddings")'
)
_PARSED = "JObject.Parse(context.Request.Body.As<string>(preserveContent: true))"
_NO_ID = "?"
"""In place of what is no ID; nobody owns it."""
_READ_ASKED = f"""@{{
    if (context.Request.MatchedParameters.ContainsKey("response_id")) {{
        return context.Request.MatchedParameters["response_id"];
    }}
    if (!({_CREATE})) {{ return ""; }}
    try {{
        var body = {_PARSED};
        var previous = body["previous_response_id"];
        var spellings = body.Properties().Count(member => member.Name.ToLowerInvariant() == "previous_response_id");
        if (spellings > (previous == null ? 0 : 1) || body.Properties().Any(member =>
            member.Name.ToLowerInvariant() == "conversation" && member.Value.Type != JTokenType.Null)) {{
            return "{_NO_ID}";
        }}
        if (previous == null || previous.Type == JTokenType.Null) {{ return ""; }}
        return previous.Type == JTokenType.String ? (string)previous : "{_NO_ID}";
    }} catch (Exception) {{ return "{_NO_ID}"; }}
}}"""
_NOT_FOUND = json_answer(
    404,
    "Not Found",
    json.dumps(
        {
            "error": {
                "message": "No response with that ID is yours.",
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        }
    ),
)
_ANSWERED = (
    f'context.Variables.ContainsKey("{_CREATES}") && context.Response.StatusCode == 200'
    ' && context.Response.Headers.GetValueOrDefault("Content-Type", "").Contains("application/json")'
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Responses:
    """Whether responses belong to their callers, and how callers are known."""

    owned: bool = False
    caller: TokenCaller | None = None
    """How the validated token names the caller; None: callers are known by their subscription."""

    @property
    def by_token(self) -> bool:
        """Whether the policies know callers by the validated token."""
        return self.owned and self.caller is not None

    def inbound(self, sku: str | None, *, caller_known: bool) -> list[Policy]:
        """Return the policies that refuse IDs of others; `caller_known` is whether `CALLER` is set already.

        Raises:
            pulumi.RunError: The service's pricing tier `sku` has no cache.

        """
        if not self.owned:
            return []
        if sku is not None:
            raise_mistakes(check_own_responses_tier(self.owned, ("own_responses",), sku, ("sku",)))
        known: list[Policy] = []
        caller = "context.Subscription.Id"
        if self.caller is not None:
            known = [*([] if caller_known else self.caller.set_caller()), REFUSE_UNKNOWN_CALLER]
            caller = f'(string)context.Variables["{CALLER}"]'
        foreign = f'@((string)context.Variables["{_FOUND}"] != (string)context.Variables["{_OWNER}"])'
        return [
            *known,
            SetVariable(name=_OWNER, value=f'@(context.Api.Id + " " + {caller})'),
            SetVariable(name=_ASKED, value=_READ_ASKED),
            Choose(
                when=[
                    When(
                        condition=f'@((string)context.Variables["{_ASKED}"] != "")',
                        policies=[
                            CacheLookupValue(
                                key=f'@({_KEY}(string)context.Variables["{_ASKED}"])',
                                variable_name=_FOUND,
                                default_value="",
                            ),
                            Choose(when=[When(condition=foreign, policies=[_NOT_FOUND])]),
                        ],
                    )
                ]
            ),
            Choose(
                when=[
                    When(
                        condition=f"@({_CREATE})",
                        policies=[
                            SetVariable(name=_CREATES, value="true"),
                            # What was read is what the account gets: it cannot find another ID in the body.
                            SetBody(value=f"@({_PARSED}.ToString(Formatting.None))"),
                        ],
                    )
                ]
            ),
        ]

    def outbound(self) -> list[Policy]:
        """Return the policies that note who made a response."""
        if not self.owned:
            return []
        note = CacheStoreValue(
            key=f'@({_KEY}(string)context.Response.Body.As<JObject>(preserveContent: true)["id"])',
            value=f'@((string)context.Variables["{_OWNER}"])',
            duration=KEPT_SECONDS,
        )
        return [Choose(when=[When(condition=f"@({_ANSWERED})", policies=[note])])]


SHARED = Responses()


def api_responses(args: Mapping[str, Any], *, caller: TokenCaller | None = None) -> Responses:
    """Return what the inputs of an API say.

    Raises:
        pulumi.RunError: The API has no stored responses.

    """
    owned = bool(args.get("own_responses"))
    raise_mistakes(check_own_responses(owned, surface_of(args), args.get("definition"), ("definition",)))
    return Responses(owned=owned, caller=caller)
