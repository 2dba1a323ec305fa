from policies import AuthenticationCertificate
from tests.policies.record import Record
from tests.policies.values import expressions, filled, maybe, named_values, options, plain

RECORD = Record(
    AuthenticationCertificate,
    examples=(
        AuthenticationCertificate(thumbprint="a"),
        AuthenticationCertificate(certificate_id="a"),
        AuthenticationCertificate(body="@(context.Request.Body.As<byte[]>())"),
    ),
    drawn=(
        options(AuthenticationCertificate, thumbprint=filled)
        | options(AuthenticationCertificate, certificate_id=plain)
        | options(AuthenticationCertificate, body=expressions, password=maybe(named_values))
    ),
    renders={
        "authentication-certificate names a certificate of the service": (
            AuthenticationCertificate(certificate_id="backend"),
            '<authentication-certificate certificate-id="backend" />',
        ),
        "authentication-certificate has a certificate of its own": (
            AuthenticationCertificate(
                body='@(context.Variables.GetValueOrDefault<byte[]>("c"))', password="{{certificate-password}}"
            ),
            '<authentication-certificate body="@(context.Variables.GetValueOrDefault&lt;byte[]&gt;(&quot;c&quot;))" '
            'password="{{certificate-password}}" />',
        ),
    },
    refuses=(
        (
            AuthenticationCertificate,
            "authentication-certificate has no certificate; give exactly one of thumbprint, certificate_id, body",
        ),
        (
            lambda: AuthenticationCertificate(thumbprint="a", certificate_id="b"),
            "authentication-certificate has thumbprint and certificate_id; "
            "give exactly one of thumbprint, certificate_id, body",
        ),
        (
            lambda: AuthenticationCertificate(body="MIIC"),
            "authentication-certificate body is no policy expression; give one that yields the certificate's bytes",
        ),
        (
            lambda: AuthenticationCertificate(body="@(a)", password="s3cret"),
            "authentication-certificate password is not a named value; "
            "keep it in a secret named value and give {{its-name}}",
        ),
        (
            lambda: AuthenticationCertificate(certificate_id="a", password="{{b}}"),
            "authentication-certificate has password without body; the service's own certificates need none",
        ),
    ),
)
