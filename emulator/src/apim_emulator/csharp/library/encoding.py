"""Bytes and text: `Encoding`, `Convert`'s Base64, `BitConverter`, `WebUtility`, `Uri`, hashes and APIM's ciphers."""

import base64
import binascii
import hashlib
import hmac
import os
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from apim_emulator.csharp.library.table import CHECKS, CONSTANTS, define, define_extensions
from apim_emulator.csharp.runtime import strings
from apim_emulator.csharp.runtime.exceptions import EvaluationError, needed, unsure
from apim_emulator.csharp.runtime.meter import MAX_LENGTH, bounded, made, passed, replaced, spend
from apim_emulator.csharp.runtime.values import Array
from apim_emulator.csharp.types import Type


def byte_array(data: bytes) -> Array:
    """Make a `byte[]`."""
    if len(data) > MAX_LENGTH:
        made(len(data))
    spend(len(data) // 64)
    return Array(Type.BYTE, data)


def _data(array: Array | None) -> bytes:
    if array is None:
        raise EvaluationError("ArgumentNullException")
    passed(len(array))
    return bytes(array)


def _needed(text: str | None) -> str:
    """Return a text that is not null, whose every character is about to be looked at."""
    found = needed(text)
    spend(len(found) // 16)
    if not found.isascii():
        strings.encoded(found)
    return found


# Encoding

_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")


def decoded(data: bytes) -> str:
    """`Encoding.UTF8.GetString`; versions of .NET replace broken bytes differently."""
    if len(data) > 4 * MAX_LENGTH:
        made(len(data))
    passed(len(data))
    try:
        return bounded(data.decode())
    except UnicodeDecodeError:
        raise unsure("text that is not UTF-8") from None


def _get_bytes(encoding: str, text: str | None) -> Array:
    if encoding == "latin-1" and max(_needed(text), default="") > "\xff":
        raise unsure("what Latin-1 does not have")
    if encoding == "ascii":
        return byte_array(
            _BEYOND_ASCII.sub(lambda found: "?" * strings.length(found[0]), _needed(text)).encode("ascii")
        )
    return byte_array(_needed(text).encode(encoding))


def _get_string(encoding: str, array: Array | None) -> str:
    data = _data(array)
    return decoded(data) if encoding == "utf-8" else bounded(data.decode(encoding, "replace").replace("\ufffd", "?"))


_ENCODINGS = {"utf-8": "utf-8", "us-ascii": "ascii", "ascii": "ascii", "iso-8859-1": "latin-1", "latin1": "latin-1"}


def _encoding(name: str | None) -> str:
    found = _ENCODINGS.get(_needed(name).lower())
    if found is None:
        raise unsure("an encoding other than UTF-8, ASCII and Latin-1")
    return found


def _get_part(encoding: str, array: Array | None, start: int, count: int) -> str:
    if array is None:
        raise EvaluationError("ArgumentNullException")
    if start < 0 or count < 0 or start + count > len(array):
        raise EvaluationError("ArgumentOutOfRangeException")
    return _get_string(encoding, Array(Type.BYTE, array[start : start + count]))


define(
    "Encoding",
    methods={
        "GetByteCount(string): int": lambda encoding, text: len(_get_bytes(encoding, text)),
        "GetBytes(string): byte[]": _get_bytes,
        "GetString(byte[]): string": _get_string,
        "GetString(byte[], int, int): string": _get_part,
    },
)
define("Encoding", statics={"GetEncoding(string encoding): Encoding": _encoding})
CHECKS["encoding"] = _encoding
CONSTANTS["Encoding.UTF8"] = (Type("Encoding"), "utf-8")
CONSTANTS["Encoding.ASCII"] = (Type("Encoding"), "ascii")

# Base64, hexadecimal


def _from_base64(text: str | None) -> Array:
    body = re.sub(r"[ \t\r\n]", "", _needed(text))
    if len(body) % 4 or not re.fullmatch(r"[A-Za-z0-9+/]*={0,2}", body):
        raise EvaluationError("FormatException")
    try:
        return byte_array(base64.b64decode(body, validate=True))
    except binascii.Error:
        raise EvaluationError("FormatException") from None


define(
    "Convert",
    statics={
        "FromBase64String(string): byte[]": _from_base64,
        "ToBase64String(byte[]): string": lambda array: bounded(base64.b64encode(_data(array)).decode()),
    },
)


def _number(size: int) -> Callable[[Array | None, int], int]:
    def call(array: Array | None, start: int) -> int:
        if array is None:
            raise EvaluationError("ArgumentNullException")
        if not 0 <= start < len(array):
            raise EvaluationError("ArgumentOutOfRangeException")
        if start + size > len(array):
            raise EvaluationError("ArgumentException")
        return int.from_bytes(bytes(array[start : start + size]), "little", signed=True)

    return call


_LAYOUTS = {
    "bool": "?", "short": "h", "ushort": "H", "int": "i", "uint": "I", "long": "q", "ulong": "Q", "double": "d",
}  # fmt: skip
"""How a value lies in memory, as `struct` names it."""


def _bytes_of(code: str) -> Callable[[Any], Array]:
    return lambda value: byte_array(struct.pack(f"<{code}", value))


define(
    "BitConverter",
    statics={
        **{f"GetBytes({name}): byte[]": _bytes_of(code) for name, code in _LAYOUTS.items()},
        "GetBytes(char): byte[]": lambda value: byte_array(struct.pack("<H", ord(value))),
        "ToInt16(byte[], int): short": _number(2),
        "ToInt32(byte[], int): int": _number(4),
        "ToInt64(byte[], int): long": _number(8),
        "ToString(byte[]): string": lambda array: bounded(_data(array).hex("-").upper()),
    },
)
CONSTANTS["BitConverter.IsLittleEndian"] = (Type.BOOL, True)

# WebUtility and Uri


def _url_encode(text: str | None) -> str | None:
    return (
        None if text is None else bounded(quote(_needed(text), safe="-_.!*() ").replace("~", "%7E").replace(" ", "+"))
    )


def _url_decode(text: str | None) -> str | None:
    if text is None:
        return None
    spend(len(text) // 16)
    if not re.fullmatch(r"(?:[^%]|%[0-9A-Fa-f]{2})*", text, re.DOTALL):
        # Broken escapes stay as they are.
        return re.sub(r"(?:%[0-9A-Fa-f]{2})+", lambda found: _unescaped(found[0]), text.replace("+", " "))
    return _unescaped(text.replace("+", " "))


def _unescaped(text: str) -> str:
    return decoded(
        replaced(_ESCAPED, lambda found: bytes.fromhex(found[0].replace(b"%", b"").decode()), strings.encoded(text))
    )


_ESCAPED = re.compile(rb"(?:%[0-9A-Fa-f]{2})+")


_HTML = re.compile("[&<>\"'\xa0-\xff]")
_HTML_NAMES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}


_ENTITIES = {html: text for text, html in _HTML_NAMES.items()} | {"&apos;": "'", "&nbsp;": "\xa0"}
_ENTITY = re.compile("|".join(_ENTITIES))


def _html_encode(text: str | None) -> str | None:
    if text is None:
        return None
    spend(len(text) // 8)
    if not text.isascii() and max(text) > "\xff":
        raise unsure("HTML encoding beyond Latin-1")
    return bounded(replaced(_HTML, lambda found: _HTML_NAMES.get(found[0]) or f"&#{ord(found[0])};", text))


def _html_decode(text: str | None) -> str | None:
    if text is None:
        return None
    spend(len(text) // 8)
    if text.count("&") != len(_ENTITY.findall(text)):
        raise unsure("HTML entities other than the simplest")
    return bounded(replaced(_ENTITY, lambda found: _ENTITIES[found[0]], text))


define(
    "WebUtility",
    statics={
        "HtmlDecode(string): string": _html_decode,
        "HtmlEncode(string): string": _html_encode,
        "UrlDecode(string): string": _url_decode,
        "UrlEncode(string): string": _url_encode,
    },
)


@dataclass(frozen=True, slots=True)
class Uri:
    """`System.Uri`: an absolute http or https URI without anything that .NET would change."""

    scheme: str
    host: str
    port: int
    path: str
    query: str

    @property
    def text(self) -> str:
        """`AbsoluteUri`."""
        default = {"http": 80, "https": 443}[self.scheme]
        port = "" if self.port == default else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}{self.path}{self.query}"


_KEPT = "%(?:2[0-9A-CF]|3[A-F]|40)"
"""Escapes of ASCII that `System.Uri` keeps as they are: those of reserved characters and of the space."""
_URI = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*)(?::(?P<port>[0-9]{1,5}))?"
    rf"(?P<path>/(?:[A-Za-z0-9._~!$&()*+,;=:@/-]|{_KEPT})*)?(?P<query>\?(?:[A-Za-z0-9._~!$&()*+,;=:@/?-]|{_KEPT})*)?",
    re.ASCII,
)


def uri(text: str | None) -> Uri:
    """Make `new Uri(text)`."""
    found = _URI.fullmatch(_needed(text))
    if found is None:
        if re.fullmatch(r"[A-Za-z0-9 ._-]*", _needed(text)):
            raise EvaluationError("UriFormatException")
        raise unsure("a URI other than a plain http or https one")
    path, port = found["path"] or "/", int(found["port"] or {"http": 80, "https": 443}[found["scheme"]])
    if port > 65_535:
        raise EvaluationError("UriFormatException")
    numeric = re.fullmatch(r"[0-9.]+|0x.*", found["host"]) and not re.fullmatch(
        r"(?:(?:0|[1-9][0-9]?|1[0-9][0-9]|2[0-4][0-9]|25[0-5])(?:\.(?!$)|$)){4}", found["host"]
    )
    if numeric or "/." in path or len(found["host"]) > 63:
        raise unsure("a URI that .NET would write differently")
    return Uri(found["scheme"], found["host"], port, path, found["query"] or "")


def _uri_text(found: Uri) -> str:
    if "%" in found.text:
        raise unsure("ToString() of a URI with escapes")
    return found.text


def _unescape_data(text: str | None) -> str:
    if re.search(r"%(?![0-9A-Fa-f]{2})", _needed(text)):
        raise unsure("a broken escape")
    return _unescaped(_needed(text))


define(
    "Uri",
    properties_={
        "AbsolutePath: string": lambda uri: uri.path,
        "AbsoluteUri: string": lambda uri: uri.text,
        "Authority: string": lambda uri: uri.text.split("/")[2],
        "Host: string": lambda uri: uri.host,
        "PathAndQuery: string": lambda uri: uri.path + uri.query,
        "Port: int": lambda uri: uri.port,
        "Query: string": lambda uri: uri.query,
        "Scheme: string": lambda uri: uri.scheme,
    },
    methods={"ToString(): string": _uri_text},
    statics={
        "EscapeDataString(string): string": lambda text: bounded(quote(_needed(text), safe="")),
        "UnescapeDataString(string): string": _unescape_data,
    },
    constructors={"new(string): Uri": uri},
)

# Hashes


class Hash:
    """A hash algorithm, keyed or not."""

    def __init__(self, name: str, key: bytes | None = None) -> None:
        """Take Python's name of it."""
        self.name = name
        self.key = key
        self.disposed = False

    def compute(self, data: bytes) -> bytes:
        """`ComputeHash`."""
        spend(len(data) // 256)
        if self.disposed:
            raise EvaluationError("ObjectDisposedException")
        if self.key is None:
            return hashlib.new(self.name, data, usedforsecurity=False).digest()
        return hmac.digest(self.key, data, self.name)


def _computed(algorithm: Hash, array: Array | None) -> Array:
    return byte_array(algorithm.compute(_data(array)))


def _key(array: Array | None) -> bytes:
    if array is None:
        raise unsure("a key that is null, for which versions of .NET throw different exceptions")
    return _data(array)


def _dispose(algorithm: Hash) -> None:
    algorithm.disposed = True


def _set_key(algorithm: Hash, array: Array | None) -> None:
    algorithm.key = _key(array)


def _created(name: str) -> Callable[[], Hash]:
    return lambda: Hash(name)


def _keyed(name: str) -> Callable[[Array | None], Hash]:
    return lambda key: Hash(name, _key(key))


def _random_key(name: str) -> Callable[[], Hash]:
    return lambda: Hash(name, os.urandom(64))


define("HashAlgorithm", methods={"ComputeHash(byte[]): byte[]": _computed, "Dispose(): void": _dispose})
define("HMAC", setters={"Key: byte[]": _set_key})
for _name in ("MD5", "SHA1", "SHA256", "SHA384", "SHA512"):
    define(_name, statics={f"Create(): {_name}": _created(_name.lower())})
    define(
        f"HMAC{_name}",
        constructors={
            f"new(): HMAC{_name}": _random_key(_name.lower()),
            f"new(byte[]): HMAC{_name}": _keyed(_name.lower()),
        },
    )


# Ciphers of API Management


def _cipher(name: str | None, key: Array | None, iv: Array | None) -> Cipher[Any]:
    if name not in {"Aes", "AES"}:
        raise unsure("a cipher other than Aes")
    secret = _data(key)
    if len(secret) not in {16, 24, 32}:
        raise EvaluationError("CryptographicException")
    start = _data(iv)
    if len(start) != 16:
        raise EvaluationError("CryptographicException")
    return Cipher(algorithms.AES(secret), modes.CBC(start))


def _encrypt(array: Array | None, name: str | None, key: Array | None, iv: Array | None) -> Array:
    """`Encrypt(algorithm, key, iv)`: CBC and PKCS #7, .NET's defaults (inferred)."""
    encryptor = _cipher(name, key, iv).encryptor()
    pad = padding.PKCS7(128).padder()
    return byte_array(encryptor.update(pad.update(_data(array)) + pad.finalize()) + encryptor.finalize())


def _decrypt(array: Array | None, name: str | None, key: Array | None, iv: Array | None) -> Array:
    """`Decrypt(algorithm, key, iv)`: CBC and PKCS #7, .NET's defaults (inferred)."""
    decryptor = _cipher(name, key, iv).decryptor()
    if len(_data(array)) % 16:
        raise unsure("the decryption of what is not whole blocks")
    unpad = padding.PKCS7(128).unpadder()
    try:
        plain = decryptor.update(_data(array)) + decryptor.finalize()
        return byte_array(unpad.update(plain) + unpad.finalize())
    except ValueError:
        raise EvaluationError("CryptographicException") from None


define_extensions(
    {
        "Decrypt(this byte[], string, byte[], byte[]): byte[]": _decrypt,
        "Encrypt(this byte[], string, byte[], byte[]): byte[]": _encrypt,
    }
)
