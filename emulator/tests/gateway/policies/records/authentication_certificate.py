from apim_emulator.model import Certificate
from apim_emulator.testing import CertificateAuthority
from emulator.tests.gateway.policies.attributes import text
from emulator.tests.gateway.policies.failures import internal
from emulator.tests.gateway.policies.record import Attribute, Example, Record
from emulator.tests.gateway.policies.scenarios import sent, shows

KEPT, ALONE = CertificateAuthority("CN=Kept"), CertificateAuthority("CN=Alone")
_STORE = {
    "certificates": (Certificate(id="kept", data=KEPT.pem_with_key), Certificate(id="alone", data=ALONE.pem)),
    "named_values": {"kept": KEPT.pem_with_key.decode()},
}
_BODY = '@(Encoding.ASCII.GetBytes(@"{{kept}}"))'

RECORD = Record(
    "authentication-certificate",
    Example('<authentication-certificate id="me" certificate-id="kept"/>', bench=_STORE),
    attributes={
        "certificate-id": text("kept"),
        "thumbprint": Attribute(
            literal=KEPT.thumbprint, expression=f'@("{KEPT.thumbprint}")', instead_of="certificate-id"
        ),
        "body": Attribute(literal=_BODY, expression=_BODY, instead_of="certificate-id"),
        "password": Attribute(
            literal="", expression='@("")', instead_of="certificate-id", needs={"body": _BODY}
        ),
    },
    works=shows(sent(lambda request: request.certificate), KEPT.thumbprint),
    fails={
        "no such certificate": internal(
            "CertificateNotFound",
            "the service has no such certificate",
            element="<authentication-certificate id='me' certificate-id='@(\"other\")'/>",
        ),
        "no private key": internal(
            "CertificateNotFound",
            "the certificate has no private key, and cannot be presented",
            element='<authentication-certificate id="me" certificate-id="alone"/>',
        ),
        "no certificate": internal(
            "CertificateNotFound",
            "body is no certificate that its password opens",
            element='<authentication-certificate id="me" body="@(new byte[0])"/>',
        ),
        "no bytes": internal(
            "CertificateNotFound",
            "body is no certificate that its password opens",
            element="<authentication-certificate id='me' body='@(context.Request.Method)'/>",
        ),
    },
)  # fmt: skip
