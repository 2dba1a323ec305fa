"""The policy hook: where the user's own policies are in an API's policy document."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components._answers import json_answer
from components._inputs import raise_mistakes, read_options
from options import KeyOptions
from options.policy import PolicyOptions, check_policy
from policies import Choose, Policy, SetVariable, When
from policies.documents.hook import (
    BODY_WRITERS,
    CALLER_HEADERS,
    CALLER_QUERY,
    CALLER_VARIABLE,
    hook_policies,
    read_section,
)

_SHORTEST = 16
"""Fewest characters of a credential that is searched for; a shorter text may occur by chance."""

_PRESENTED = ", ".join(
    [f'context.Request.Headers.GetValueOrDefault("{name}", "")' for name in CALLER_HEADERS]
    + [f'context.Request.Url.Query.GetValueOrDefault("{name}", "")' for name in CALLER_QUERY]
)
_SAVE_PRESENTED = SetVariable(name=CALLER_VARIABLE, value=f'@(string.Join(" ", new[] {{ {_PRESENTED} }}))')
"""Saves the credentials that the caller presented, before the hook can change them."""
_CLEAR_PRESENTED = SetVariable(name=CALLER_VARIABLE, value='@("")')
_REFUSAL = '{ "statusCode": 500, "message": "The API\'s policies would pass on the caller\'s credential." }'
_BODY = 'context.Request.Body == null ? "" : context.Request.Body.As<string>(preserveContent: true)'


@dataclass(frozen=True, kw_only=True, slots=True)
class Hook:
    """The hook's policies, by section."""

    inbound: Sequence[Policy] = ()
    backend: Sequence[Policy] = ()
    outbound: Sequence[Policy] = ()
    on_error: Sequence[Policy] = ()

    def before_credentials(self, strip: Sequence[Policy]) -> list[Policy]:
        """Return the inbound policies, then `strip`, then a check that the request has no credential of the caller.

        A hook may read the caller's credential, but must not pass it on under another name.
        """
        if not self.inbound:
            return list(strip)
        tags = {element.tag for policy in self.inbound for element in policy.element().iter()}
        return [_SAVE_PRESENTED, *self.inbound, *strip, _refusal(body=bool(tags & BODY_WRITERS)), _CLEAR_PRESENTED]

    def before_sending(self, sending: Sequence[Policy]) -> list[Policy]:
        """Return the single policy of the backend section: `sending`, after the hook's policies if there are any."""
        if not self.backend:
            return list(sending)
        return [Choose(when=[When(condition="@(true)", policies=[*self.backend, *sending])])]


NO_HOOK = Hook()


def api_hook(name: str, args: Mapping[str, Any]) -> Hook:
    """Return the hook of the API `name`, from its input `policy`.

    Raises:
        pulumi.RunError: A section has mistakes; all of them are listed, with line and column.

    """
    given = args.get("policy")
    if given is None:
        return NO_HOOK
    policy = read_options(PolicyOptions, given, "policy")
    key = args.get("key")
    stem = None if key is None else read_options(KeyOptions, key, "key").named_value
    raise_mistakes(mistake.under("policy") for mistake in check_policy(policy, key_names=[stem or f"{name}-api-key"]))
    found = {field: hook_policies(read_section(section, text)) for section, field, text in policy.texts()}
    return Hook(**found)


def _refusal(*, body: bool) -> Choose:
    sent = ["context.Request.Url.Path", "context.Request.Url.QueryString", *([_BODY] if body else [])]
    return Choose(
        when=[
            When(
                condition=f"""@{{
    var presented = ((string)context.Variables["{CALLER_VARIABLE}"]).Split(' ', ',')
        .Where(text => text.Length >= {_SHORTEST})
        .SelectMany(text => new[] {{ text, Uri.EscapeDataString(text) }});
    var sent = context.Request.Headers.SelectMany(header => header.Value)
        .Concat(new[] {{ {", ".join(sent)} }});
    return sent.Any(text => presented.Any(secret => text.Contains(secret)));
}}""",
                policies=[json_answer(500, "Internal Server Error", _REFUSAL)],
            )
        ]
    )
