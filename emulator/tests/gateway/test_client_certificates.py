"""Client certificates: those that the gateway presents, and which of its callers' it accepts."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, load_pem_private_key, pkcs12
from joserfc import jwt
from joserfc.jwk import RSAKey
from multidict import CIMultiDict
from yarl import URL

from apim_emulator.csharp.runtime.certificates import read_certificate
from apim_emulator.gateway.failures import PolicyLoadError
from apim_emulator.gateway.http.transport import HttpTransport
from apim_emulator.model import Backend, Certificate
from apim_emulator.network import Network
from apim_emulator.testing import CertificateAuthority, IssuedCertificate, PolicyBench, Reply

ROOT = CertificateAuthority("CN=Root")
OWN = ROOT.issue("CN=gateway")
STORE = (Certificate(id="own", data=OWN.pem_with_key),)


def bench(inbound: str, **service: Any) -> PolicyBench:
    return PolicyBench(f"<policies><inbound>{inbound}</inbound></policies>", **{"certificates": STORE, **service})


# What the gateway presents


def test_backend_without_the_policy_sees_no_certificate() -> None:
    assert bench("").get().requests[0].certificate is None


@pytest.mark.parametrize("place", ['certificate-id="own"', f'thumbprint="{OWN.thumbprint}"'], ids=map(str, count(1)))
def test_backend_sees_the_certificate(place: str) -> None:
    assert bench(f"<authentication-certificate {place}/>").get().requests[0].certificate == OWN.thumbprint


def test_backend_that_is_called_without_tls_sees_no_certificate() -> None:
    policies = '<authentication-certificate certificate-id="own"/><set-backend-service base-url="http://plain.test"/>'
    response = bench(policies, hosts={"plain.test": lambda _: Reply()}).get()

    assert response.requests[0].certificate is None


def test_certificate_that_a_service_fetches_is_opened_with_its_password() -> None:
    key: Any = load_pem_private_key(OWN.pem_with_key, None)
    pfx = pkcs12.serialize_key_and_certificates(None, key, OWN.certificate, None, BestAvailableEncryption(b"pw"))
    policies = (
        '<send-request response-variable-name="kept"><set-url>https://vault.test/secrets/c</set-url></send-request>'
        '<authentication-certificate body="@(Convert.FromBase64String((string)((IResponse)context.Variables[&quot;kept'
        '&quot;]).Body.As&lt;JObject&gt;()[&quot;value&quot;]))" password="{{password}}"/>'
    )
    hosts = {"vault.test": lambda _: Reply(json={"value": base64.b64encode(pfx).decode()})}

    def call(password: str) -> Any:
        return bench(policies, hosts=hosts, named_values={"password": password}).get()

    assert call("pw").requests[-1].certificate == OWN.thumbprint
    assert call("other").error.reason == "CertificateNotFound"


def test_request_of_the_gateways_own_presents_its_own_certificate_alone() -> None:
    policies = (
        "<send-request><set-url>https://a.test</set-url><authentication-certificate certificate-id='own'/>"
        "</send-request><send-request><set-url>https://a.test</set-url></send-request>"
    )
    response = bench(policies, hosts={"a.test": lambda _: Reply()}).get()

    assert [request.certificate for request in response.requests] == [OWN.thumbprint, None, None]


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ("", "needs exactly one of thumbprint, certificate-id, body"),
        ('certificate-id="own" thumbprint="AB"', "needs exactly one of thumbprint, certificate-id, body"),
        ('certificate-id="other"', "certificate-id: certificate other does not exist"),
        ('thumbprint="CA06F56B258B7A0D4F2B"', "thumbprint: certificate CA06F56B258B7A0D4F2B does not exist"),
        ('certificate-id="own" password="x"', "password: belongs to body; a certificate of the service needs none"),
        ('body="MIIC"', "body: must be an expression that gives byte[]"),
    ],
)
def test_mistake_is_told_when_the_document_is_loaded(attributes: str, reason: str) -> None:
    with pytest.raises(PolicyLoadError) as refused:
        bench(f"<authentication-certificate {attributes}/>")

    assert reason in str(refused.value)


def test_certificate_whose_name_is_a_named_value_is_told_without_it() -> None:
    with pytest.raises(PolicyLoadError) as refused:
        bench('<authentication-certificate thumbprint="{{t}}"/>', named_values={"t": "CA06F56B"})

    assert "certificate of this name does not exist" in str(refused.value)
    assert "CA06F56B" not in str(refused.value)


@asynccontextmanager
async def tls_server(folder: Path) -> AsyncIterator[tuple[int, list[Any]]]:
    """Listen with TLS and ask for a client certificate; gives the subjects that were presented."""
    server, seen = ROOT.issue("CN=localhost", dns_names=["localhost"]), []
    (folder / "server.pem").write_bytes(server.pem_with_key)
    (folder / "root.pem").write_bytes(ROOT.pem)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(folder / "root.pem"))
    context.load_cert_chain(folder / "server.pem")
    context.verify_mode = ssl.CERT_OPTIONAL

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        presented = writer.get_extra_info("ssl_object").getpeercert()
        seen.append(presented and presented["subject"])
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    listener = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with listener:
        yield listener.sockets[0].getsockname()[1], seen


async def test_certificate_is_presented_in_the_handshake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with tls_server(tmp_path) as (port, seen):
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "root.pem"))
        transport = HttpTransport(Network())
        await transport.open()
        url = URL(f"https://localhost:{port}/")
        headers = CIMultiDict({"Host": "localhost"})
        try:
            answer = await transport.send("GET", url, headers.copy(), None, read_certificate(OWN.pem_with_key))
        finally:
            await transport.close()

    assert answer.status == 200
    assert seen == [((("commonName", "gateway"),),)]


def test_trace_shows_which_certificate_is_presented_and_not_its_key() -> None:
    response = bench('<authentication-certificate certificate-id="own"/>').get()
    assert response.trace is not None

    assert [(change.what, change.after) for change in response.trace.spans[0].changes] == [
        ("Backend.Certificate", OWN.thumbprint)
    ]
    assert "PRIVATE" not in str(response.trace)


@pytest.mark.parametrize(
    ("names", "policy", "presented"),
    [
        (("own",), "", OWN.thumbprint),
        ((OWN.thumbprint,), "", OWN.thumbprint),
        (("gone", "own"), "", OWN.thumbprint),
        (("gone",), "", None),
        (("root",), '<authentication-certificate certificate-id="own"/>', OWN.thumbprint),
    ],
    ids=map(str, count(1)),  # each run makes certificates of its own
)
def test_backend_has_a_certificate_of_its_own(names: tuple[str, ...], policy: str, presented: str | None) -> None:
    entity = Backend(id="east", certificates=names)
    store = (*STORE, Certificate(id="root", data=ROOT.pem_with_key))
    tested = bench(
        f'<set-backend-service backend-id="east"/>{policy}', backends={"east": lambda _: Reply()}, entities=(entity,),
        certificates=store,
    )  # fmt: skip

    assert tested.get().requests[0].certificate == presented


# Whose tokens are accepted


def signed(by: IssuedCertificate, **claims: object) -> str:
    key = RSAKey.import_key(by.pem_with_key.removeprefix(by.pem))
    return jwt.encode({"alg": "RS256"}, {"exp": 1_700_000_100, **claims}, key)


def test_token_is_checked_with_the_key_of_a_certificate() -> None:
    checked = bench(
        '<validate-jwt header-name="Authorization"><issuer-signing-keys><key certificate-id="own"/>'
        "</issuer-signing-keys></validate-jwt>"
    )

    def call(by: IssuedCertificate) -> int:
        return checked.get(headers={"Authorization": f"Bearer {signed(by)}"}).status_code

    assert (call(OWN), call(ROOT)) == (200, 401)


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ('<key certificate-id="other"/>', "certificate other does not exist"),
        ('<key certificate-id="own" n="AQAB"/>', "excludes n, e and a Base64 key"),
        ('<key certificate-id="own">AAAA</key>', "excludes n, e and a Base64 key"),
    ],
)
def test_mistake_in_a_key_is_told(key: str, reason: str) -> None:
    with pytest.raises(PolicyLoadError, match=reason):
        bench(
            f'<validate-jwt header-name="Authorization"><issuer-signing-keys>{key}</issuer-signing-keys></validate-jwt>'
        )


# Which certificates of callers are accepted

CONTOSO = CertificateAuthority("CN=Contoso CA, O=Contoso")
CLIENT = CONTOSO.issue(r"CN=*.contoso.com,O=Contoso\, Inc.,L=Chicago,ST=Illinois,C=US", dns_names=["a.contoso.com"])


def status(identities: str = "", certificate: bytes | None = CLIENT.pem, attributes: str = "", **service: Any) -> int:
    listed = f"<identities>{identities}</identities>" if identities else ""
    policy = f"<validate-client-certificate {attributes}>{listed}</validate-client-certificate>"
    found = bench(policy, **{"ca_certificates": (CONTOSO.pem,), **service}).get(certificate=certificate)
    return found.status_code


@pytest.mark.parametrize(
    ("identity", "accepted"),
    [
        (f'thumbprint="{CLIENT.thumbprint}"', True),
        (f'thumbprint="{CLIENT.thumbprint.lower()}"', True),
        ('thumbprint="AB"', False),
        (f'serial-number="{CLIENT.certificate.serial_number:X}"', True),
        (f'serial-number="0{CLIENT.certificate.serial_number:x}"', True),
        ('serial-number="1"', False),
        ('common-name="*.contoso.com"', True),
        ('common-name="a.contoso.com"', False),
        ("subject='C=US, ST=Illinois, L=Chicago, O=\"Contoso, Inc.\", CN=*.contoso.com'", True),
        ("subject='CN=*.contoso.com, O=\"Contoso, Inc.\", L=Chicago, S=Illinois, C=US'", True),
        ("subject='CN=*.contoso.com'", False),
        ("subject='*.contoso.com'", False),
        ("subject=''", False),
        ("subject='CN=*.contoso.com, L=Chicago, O=\"Contoso, Inc.\", S=Illinois, C=US'", False),
        ('dns-name="A.contoso.com"', True),
        ('dns-name="b.contoso.com"', False),
        ('issuer-subject="CN=Contoso CA, O=Contoso"', True),
        ('issuer-subject="CN=Contoso CA"', False),
        (f'issuer-thumbprint="{CONTOSO.thumbprint}"', True),
        (f'issuer-thumbprint="{CLIENT.thumbprint}"', False),
        ('issuer-certificate-id="ca"', True),
        ('issuer-certificate-id="own"', False),
        ('common-name="*.contoso.com" dns-name="b.contoso.com"', False),
    ],
    ids=map(str, count(1)),  # each run makes certificates of its own
)
def test_identity_is_compared(identity: str, accepted: bool) -> None:
    store = (*STORE, Certificate(id="ca", data=CONTOSO.pem))

    assert status(f"<identity {identity}/>", certificates=store) == (200 if accepted else 401)


def test_one_of_several_identities_is_enough() -> None:
    assert status('<identity common-name="x"/><identity common-name="*.contoso.com"/>') == 200


def test_error_that_is_ignored_lets_the_call_go_on() -> None:
    assert status(certificate=None, attributes='ignore-error="true"') == 200


@pytest.mark.parametrize(
    ("attributes", "certificate", "accepted"),
    [
        ('validate-trust="false"', CertificateAuthority("CN=Other").issue("CN=client"), True),
        ('validate-not-after="false"', CONTOSO.issue("CN=client", days=10), True),
        ('validate-not-before="false"', CONTOSO.issue("CN=client", days=10), False),
    ],
)
def test_checks_can_be_turned_off_one_by_one(attributes: str, certificate: Any, accepted: bool) -> None:
    assert status(certificate=certificate.pem, attributes=attributes) == (200 if accepted else 401)


@pytest.mark.parametrize(
    ("inside", "reason"),
    [
        ("<identities/>", "needs 1 to 10 identity"),
        (f"<identities>{'<identity thumbprint=&quot;A&quot;/>' * 11}</identities>".replace("&quot;", '"'), "1 to 10"),
        ("<identities><identity/></identities>", "give at least one of thumbprint"),
        ('<identities><identity issuer-certificate-id="x"/></identities>', "certificate x does not exist"),
        (
            '<identities><identity issuer-certificate-id="own" issuer-subject="CN=a"/></identities>',
            "excludes the other attributes of the issuer",
        ),
        ('<identities><identity thumbprint="@(1)"/></identities>', "an expression is not allowed here"),
    ],
)
def test_mistake_in_identities_is_told(inside: str, reason: str) -> None:
    with pytest.raises(PolicyLoadError) as refused:
        bench(f"<validate-client-certificate>{inside}</validate-client-certificate>")

    assert reason in str(refused.value)


@pytest.mark.parametrize(
    ("policy", "certificate", "notes"),
    [
        ('<authentication-certificate certificate-id="own"/>', None, ("presents CN=gateway to backends with https",)),
        (
            "<validate-client-certificate/>",
            CLIENT.pem,
            (f"the caller presents {CLIENT.certificate.subject.rfc4514_string()}",),
        ),
        ('<validate-client-certificate ignore-error="true"/>', None, ("ignored: Client certificate is not present.",)),
    ],
)
def test_trace_says_what_was_done_with_a_certificate(policy: str, certificate: bytes, notes: tuple[str, ...]) -> None:
    response = bench(policy, ca_certificates=(CONTOSO.pem,)).get(certificate=certificate)

    assert response.trace is not None
    assert response.trace.spans[0].notes == notes
