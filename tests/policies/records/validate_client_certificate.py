from typing import Any
from xml.etree import ElementTree as ET

from hypothesis import strategies as st

from policies import CertificateIdentity, ValidateClientCertificate
from tests.policies.reader import many
from tests.policies.record import Record
from tests.policies.values import decided, flags, maybe, options

identities = st.builds(CertificateIdentity, thumbprint=decided, dns_name=maybe(decided), issuer_subject=maybe(decided))


def _children(element: ET.Element) -> dict[str, Any]:
    return {"identities": many(CertificateIdentity, element.iterfind("identities/identity"))}


RECORD = Record(
    ValidateClientCertificate,
    examples=(
        CertificateIdentity(thumbprint="a"),
        ValidateClientCertificate(),
    ),
    drawn=options(
        ValidateClientCertificate,
        validate_revocation=maybe(flags),
        validate_trust=maybe(flags),
        validate_not_before=maybe(flags),
        validate_not_after=maybe(flags),
        ignore_error=maybe(flags),
        identities=st.lists(identities, max_size=2),
    ),
    renders={
        "validate-client-certificate names whom it accepts": (
            ValidateClientCertificate(
                validate_revocation=False,
                identities=[
                    CertificateIdentity(thumbprint="ABC", issuer_certificate_id="root"),
                    CertificateIdentity(dns_name="caller.contoso.com"),
                ],
            ),
            """
        <validate-client-certificate validate-revocation="false">
            <identities>
                <identity thumbprint="ABC" issuer-certificate-id="root" />
                <identity dns-name="caller.contoso.com" />
            </identities>
        </validate-client-certificate>
        """,
        ),
    },
    refuses=(
        (CertificateIdentity, "certificate identity is empty; give at least one of its options"),
        (
            lambda: CertificateIdentity(thumbprint="{{a}}"),
            "certificate identity thumbprint '{{a}}' has a named value; it decides who is admitted, so give the value "
            "itself",
        ),
        (
            lambda: CertificateIdentity(issuer_certificate_id="a", issuer_subject="CN=b"),
            "certificate identity has issuer_certificate_id and issuer_subject; give one of them",
        ),
        (
            lambda: CertificateIdentity(subject="@(a)"),
            "certificate identity subject '@(a)' is a policy expression; "
            "it decides who is admitted, so give the value itself",
        ),
        (
            lambda: ValidateClientCertificate(identities=[CertificateIdentity(thumbprint="a")] * 11),
            "validate-client-certificate has 11 identities; allowed: up to 10; remove some",
        ),
    ),
    children=_children,
)
