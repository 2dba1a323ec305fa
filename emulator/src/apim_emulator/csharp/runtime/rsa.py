"""`RSA` keys. The cryptography is that of the package `cryptography`."""

from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPrivateNumbers,
    RSAPublicKey,
    RSAPublicNumbers,
)
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from apim_emulator.csharp.runtime.exceptions import EvaluationError, unsure
from apim_emulator.csharp.runtime.meter import spend

_MOST_BITS = 8192
"""Largest key: what one more bit costs grows fast, and a caller may choose the key."""
_OPERATION = 500
"""Steps of a private operation with a key of 2,048 bits; they grow with the cube of its size."""
_CHECK = 20_000
"""Steps of the check that a private key of 2,048 bits is one."""

HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "MD5": hashes.MD5,
    "SHA1": hashes.SHA1,
    "SHA256": hashes.SHA256,
    "SHA384": hashes.SHA384,
    "SHA512": hashes.SHA512,
}
"""By `HashAlgorithmName.Name`."""


@dataclass(frozen=True, slots=True)
class HashName:
    """`HashAlgorithmName`."""

    name: str | None

    def algorithm(self) -> hashes.HashAlgorithm:
        """Make the algorithm; what .NET throws for others depends on where it runs."""
        if not self.name:
            raise EvaluationError("ArgumentException")
        found = HASHES.get(self.name)
        if found is None:
            raise unsure("a hash algorithm other than MD5, SHA1, SHA256, SHA384 and SHA512")
        return found()


@dataclass(frozen=True, slots=True)
class SignaturePadding:
    """`RSASignaturePadding`."""

    mode: str
    """`Pkcs1` or `Pss`."""

    def over(self, algorithm: hashes.HashAlgorithm) -> padding.AsymmetricPadding:
        """Make the padding; the salt of PSS is as long as the hash (`RSASignaturePadding.Pss`)."""
        if self.mode == "Pkcs1":
            return padding.PKCS1v15()
        return padding.PSS(padding.MGF1(algorithm), algorithm.digest_size)


@dataclass(frozen=True, slots=True)
class EncryptionPadding:
    """`RSAEncryptionPadding`."""

    oaep: str | None
    """Name of the hash of OAEP; None is PKCS #1 v1.5."""

    def made(self) -> padding.AsymmetricPadding:
        """Make the padding."""
        if self.oaep is None:
            return padding.PKCS1v15()
        return padding.OAEP(padding.MGF1(HASHES[self.oaep]()), HASHES[self.oaep](), None)


class Rsa:
    """`RSA`: a key, with its private part or without. `RSA.Create()` has none until one is imported."""

    __slots__ = ("_private", "_public", "disposed")

    def __init__(self, private: RSAPrivateKey | None = None, public: RSAPublicKey | None = None) -> None:
        """Take a key."""
        self.disposed = False
        self._private = private
        self._public = private.public_key() if private is not None else public

    @property
    def public(self) -> RSAPublicKey:
        """The public part."""
        if self.disposed:
            raise unsure("an RSA key after Dispose()")
        if self._public is None:
            raise unsure("an RSA key that was not imported: .NET makes a new one")
        return self._public

    @property
    def size(self) -> int:
        """`KeySize` in bits."""
        return self.public.key_size

    def _signer(self) -> RSAPrivateKey:
        _spend(self.public, _OPERATION)
        if self._private is None:
            raise EvaluationError("CryptographicException")
        return self._private

    def sign(self, data: bytes, name: HashName, pad: SignaturePadding | None, *, hashed: bool) -> bytes:
        """`SignData` and `SignHash`."""
        algorithm, found = _algorithms(name, pad, data, hashed=hashed)
        try:
            return self._signer().sign(data, found, Prehashed(algorithm) if hashed else algorithm)
        except ValueError:
            raise EvaluationError("CryptographicException") from None

    def verifies(
        self, data: bytes, signature: bytes, name: HashName, pad: SignaturePadding | None, *, hashed: bool
    ) -> bool:
        """`VerifyData` and `VerifyHash`."""
        algorithm, found = _algorithms(name, pad, data, hashed=hashed)
        _spend(self.public, _OPERATION // 16)
        try:
            self.public.verify(signature, data, found, Prehashed(algorithm) if hashed else algorithm)
        except InvalidSignature:
            return False
        return True

    def encrypt(self, data: bytes, pad: EncryptionPadding) -> bytes:
        """`Encrypt`; raises `CryptographicException` for more than fits."""
        _spend(self.public, _OPERATION // 16)
        try:
            return self.public.encrypt(data, pad.made())
        except ValueError:
            raise EvaluationError("CryptographicException") from None

    def decrypt(self, data: bytes, pad: EncryptionPadding) -> bytes:
        """`Decrypt`; what is broken gives an error, or random bytes with PKCS #1 v1.5, so that nobody learns of it."""
        try:
            return self._signer().decrypt(data, pad.made())
        except ValueError:
            raise EvaluationError("CryptographicException") from None

    def take(self, numbers: RSAPublicNumbers | RSAPrivateNumbers) -> None:
        """Import a key; raises `CryptographicException` for what is none."""
        public = numbers if isinstance(numbers, RSAPublicNumbers) else numbers.public_numbers
        if public.n.bit_length() > _MOST_BITS or public.e.bit_length() > 64:
            raise unsure(f"an RSA key of more than {_MOST_BITS} bits")
        try:
            if isinstance(numbers, RSAPrivateNumbers):
                spend(_steps(public.n.bit_length(), _CHECK))
                self._private = numbers.private_key()
            else:
                self._private = None
            self._public = public.public_key()
        except ValueError:
            raise EvaluationError("CryptographicException") from None


class CngRsa(Rsa):
    """`RSACng`, which a certificate's keys are on Windows (`RSACertificateExtensions`)."""

    __slots__ = ()


def _algorithms(
    name: HashName, pad: SignaturePadding | None, data: bytes, *, hashed: bool
) -> tuple[hashes.HashAlgorithm, padding.AsymmetricPadding]:
    algorithm = name.algorithm()
    if pad is None:
        raise EvaluationError("ArgumentNullException")
    if hashed and len(data) != algorithm.digest_size:
        raise EvaluationError("CryptographicException")
    spend(len(data) // 256)
    return algorithm, pad.over(algorithm)


def _spend(key: RSAPublicKey, steps: int) -> None:
    if key.key_size > _MOST_BITS:
        raise unsure(f"an RSA key of more than {_MOST_BITS} bits")
    spend(_steps(key.key_size, steps))


def _steps(bits: int, steps: int) -> int:
    return max(1, steps * bits**3 // 2048**3)
