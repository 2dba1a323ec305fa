"""RSA: `RSA` and what it is told, `HashAlgorithmName`, `RSASignaturePadding` and `RSAEncryptionPadding`."""

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateNumbers, RSAPublicNumbers

from apim_emulator.csharp.library.encoding import byte_array
from apim_emulator.csharp.library.table import CONSTANTS, define
from apim_emulator.csharp.runtime.exceptions import EvaluationError, unsure
from apim_emulator.csharp.runtime.meter import bounded, passed, spend
from apim_emulator.csharp.runtime.rsa import HASHES, CngRsa, EncryptionPadding, HashName, Rsa, SignaturePadding
from apim_emulator.csharp.runtime.values import Array, describe
from apim_emulator.csharp.types import Type

describe(CngRsa, Type("RSACng"))
describe(HashName, Type("HashAlgorithmName"))
describe(SignaturePadding, Type("RSASignaturePadding"))
describe(EncryptionPadding, Type("RSAEncryptionPadding"))

for _name in HASHES:
    CONSTANTS[f"HashAlgorithmName.{_name}"] = (Type("HashAlgorithmName"), HashName(_name))
for _mode in ("Pkcs1", "Pss"):
    CONSTANTS[f"RSASignaturePadding.{_mode}"] = (Type("RSASignaturePadding"), SignaturePadding(_mode))
CONSTANTS["RSAEncryptionPadding.Pkcs1"] = (Type("RSAEncryptionPadding"), EncryptionPadding(None))
for _name in ("SHA1", "SHA256", "SHA384", "SHA512"):
    CONSTANTS[f"RSAEncryptionPadding.Oaep{_name}"] = (Type("RSAEncryptionPadding"), EncryptionPadding(_name))


def data_of(array: Array | None) -> bytes:
    """Take the bytes of an array that must not be null."""
    if array is None:
        raise EvaluationError("ArgumentNullException")
    passed(len(array))
    return bytes(array)


def _signs(*, hashed: bool) -> Callable[..., Array]:
    def call(rsa: Rsa, array: Array | None, name: HashName, pad: SignaturePadding | None) -> Array:
        return byte_array(rsa.sign(data_of(array), name, pad, hashed=hashed))

    return call


def _verifies(*, hashed: bool) -> Callable[..., bool]:
    def call(
        rsa: Rsa, array: Array | None, signature: Array | None, name: HashName, pad: SignaturePadding | None
    ) -> bool:
        return rsa.verifies(data_of(array), data_of(signature), name, pad, hashed=hashed)

    return call


def _sign_part(rsa: Rsa, array: Array | None, *rest: Any) -> Array:
    data = data_of(array)
    start, count, name, pad = rest
    if not 0 <= start <= len(data) or not 0 <= count <= len(data) - start:
        raise EvaluationError("ArgumentOutOfRangeException")
    return byte_array(rsa.sign(data[start : start + count], name, pad, hashed=False))


def _padding(pad: EncryptionPadding | None) -> EncryptionPadding:
    if pad is None:
        raise EvaluationError("ArgumentNullException")
    return pad


def _encrypt(rsa: Rsa, array: Array | None, pad: EncryptionPadding | None) -> Array:
    return byte_array(rsa.encrypt(data_of(array), _padding(pad)))


def _decrypt(rsa: Rsa, array: Array | None, pad: EncryptionPadding | None) -> Array:
    return byte_array(rsa.decrypt(data_of(array), _padding(pad)))


# A key as XML (RSA.ToXmlString)

_ELEMENT = re.compile(r"<(?P<name>[A-Za-z]{1,13})>(?P<value>[A-Za-z0-9+/= \t\r\n]*)</(?P=name)>")
_PUBLIC, _PRIVATE = {"Modulus", "Exponent"}, {"P", "Q", "DP", "DQ", "InverseQ", "D"}
_MOST_XML = 16_384


def _number(text: str) -> int:
    try:
        return int.from_bytes(base64.b64decode("".join(text.split()), validate=True), "big")
    except binascii.Error:
        raise EvaluationError("FormatException") from None


def _from_xml(rsa: Rsa, text: str | None) -> None:
    """`FromXmlString`: a key as `ToXmlString` writes it; anything else is not surely read as .NET reads it."""
    if text is None:
        raise EvaluationError("ArgumentNullException")
    spend(len(text) // 16)
    inner = re.fullmatch(r"\s*<RSAKeyValue>(.*)</RSAKeyValue>\s*", text, re.DOTALL) if len(text) <= _MOST_XML else None
    found = {} if inner is None else {one["name"]: _number(one["value"]) for one in _ELEMENT.finditer(inner[1])}
    if inner is None or _ELEMENT.sub("", inner[1]).strip() or set(found) not in (_PUBLIC, _PUBLIC | _PRIVATE):
        raise unsure("XML other than an RSA key as ToXmlString writes it")
    public = RSAPublicNumbers(found["Exponent"], found["Modulus"])
    if set(found) == _PUBLIC:
        rsa.take(public)
        return
    rsa.take(
        RSAPrivateNumbers(
            found["P"], found["Q"], found["D"], found["DP"], found["DQ"], found["InverseQ"], public_numbers=public
        )
    )


def _to_xml(rsa: Rsa, private: bool) -> str:
    if private:
        raise unsure("whether a private key may leave the gateway")
    numbers = rsa.public.public_numbers()
    return bounded(
        f"<RSAKeyValue><Modulus>{_base64(numbers.n)}</Modulus><Exponent>{_base64(numbers.e)}</Exponent></RSAKeyValue>"
    )


def _base64(number: int) -> str:
    return base64.b64encode(number.to_bytes((number.bit_length() + 7) // 8, "big")).decode()


def _dispose(rsa: Rsa) -> None:
    rsa.disposed = True


define(
    "AsymmetricAlgorithm",
    properties_={"KeySize: int": lambda rsa: rsa.size},
    methods={
        "Dispose(): void": _dispose,
        "FromXmlString(string): void": _from_xml,
        "ToXmlString(bool): string": _to_xml,
    },
)
define(
    "RSA",
    methods={
        "Decrypt(byte[], RSAEncryptionPadding): byte[]": _decrypt,
        "Encrypt(byte[], RSAEncryptionPadding): byte[]": _encrypt,
        "SignData(byte[], HashAlgorithmName, RSASignaturePadding): byte[]": _signs(hashed=False),
        "SignData(byte[], int, int, HashAlgorithmName, RSASignaturePadding): byte[]": _sign_part,
        "SignHash(byte[], HashAlgorithmName, RSASignaturePadding): byte[]": _signs(hashed=True),
        "VerifyData(byte[], byte[], HashAlgorithmName, RSASignaturePadding): bool": _verifies(hashed=False),
        "VerifyHash(byte[], byte[], HashAlgorithmName, RSASignaturePadding): bool": _verifies(hashed=True),
    },
    statics={"Create(): RSA": Rsa},
)
define(
    "HashAlgorithmName",
    properties_={"Name: string": lambda name: name.name},
    methods={"ToString(): string": lambda name: name.name or ""},
    constructors={"new(string): HashAlgorithmName": HashName},
)
define("RSASignaturePadding", methods={"ToString(): string": lambda pad: pad.mode})
