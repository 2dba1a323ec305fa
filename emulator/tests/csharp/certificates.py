"""A certificate and its private key as C# text, and what is asked of them."""

import base64
from functools import cache

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat, load_pem_private_key, pkcs12

from apim_emulator.testing.certificates import CertificateAuthority, IssuedCertificate

PASSWORD = "pw"
QUOTED, ANOTHER = f'"{PASSWORD}"', '"another"'


@cache
def issued() -> IssuedCertificate:
    """Issue the certificate, whose name has quotes and a plus, once a run."""
    name = r"CN=client,E=a@b.c,DC=corp,OU=a\+b,O=Contoso\, Inc.,L=Chicago,ST=Illinois,C=US"
    return CertificateAuthority("CN=Issuing CA, O=Contoso").issue(
        name.replace("E=", "1.2.840.113549.1.9.1="), dns_names=["client.test", "*.client.test"]
    )


@cache
def pfx() -> bytes:
    """Make its file in PKCS #12, as Windows exports it."""
    algorithms = (
        PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(2000)
        .key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC)
        .hmac_hash(SHA1())  # noqa: S303 - what Windows writes
        .build(PASSWORD.encode())
    )
    key = load_pem_private_key(issued().pem_with_key, None)
    return pkcs12.serialize_key_and_certificates(None, key, issued().certificate, None, algorithms)  # type: ignore[arg-type]


def literals() -> dict[str, str]:
    """Write the certificate in C#: with its private key, and alone."""
    whole = base64.b64encode(pfx()).decode()
    alone = base64.b64encode(issued().certificate.public_bytes(Encoding.DER)).decode()
    return {
        "with its private key": f'new X509Certificate2(Convert.FromBase64String("{whole}"), "{PASSWORD}")',
        "alone": f'new X509Certificate2(Convert.FromBase64String("{alone}"))',
    }


_DATA = "new byte[]{1, 2, 3}"
_SHA256 = "HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1"
# fmt: off
MEMBERS = [
    "Subject", "Issuer", "SubjectName.Name", "IssuerName.Name", "NotBefore", "NotAfter", "NotAfter > DateTime.Now",
    "SerialNumber", "Thumbprint", "Version", "HasPrivateKey", "FriendlyName", "RawData", "SignatureAlgorithm.Value",
    "SignatureAlgorithm.FriendlyName", "PublicKey.Oid.Value", "PublicKey.Oid.FriendlyName", "PublicKey.Key.KeySize",
    "ToString()", "Export(X509ContentType.Cert)", "GetCertHash()", "GetCertHashString()", "GetFormat()",
    "GetKeyAlgorithm()", "GetPublicKey()", "GetPublicKeyString()", "GetRawCertData()", "GetRawCertDataString()",
    "GetSerialNumber()", "GetSerialNumberString()",
    *(f"GetNameInfo(X509NameType.{kind}, false)" for kind in ("SimpleName", "DnsName", "DnsFromAlternativeName")),
    "GetNameInfo(X509NameType.SimpleName, true)",
    "GetRSAPrivateKey() == null", "GetRSAPublicKey().KeySize", "GetRSAPublicKey().ToXmlString(false)",
    *(f"GetRSAPrivateKey().SignData({_DATA}, HashAlgorithmName.{name}, RSASignaturePadding.Pkcs1)"
      for name in ("MD5", "SHA1", "SHA256", "SHA384", "SHA512")),
    *(f"GetRSAPrivateKey().SignData({_DATA}, {part}, {_SHA256})"
      for part in ("1, 2", "3, 0", "2, 2", "-1, 2", "0, -1", "2147483647, 2147483647")),
    "GetRSAPrivateKey().SignHash(new byte[20], HashAlgorithmName.SHA1, RSASignaturePadding.Pkcs1)",
    "GetRSAPrivateKey().SignHash(new byte[3], HashAlgorithmName.SHA1, RSASignaturePadding.Pkcs1)",
    f"GetRSAPrivateKey().SignData((byte[])null, {_SHA256})",
    f'GetRSAPrivateKey().SignData({_DATA}, new HashAlgorithmName(""), RSASignaturePadding.Pkcs1)',
    f"GetRSAPrivateKey().SignData({_DATA}, new HashAlgorithmName(null), RSASignaturePadding.Pkcs1)",
    f"GetRSAPrivateKey().SignData({_DATA}, HashAlgorithmName.SHA256, null)",
    f"GetRSAPublicKey().SignData({_DATA}, {_SHA256})",
    f"GetRSAPublicKey().VerifyData({_DATA}, {_DATA}, {_SHA256})",
    f"GetRSAPublicKey().VerifyData({_DATA}, null, {_SHA256})",
    f"GetRSAPublicKey().VerifyData({_DATA}, GetRSA, {_SHA256})".replace("GetRSA", "new byte[256]"),
    "GetRSAPrivateKey().Decrypt(new byte[]{1}, RSAEncryptionPadding.OaepSHA1)",
    "GetRSAPrivateKey().Decrypt(new byte[]{1}, null)",
    "GetRSAPublicKey().Encrypt(new byte[300], RSAEncryptionPadding.OaepSHA1)",
    "GetRSAPublicKey().Encrypt(new byte[300], RSAEncryptionPadding.Pkcs1)",
    "GetRSAPublicKey().Encrypt(null, RSAEncryptionPadding.Pkcs1)",
]
"""Members of a certificate, and of its keys."""


def expressions() -> list[str]:
    """List expressions over the certificate."""
    owned = literals()["with its private key"]
    keys = f"var c = {owned}; var rsa = c.GetRSAPrivateKey(); var shown = c.GetRSAPublicKey();"
    return [
        *(f"@({literal}.{one})" for literal in literals().values() for one in MEMBERS),
        f"@{{ {keys} var s = rsa.SignData({_DATA}, {_SHA256}); "
        f"return shown.VerifyData({_DATA}, s, {_SHA256}) + \"\" + shown.VerifyData(new byte[]{{2}}, s, {_SHA256}); }}",
        f"@{{ {keys} return rsa.Decrypt(shown.Encrypt({_DATA}, RSAEncryptionPadding.OaepSHA1), "
        "RSAEncryptionPadding.OaepSHA1); }",
        f"@{{ {keys} return rsa.Decrypt(shown.Encrypt({_DATA}, RSAEncryptionPadding.Pkcs1), "
        "RSAEncryptionPadding.Pkcs1); }",
        f"@{{ {keys} var r = RSA.Create(); r.FromXmlString(shown.ToXmlString(false)); return r.KeySize; }}",
        f"@{{ using (RSA rsa = {owned}.GetRSAPrivateKey()) {{ return rsa.SignData({_DATA}, {_SHA256}); }} "
        "return null; }",
        f"@{{ X509Certificate2 c = {owned}; X509Certificate b = c; return b.Subject + b.Issuer; }}",
        f"@{{ object o = {owned}; return o is X509Certificate2; }}",
        f"@((object){owned})",
        f'@({owned}.Thumbprint == "x")',
        "@(((X509Certificate2)null).GetRSAPrivateKey())",
        "@(new X509Certificate2(new byte[]{1, 2}))",
        '@(new X509Certificate2((byte[])null, ""))',
        '@(new X509Certificate2(new byte[0], ""))',
        f"@({owned.replace(QUOTED, ANOTHER)}.Subject)",
        "@{ var r = RSA.Create(); r.FromXmlString(null); return r.KeySize; }",
        "@(HashAlgorithmName.SHA256.Name + RSASignaturePadding.Pkcs1.ToString() + HashAlgorithmName.MD5.ToString())",
        "@(X509NameType.DnsName)",
        "@(X509ContentType.Pfx)",
    ]
