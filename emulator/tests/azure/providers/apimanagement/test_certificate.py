import base64
from itertools import count
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, load_pem_private_key, pkcs12

from apim_emulator.azure import Cloud
from apim_emulator.azure.exceptions import CloudError
from apim_emulator.testing import CertificateAuthority
from emulator.tests.azure.azure import SECRETS_USER, Azure

OWN = CertificateAuthority("CN=gateway, O=Contoso")


def pfx(password: bytes = b"pw") -> str:
    key: Any = load_pem_private_key(OWN.pem_with_key, None)
    data = pkcs12.serialize_key_and_certificates(None, key, OWN.certificate, None, BestAvailableEncryption(password))
    return base64.b64encode(data).decode()


@pytest.fixture
def azure() -> Azure:
    return Azure(Cloud())


def document(policy: str) -> str:
    return f"<policies><inbound>{policy}</inbound></policies>"


def global_policy(azure: Azure, policy: str) -> str:
    return azure.apim("Policy", policyId="policy", value=document(policy))[0]


def test_a_certificate_shows_what_it_is_and_neither_its_key_nor_its_password(azure: Azure) -> None:
    azure.service()
    _, outputs = azure.certificate(data=pfx(), password="pw")

    assert (outputs["subject"], outputs["thumbprint"]) == ("CN=gateway, O=Contoso", OWN.thumbprint)
    assert outputs["expirationDate"] == "2032-12-29T00:00:00Z"
    assert not outputs.keys() & {"data", "password"}


def test_the_gateway_has_the_certificate_with_its_key(azure: Azure) -> None:
    azure.service()
    azure.certificate(data=pfx(), password="pw")
    (found,) = azure.cloud.gateways()[0].certificates

    assert (found.id, found.password) == ("client", "pw")
    assert "pw" not in repr(azure.cloud.gateways()[0])


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "exactly one of data and keyVault"),
        ({"data": "AAAA", "keyVault": {"secretIdentifier": "x"}}, "exactly one of data and keyVault"),
        ({"data": "AAAA"}, "cannot be opened"),
        ({"data": "not Base64"}, "cannot be opened"),
        ({"data": pfx(), "password": "another"}, "cannot be opened"),
    ],
)
def test_what_is_no_certificate_is_refused(azure: Azure, inputs: dict[str, Any], message: str) -> None:
    azure.service()

    with pytest.raises(CloudError, match=message):
        azure.certificate(**inputs)


def test_a_certificate_of_key_vault_is_read_with_the_services_identity(azure: Azure) -> None:
    principal = azure.service()[1]["identity"]["principalId"]
    vault_id, _ = azure.vault()
    _, secret = azure.secret(OWN.pem_with_key.decode())
    reference = {"secretIdentifier": secret["properties"]["secretUri"]}

    with pytest.raises(CloudError, match="GET permissions"):
        azure.certificate(keyVault=reference)
    azure.role(principal, vault_id, SECRETS_USER)

    assert azure.certificate(keyVault=reference)[1]["thumbprint"] == OWN.thumbprint


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ('<authentication-certificate thumbprint="CA06F56B"/>', "Certificate with thumbprint 'CA06F56B' could not be"),
        ('<authentication-certificate certificate-id="x"/>', "certificate-id 'x' does not exist"),
    ],
)
def test_a_document_that_names_no_certificate_of_the_service_is_refused(
    azure: Azure, policy: str, message: str
) -> None:
    azure.service()
    azure.certificate(data=pfx(), password="pw")

    with pytest.raises(CloudError, match=message):
        global_policy(azure, policy)


@pytest.mark.parametrize("place", ['certificate-id="client"', f'thumbprint="{OWN.thumbprint}"'], ids=map(str, count(1)))
def test_a_certificate_that_a_document_uses_cannot_be_deleted(azure: Azure, place: str) -> None:
    azure.service()
    certificate, _ = azure.certificate(data=pfx(), password="pw")
    policy = global_policy(azure, f"<authentication-certificate {place}/>")

    with pytest.raises(CloudError, match="cannot be deleted: it is used by"):
        azure.cloud.delete(certificate)
    azure.cloud.delete(policy)
    azure.cloud.delete(certificate)


def test_certificates_of_authorities_are_those_that_the_gateway_trusts(azure: Azure) -> None:
    encoded = base64.b64encode(OWN.pem).decode()
    azure.service(certificates=[{"encodedCertificate": encoded, "storeName": "Root"}])

    assert azure.cloud.gateways()[0].ca_certificates == (OWN.pem,)


def test_a_backend_presents_the_certificates_that_it_names(azure: Azure) -> None:
    azure.service()
    certificate, _ = azure.certificate(data=pfx(), password="pw")
    azure.backend(credentials={"certificateIds": [certificate], "certificate": [OWN.thumbprint]})

    assert azure.cloud.gateways()[0].backends[0].certificates == ("client", OWN.thumbprint)
