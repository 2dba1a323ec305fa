"""Certificates: `X509Certificate2`, `X500DistinguishedName`, `PublicKey` and `Oid`.

A private key signs and decrypts, and is never given out: whether the service would let it go is not sure.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from apim_emulator.csharp.library.encoding import byte_array
from apim_emulator.csharp.library.rsa import data_of
from apim_emulator.csharp.library.table import define, define_extensions
from apim_emulator.csharp.runtime import distinguished_names
from apim_emulator.csharp.runtime.certificates import Certificate, CertificateError, judge, read_certificate
from apim_emulator.csharp.runtime.dates import DateTime, from_unix
from apim_emulator.csharp.runtime.der import is_cheap_to_open
from apim_emulator.csharp.runtime.exceptions import EvaluationError, needed, unsure
from apim_emulator.csharp.runtime.json_text import NEW_LINE
from apim_emulator.csharp.runtime.meter import bounded, spend
from apim_emulator.csharp.runtime.rsa import CngRsa, HashName
from apim_emulator.csharp.runtime.values import Array, DateTimeKind, X509ContentType, X509NameType, describe
from apim_emulator.csharp.types import Type

_READING, _CHECKING = 500, 20_000
"""Steps of reading a certificate, and of reading one with its private key, which is checked."""
_ALGORITHMS = {
    "1.2.840.113549.1.1.1": "RSA",
    "1.2.840.113549.1.1.5": "sha1RSA",
    "1.2.840.113549.1.1.11": "sha256RSA",
    "1.2.840.113549.1.1.12": "sha384RSA",
    "1.2.840.113549.1.1.13": "sha512RSA",
    "1.2.840.10045.2.1": "ECC",
    "1.2.840.10045.4.3.2": "sha256ECDSA",
    "1.2.840.10045.4.3.3": "sha384ECDSA",
    "1.2.840.10045.4.3.4": "sha512ECDSA",
}
"""What Windows calls the algorithms of certificates (`Oid.FriendlyName`)."""

describe(Certificate, Type("X509Certificate2"))
describe(x509.Name, Type("X500DistinguishedName"))
describe(x509.ObjectIdentifier, Type("Oid"))


def _new(array: Array | None) -> Certificate:
    """Make `new X509Certificate2(data)`, which takes nothing for a certificate that is not there yet."""
    if not array:
        raise unsure("a certificate without data")
    return _with_password(array, None)


def _with_password(array: Array | None, password: str | None) -> Certificate:
    """Make `new X509Certificate2(data, password)`."""
    if not array:
        raise EvaluationError("ArgumentException")
    data = data_of(array)
    if not is_cheap_to_open(data):
        raise unsure("a file of PKCS #12 that takes long to open")
    spend(_READING)
    try:
        found = read_certificate(data, password)
    except CertificateError:
        raise EvaluationError("CryptographicException") from None
    if found.private_key is not None:
        spend(_CHECKING)
    if found.private_key is not None and b"-----BEGIN " in data:
        raise unsure("a private key in PEM: .NET reads the certificate alone")
    return found


def _date(name: str) -> Callable[[Certificate], DateTime]:
    def call(certificate: Certificate) -> DateTime:
        """Give the moment in local time, which is UTC in the service."""
        found: datetime = getattr(certificate.x509, name)
        return DateTime(from_unix(found.replace(tzinfo=UTC).timestamp()), DateTimeKind.Local)

    return call


_NOT_BEFORE, _NOT_AFTER = _date("not_valid_before_utc"), _date("not_valid_after_utc")


def _text(certificate: Certificate) -> str:
    """Write it as `ToString()` does, in lines."""
    found = certificate.x509
    parts = {
        "Subject": _named(found.subject),
        "Issuer": _named(found.issuer),
        "Serial Number": _hex(certificate.serial),
        "Not Before": str(_NOT_BEFORE(certificate)),
        "Not After": str(_NOT_AFTER(certificate)),
        "Thumbprint": certificate.thumbprint,
    }
    text = f"{NEW_LINE}{NEW_LINE}".join(f"[{name}]{NEW_LINE}  {value}" for name, value in parts.items())
    return bounded(text + NEW_LINE)


def _named(name: x509.Name) -> str:
    return bounded(distinguished_names.written(name))


def _verify(certificate: Certificate | None) -> bool:
    """`Verify()` and `VerifyNoRevocation()`: nobody is asked what was revoked (approximate)."""
    found, asked = _needed(certificate), judge.get()
    if asked is None:
        raise unsure("which certificates the gateway trusts")
    spend(_CHECKING)
    return asked.accepts(found)


def _needed(certificate: Certificate | None) -> Certificate:
    found = needed(certificate)
    spend(_READING)
    return found


def _private(certificate: Certificate | None) -> CngRsa | None:
    return _needed(certificate).private_rsa()


def _public(certificate: Certificate | None) -> CngRsa | None:
    return _needed(certificate).public_rsa()


def _hash(certificate: Certificate, name: HashName | None = None) -> Array:
    if name is None:
        return byte_array(bytes.fromhex(certificate.thumbprint))
    return byte_array(certificate.x509.fingerprint(name.algorithm()))


def _hex(data: bytes) -> str:
    return data.hex().upper()


def _key_bits(certificate: Certificate) -> bytes:
    """Give the bits of the public key without its algorithm, as `PublicKey.EncodedKeyValue` has them."""
    key = certificate.x509.public_key()
    if certificate.public_rsa() is not None:
        return key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    try:
        return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    except ValueError:
        raise unsure("a public key that is neither RSA nor of an elliptic curve") from None


def _name_info(certificate: Certificate, kind: X509NameType, for_issuer: bool) -> str:
    name = certificate.x509.issuer if for_issuer else certificate.x509.subject
    common = distinguished_names.common_name(name)
    if kind in (X509NameType.DnsName, X509NameType.DnsFromAlternativeName):
        if for_issuer:
            raise unsure("the DNS name of an issuer")
        names = certificate.dns_names
        if names or kind is X509NameType.DnsFromAlternativeName:
            return names[0] if names else ""
    elif kind is not X509NameType.SimpleName:
        raise unsure("a name other than the simple one and that of DNS")
    if common is None:
        raise unsure("the simple name of a certificate without CN")
    return common


def _export(certificate: Certificate, kind: X509ContentType, password: str | None = None) -> Array:
    if kind is not X509ContentType.Cert:
        raise unsure("whether a private key may leave the gateway")
    return byte_array(certificate.data)


def _algorithm_name(oid: x509.ObjectIdentifier) -> str:
    found = _ALGORITHMS.get(oid.dotted_string)
    if found is None:
        raise unsure("the name of an algorithm")
    return found


_BASE = "X509Certificate"
define(
    _BASE,
    properties_={
        "Issuer: string": lambda certificate: _named(certificate.x509.issuer),
        "Subject: string": lambda certificate: _named(certificate.x509.subject),
    },
    methods={
        "Dispose(): void": lambda _: None,
        "Export(X509ContentType): byte[]": _export,
        "Export(X509ContentType, string): byte[]": _export,
        "GetCertHash(): byte[]": _hash,
        "GetCertHash(HashAlgorithmName): byte[]": _hash,
        "GetCertHashString(): string": lambda certificate: certificate.thumbprint,
        "GetCertHashString(HashAlgorithmName): string": lambda certificate, name: _hex(bytes(_hash(certificate, name))),
        "GetFormat(): string": lambda _: "X509",
        "GetKeyAlgorithm(): string": lambda certificate: certificate.x509.public_key_algorithm_oid.dotted_string,
        "GetPublicKey(): byte[]": lambda certificate: byte_array(_key_bits(certificate)),
        "GetPublicKeyString(): string": lambda certificate: bounded(_hex(_key_bits(certificate))),
        "GetRawCertData(): byte[]": lambda certificate: byte_array(certificate.data),
        "GetRawCertDataString(): string": lambda certificate: bounded(_hex(certificate.data)),
        "GetSerialNumber(): byte[]": lambda certificate: byte_array(certificate.serial[::-1]),
        "GetSerialNumberString(): string": lambda certificate: _hex(certificate.serial),
    },
)
define(
    "X509Certificate2",
    properties_={
        "FriendlyName: string": lambda certificate: certificate.friendly_name,
        "HasPrivateKey: bool": lambda certificate: certificate.private_key is not None,
        "IssuerName: X500DistinguishedName": lambda certificate: certificate.x509.issuer,
        "NotAfter: DateTime": _NOT_AFTER,
        "NotBefore: DateTime": _NOT_BEFORE,
        "PublicKey: PublicKey": lambda certificate: certificate,
        "RawData: byte[]": lambda certificate: byte_array(certificate.data),
        "SerialNumber: string": lambda certificate: _hex(certificate.serial),
        "SignatureAlgorithm: Oid": lambda certificate: certificate.x509.signature_algorithm_oid,
        "SubjectName: X500DistinguishedName": lambda certificate: certificate.x509.subject,
        "Thumbprint: string": lambda certificate: certificate.thumbprint,
        "Version: int": lambda certificate: certificate.x509.version.value + 1,
    },
    methods={
        "GetNameInfo(X509NameType, bool): string": _name_info,
        "ToString(): string": _text,
        "Verify(): bool": _verify,
    },
    constructors={"new(byte[]): X509Certificate2": _new, "new(byte[], string): X509Certificate2": _with_password},
)
define_extensions(
    {
        "GetRSAPrivateKey(this X509Certificate2): RSA": _private,
        "GetRSAPublicKey(this X509Certificate2): RSA": _public,
        "VerifyNoRevocation(this X509Certificate2): bool": _verify,
    }
)
define("X500DistinguishedName", properties_={"Name: string": _named})
define(
    "PublicKey",
    properties_={
        "Key: AsymmetricAlgorithm": _public,
        "Oid: Oid": lambda certificate: certificate.x509.public_key_algorithm_oid,
    },
)
define(
    "Oid",
    properties_={"FriendlyName: string": _algorithm_name, "Value: string": lambda oid: oid.dotted_string},
)
