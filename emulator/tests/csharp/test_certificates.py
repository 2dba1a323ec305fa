"""Certificates and RSA in expressions, beside what the package `cryptography` says of them."""

import base64
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat, load_pem_private_key, pkcs12

from apim_emulator.csharp import Type, compile_expression
from apim_emulator.csharp.runtime import certificates, der, meter
from apim_emulator.csharp.runtime.certificates import CertificateError, read_certificate
from apim_emulator.csharp.runtime.distinguished_names import written
from apim_emulator.csharp.runtime.exceptions import EvaluationError, StoppedError
from apim_emulator.testing.certificates import CertificateAuthority
from emulator.tests.csharp.calls import CALL, context
from emulator.tests.csharp.certificates import PASSWORD, issued, literals, pfx

OWNED, ALONE = literals()["with its private key"], literals()["alone"]


def value(text: str) -> Any:
    return compile_expression(text, Type.OBJECT)(context(CALL))


def test_thumbprint_and_serial_number_are_what_openssl_shows() -> None:
    certificate = issued().certificate

    assert value(f"@({ALONE}.Thumbprint)") == issued().thumbprint
    assert int(value(f"@({ALONE}.SerialNumber)"), 16) == certificate.serial_number


@pytest.mark.parametrize(
    ("number", "shown"), [(1, b"\x01"), (0x7F, b"\x7f"), (0x80, b"\x00\x80"), (0x1FF, b"\x01\xff")]
)
def test_serial_number_keeps_the_byte_that_makes_it_positive(number: int, shown: bytes) -> None:
    key = load_pem_private_key(issued().pem_with_key, None)
    made = issued().certificate
    builder = x509.CertificateBuilder(
        made.issuer, made.subject, made.public_key(), number, made.not_valid_before_utc, made.not_valid_after_utc
    )
    found = read_certificate(builder.sign(key, SHA256()).public_bytes(Encoding.DER))  # type: ignore[arg-type]

    assert found.serial == shown


@pytest.mark.parametrize(
    ("rfc4514", "windows"),
    [
        ("CN=client,O=Contoso", "CN=client, O=Contoso"),
        (r"CN=client,O=Contoso\, Inc.", 'CN=client, O="Contoso, Inc."'),
        (r"CN=the \"best\"", 'CN="the ""best"""'),
        ("CN=a#b", 'CN="a#b"'),
        (r"CN=\ a", 'CN=" a"'),
        ("CN=a,ST=Illinois,C=US", "CN=a, S=Illinois, C=US"),
        ("CN=a+OU=b,O=c", "CN=a + OU=b, O=c"),
        ("CN=Müller", "CN=Müller"),
    ],
)
def test_name_is_written_as_windows_writes_it(rfc4514: str, windows: str) -> None:
    assert written(x509.Name.from_rfc4514_string(rfc4514)) == windows


def test_name_with_an_attribute_that_windows_may_call_anything_stops_the_expression() -> None:
    with pytest.raises(StoppedError, match=r"0\.9\.2342\.19200300\.100\.1\.1"):
        written(x509.Name.from_rfc4514_string("UID=ada"))


def test_signature_with_pss_is_verified_by_another_implementation() -> None:
    signature = value(
        f"@({OWNED}.GetRSAPrivateKey().SignData(new byte[]{{1,2}}, HashAlgorithmName.SHA512, RSASignaturePadding.Pss))"
    )

    pss = padding.PSS(padding.MGF1(SHA512()), SHA512.digest_size)
    issued().certificate.public_key().verify(bytes(signature), b"\x01\x02", pss, SHA512())  # type: ignore[union-attr, call-arg, arg-type]


def test_signature_with_pss_of_another_implementation_is_verified() -> None:
    key: Any = load_pem_private_key(issued().pem_with_key, None)
    signature = key.sign(b"\x01", padding.PSS(padding.MGF1(SHA256()), SHA256.digest_size), SHA256())
    asked = f'VerifyData(new byte[]{{1}}, Convert.FromBase64String("{base64.b64encode(signature).decode()}")'

    assert value(f"@({ALONE}.GetRSAPublicKey().{asked}, HashAlgorithmName.SHA256, RSASignaturePadding.Pss))") is True
    assert value(f"@({ALONE}.GetRSAPublicKey().{asked}, HashAlgorithmName.SHA512, RSASignaturePadding.Pss))") is False


@pytest.mark.parametrize(
    "asked",
    [
        "Export(X509ContentType.Pfx)",
        'Export(X509ContentType.Pfx, "secret")',
        "GetRSAPrivateKey().ToXmlString(true)",
        "PublicKey.Key.ToXmlString(true)",
    ],
)
def test_private_key_is_never_given_out(asked: str) -> None:
    with pytest.raises(StoppedError, match="whether a private key may leave the gateway"):
        value(f"@({OWNED}.{asked})")


def test_key_of_a_certificate_is_a_cng_key_as_on_windows() -> None:
    assert value(f"@{{ RSACng rsa = {OWNED}.GetRSAPrivateKey() as RSACng; return rsa.KeySize; }}") == 2048


def test_private_key_as_xml_signs() -> None:
    key: Any = load_pem_private_key(issued().pem_with_key, None)
    numbers = key.private_numbers()
    parts = {
        "Modulus": numbers.public_numbers.n, "Exponent": numbers.public_numbers.e, "P": numbers.p, "Q": numbers.q,
        "DP": numbers.dmp1, "DQ": numbers.dmq1, "InverseQ": numbers.iqmp, "D": numbers.d,
    }  # fmt: skip
    inner = "".join(
        f"<{name}>{base64.b64encode(part.to_bytes((part.bit_length() + 7) // 8, 'big')).decode()}</{name}>"
        for name, part in parts.items()
    )
    signs = "rsa.SignData(new byte[]{7}, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)"

    signature = value(
        f'@{{ var rsa = RSA.Create(); rsa.FromXmlString("<RSAKeyValue>{inner}</RSAKeyValue>"); return {signs}; }}'
    )

    assert bytes(signature) == key.sign(b"\x07", padding.PKCS1v15(), SHA256())


@pytest.mark.parametrize("modulus", ["AAAA", "AQ==", base64.b64encode(b"\xff" * 2048).decode()])
def test_key_that_is_none_or_too_large_ends_the_expression(modulus: str) -> None:
    xml = f"<RSAKeyValue><Modulus>{modulus}</Modulus><Exponent>AQAB</Exponent></RSAKeyValue>"

    with pytest.raises(EvaluationError):
        value(f'@{{ var rsa = RSA.Create(); rsa.FromXmlString("{xml}"); return rsa.KeySize; }}')


def test_key_that_dotnet_would_make_anew_is_not_used() -> None:
    with pytest.raises(StoppedError, match="was not imported"):
        value("@(RSA.Create().KeySize)")


def test_signatures_count_as_the_work_that_they_are() -> None:
    signs = "rsa.SignData(new byte[]{1}, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)"

    value(f"@{{ var rsa = {OWNED}.GetRSAPrivateKey(); return {signs}; }}")
    once = meter._METER.steps
    value(f"@{{ var rsa = {OWNED}.GetRSAPrivateKey(); var a = {signs}; return {signs}; }}")

    assert meter._METER.steps - once >= 500


def test_file_that_would_take_long_to_open_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(300_000).build(b"pw")
    key: Any = load_pem_private_key(issued().pem_with_key, None)
    data = pkcs12.serialize_key_and_certificates(None, key, issued().certificate, None, slow)
    monkeypatch.setattr(certificates, "_read_pkcs12", lambda *_: pytest.fail("opened"))

    with pytest.raises(StoppedError, match="takes long to open"):
        value(f'@(new X509Certificate2(Convert.FromBase64String("{base64.b64encode(data).decode()}"), "pw").Subject)')


def test_rounds_of_a_file_count_together_and_a_large_one_is_not_searched() -> None:
    some = bytes.fromhex("0400 02030186a0")  # octets, and 100,000

    assert der.is_cheap_to_open(some * 2)
    assert not der.is_cheap_to_open(some * 3)
    assert der.is_cheap_to_open(some * 20_000)
    with pytest.raises(CertificateError, match="larger than"):
        read_certificate(some * 20_000)


@pytest.mark.parametrize("broken", ["version", "subject"])
def test_certificate_with_a_part_that_cannot_be_read_is_none(broken: str) -> None:
    data = issued().certificate.public_bytes(Encoding.DER)
    subject = issued().certificate.subject.public_bytes()
    wrong = {
        "version": data.replace(bytes.fromhex("a003020102"), bytes.fromhex("a003020109"), 1),
        "subject": data.replace(subject, subject[:-3] + b"\xff\xff\xff"),
    }[broken]

    with pytest.raises(CertificateError, match="no certificate"):
        read_certificate(wrong)


def test_private_key_and_password_are_in_no_text_of_the_certificate() -> None:
    found = read_certificate(pfx(), PASSWORD)

    assert found.private_key is not None
    assert "private_key" not in repr(found)


def test_private_key_of_another_certificate_is_refused() -> None:
    other = CertificateAuthority("CN=other")

    with pytest.raises(CertificateError, match="no certificate"):
        read_certificate(
            issued().pem + other.pem_with_key.partition(b"-----BEGIN PRIVATE")[2].join([b"-----BEGIN PRIVATE", b""])
        )


@pytest.mark.parametrize(
    "data", [b"", b"nothing", b"-----BEGIN CERTIFICATE-----\n", b"\x30\x80" * 20_000, b"\x30" * 70_000]
)
def test_what_is_no_certificate_is_refused_without_its_content(data: bytes) -> None:
    with pytest.raises(CertificateError) as refused:
        read_certificate(data)

    assert "nothing" not in str(refused.value)
