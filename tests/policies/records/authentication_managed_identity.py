from policies import AuthenticationManagedIdentity
from tests.policies.record import Record
from tests.policies.values import filled, flags, maybe, options, plain, texts

CLIENT = "22222222-2222-4222-8222-222222222222"

RECORD = Record(
    AuthenticationManagedIdentity,
    examples=(AuthenticationManagedIdentity(),),
    drawn=options(
        AuthenticationManagedIdentity,
        resource=filled,
        client_id=maybe(texts),
        output_token_variable_name=maybe(plain),
        ignore_error=maybe(flags),
    ),
    renders={
        "authentication-managed-identity is the article's by default": (
            AuthenticationManagedIdentity(),
            '<authentication-managed-identity resource="https://cognitiveservices.azure.com" '
            'output-token-variable-name="managed-id-access-token" ignore-error="false" />',
        ),
        "authentication-managed-identity uses a user-assigned identity and sets the header itself": (
            AuthenticationManagedIdentity(
                id="m", resource="api://x", client_id=CLIENT, output_token_variable_name=None, ignore_error=None
            ),
            f'<authentication-managed-identity id="m" resource="api://x" client-id="{CLIENT}" />',
        ),
    },
    refuses=(
        (
            lambda: AuthenticationManagedIdentity(resource=""),
            "authentication-managed-identity resource '' is empty; give it a value",
        ),
    ),
)
