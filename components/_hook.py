"""The user's own policies at the places of an API's document where they can add and take nothing away."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components._inputs import raise_mistakes, read_options
from options import KeyOptions
from options.policy import PolicyOptions, check_policy
from policies import Choose, Policy, ReturnResponse, SetBody, SetHeader, SetStatus, SetVariable, When
from policies.hook import BODY_WRITERS, CALLER_HEADERS, CALLER_QUERY, CALLER_VARIABLE, hook_policies, read_section

_SHORTEST = 16
"""Characters of a credential that is looked for; a shorter text may stand somewhere by chance."""

_PRESENTED = ", ".join(
    [f'context.Request.Headers.GetValueOrDefault("{name}", "")' for name in CALLER_HEADERS]
    + [f'context.Request.Url.Query.GetValueOrDefault("{name}", "")' for name in CALLER_QUERY]
)
_REMEMBERED = SetVariable(name=CALLER_VARIABLE, value=f'@(string.Join(" ", new[] {{ {_PRESENTED} }}))')
"""What the caller presented, before the hook can change it."""
_FORGOTTEN = SetVariable(name=CALLER_VARIABLE, value='@("")')
_TOLD = '{ "statusCode": 500, "message": "The API would pass on what the caller presented." }'
_BODY = 'context.Request.Body == null ? "" : context.Request.Body.As<string>(preserveContent: true)'


@dataclass(frozen=True, kw_only=True, slots=True)
class Hook:
    """The policies of each section; none are the default."""

    inbound: Sequence[Policy] = ()
    backend: Sequence[Policy] = ()
    outbound: Sequence[Policy] = ()
    on_error: Sequence[Policy] = ()

    def before_credentials(self, strip: Sequence[Policy]) -> list[Policy]:
        """Return the inbound policies, then `strip`, and a refusal of what would pass on the caller's credential.

        A hook may read what the caller presented. Whatever it made of it, nothing of it goes out under another name.
        """
        if not self.inbound:
            return list(strip)
        tags = {element.tag for policy in self.inbound for element in policy.element().iter()}
        return [_REMEMBERED, *self.inbound, *strip, _refusal(body=bool(tags & BODY_WRITERS)), _FORGOTTEN]

    def before_sending(self, sending: Sequence[Policy]) -> list[Policy]:
        """Return the backend section, of one policy: `sending`, after the hook where there is one."""
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
                policies=[
                    ReturnResponse(
                        status=SetStatus(code=500, reason="Internal Server Error"),
                        headers=[SetHeader(name="Content-Type", values=["application/json"])],
                        body=SetBody(value=_TOLD),
                    )
                ],
            )
        ]
    )
