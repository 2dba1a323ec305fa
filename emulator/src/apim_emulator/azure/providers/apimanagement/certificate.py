"""Certificates that a service presents to backends, and that its policies read."""

import base64

from cryptography.hazmat.primitives.serialization import Encoding

from apim_emulator.azure.exceptions import ValidationError
from apim_emulator.azure.providers.apimanagement import CERTIFICATE, PATH
from apim_emulator.azure.providers.apimanagement.key_vault_secrets import referenced_secret
from apim_emulator.azure.providers.apimanagement.references import refuse_while_used
from apim_emulator.azure.resource_types import Shape, arm_type, get_function
from apim_emulator.azure.state import Resource, State
from apim_emulator.csharp.runtime.certificates import Certificate as Read
from apim_emulator.csharp.runtime.certificates import CertificateError, read_certificate
from apim_emulator.csharp.runtime.distinguished_names import written
from apim_emulator.csharp.runtime.exceptions import StoppedError
from apim_emulator.model import Certificate


def _complete(state: State, resource: Resource, _parent: Resource) -> None:
    inputs = resource.inputs
    data, reference = inputs.get("data"), inputs.get("keyVault")
    if (data is None) == (reference is None):
        raise ValidationError("exactly one of data and keyVault is required", "data")
    if reference is not None:
        # A certificate of Key Vault is a secret of PKCS #12 without a password, or of PEM.
        resource.private |= {"data": referenced_secret(state, resource, reference), "password": None}
    else:
        resource.private |= {"data": data, "password": inputs.get("password")}
    try:
        one = certificate(resource)
        found = read_certificate(one.data, one.password)
    except (CertificateError, ValueError):
        # Code and words are inferred; that the password is checked is in "Secure backend services using client
        # certificate authentication".
        raise ValidationError("the certificate cannot be opened with this password", "data") from None
    resource.outputs |= {
        "subject": _subject(found),
        "thumbprint": found.thumbprint,
        "expirationDate": found.x509.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _subject(found: Read) -> str:
    try:
        return written(found.x509.subject)
    except StoppedError:  # how Windows writes it is not sure
        return found.x509.subject.rfc4514_string()


def certificate(resource: Resource) -> Certificate:
    """Return a certificate as the data plane has it; raises `ValueError` for what is no Base64."""
    text = str(resource.private["data"])
    data = text.encode() if text.startswith("-----BEGIN ") else base64.b64decode(text, validate=True)
    return Certificate(id=resource.name, data=data, password=resource.private["password"])


def ca_certificates(service: Resource) -> tuple[bytes, ...]:
    """List the CA certificates of a service that can be read, in PEM; what it takes is not checked."""
    found = []
    for one in service.inputs.get("certificates") or ():
        try:
            data = base64.b64decode(str(one.get("encodedCertificate") or ""))
            read = read_certificate(data, one.get("certificatePassword"))
        except (CertificateError, ValueError):
            continue
        found.append(b"".join(each.public_bytes(Encoding.PEM) for each in (read.x509, *read.others)))
    return tuple(found)


TYPE = arm_type(
    token=CERTIFICATE,
    path=f"{PATH}/certificates",
    names="serviceName certificateId",
    shape=Shape(
        "resourceGroupName serviceName",
        "certificateId data keyVault password",
        keyVault=Shape("", "identityClientId secretIdentifier"),
    ),
    complete=_complete,
    pattern=r"^[^*#&+:<>?]{1,80}$",
    write_only=lambda _inputs: ("data", "password"),
    on_delete=refuse_while_used,
)

GET = get_function("azure-native:apimanagement:getCertificate", f"{PATH}/certificates", "serviceName certificateId")
