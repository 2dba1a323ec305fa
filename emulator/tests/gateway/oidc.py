"""An OpenID Connect provider for tests: keys, tokens, metadata."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from aiohttp import web
from joserfc import jws
from joserfc.jwk import ECKey, Key, RSAKey

from emulator.tests.gateway.harness import NOW, serve


@cache
def rsa(name: str) -> RSAKey:
    """Make a key, once for each name."""
    return RSAKey.generate_key(2048, {"kid": name, "use": "sig"})


@cache
def elliptic(name: str) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": name})


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sign(claims: dict[str, Any], key: Key | None = None, **header: Any) -> str:
    """Sign claims; the header is RS256 with the key's ID unless told otherwise."""
    key = key or rsa("k1")
    fields = {"alg": "RS256", "typ": "JWT", "kid": key.kid} | header
    fields = {name: value for name, value in fields.items() if value is not None}
    return sign_text(json.dumps(claims), key, fields)


def sign_text(payload: str, key: Key, header: dict[str, Any]) -> str:
    algorithms = [str(header["alg"])]
    registry = jws.JWSRegistry(algorithms=algorithms, strict_check_header=False)
    return jws.serialize_compact(header, payload.encode(), key, registry=registry)


def forge(header: dict[str, Any], signature: bytes = b"forged", payload: dict[str, Any] | None = None) -> str:
    """Make a token that nobody signed."""
    parts = (json.dumps(header).encode(), json.dumps(payload or claims()).encode(), signature)
    return ".".join(map(encode, parts))


def confused(key: RSAKey) -> str:
    """Make the token of the algorithm confusion attack: the public key's PEM text as HS256 secret."""
    unsigned = forge({"alg": "HS256", "kid": key.kid}, b"")
    secret = key.as_pem(private=False)
    return unsigned + encode(hmac.new(secret, unsigned.rstrip(".").encode(), hashlib.sha256).digest())


@dataclass
class Provider:
    """Its metadata and keys, and how often they were fetched."""

    issuer: str = "https://issuer.example.com"
    keys: list[Key] = field(default_factory=lambda: [rsa("k1")])
    fetches: int = 0
    broken: bool = False
    url: str = ""

    async def handle(self, request: web.Request) -> web.Response:
        if self.broken:
            return web.Response(status=503)
        if request.path.endswith("/keys"):
            self.fetches += 1
            return web.json_response({"keys": [key.as_dict(private=False) for key in self.keys]})
        return web.json_response({"issuer": self.issuer, "jwks_uri": f"{self.url}/keys"})


@asynccontextmanager
async def running(provider: Provider) -> AsyncIterator[Provider]:
    async with serve(provider.handle) as url:
        provider.url = url
        yield provider


def claims(**changes: Any) -> dict[str, Any]:
    """Make claims that are accepted; None leaves one out."""
    good = {"iss": "https://issuer.example.com", "aud": "api://audience", "sub": "caller", "exp": NOW + 60}
    return {name: value for name, value in (good | changes).items() if value is not None}
