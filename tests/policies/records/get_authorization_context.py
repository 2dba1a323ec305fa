from policies import GetAuthorizationContext, IdentityType
from tests.policies.record import Record
from tests.policies.values import choice, filled, flag_expressions, maybe, options, plain

RECORD = Record(
    GetAuthorizationContext,
    examples=(GetAuthorizationContext(provider_id="a", authorization_id="b", context_variable_name="c", identity="d"),),
    drawn=options(
        GetAuthorizationContext,
        provider_id=filled,
        authorization_id=filled,
        context_variable_name=plain,
        identity_type=maybe(choice(IdentityType)),
        identity=filled,
        ignore_error=maybe(flag_expressions),
    ),
    renders={
        "get-authorization-context takes every option": (
            GetAuthorizationContext(
                provider_id="github",
                authorization_id="bot",
                context_variable_name="auth",
                identity_type=IdentityType.JWT,
                identity='@(context.Request.Headers.GetValueOrDefault("Authorization"))',
                ignore_error=False,
            ),
            '<get-authorization-context provider-id="github" authorization-id="bot" context-variable-name="auth" '
            'identity-type="jwt" identity="@(context.Request.Headers.GetValueOrDefault(&quot;Authorization&quot;))" '
            'ignore-error="false" />',
        ),
    },
    refuses=(
        (
            lambda: GetAuthorizationContext(
                provider_id="a", authorization_id="b", context_variable_name="c", identity_type=IdentityType.JWT
            ),
            "get-authorization-context has identity_type jwt without identity; give the token whose access counts",
        ),
    ),
)
