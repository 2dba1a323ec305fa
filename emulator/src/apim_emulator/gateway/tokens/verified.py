"""Tokens whose signature was found right, so that one that comes again is neither parsed nor verified again."""

from cachetools import LRUCache

from apim_emulator.gateway.tokens.jwks import SigningKey
from apim_emulator.gateway.tokens.strict import RawToken, read

_SIZE = 1024


class VerifiedTokens:
    """Remembers what follows from a token's bytes and a key alone; lifetime and claims are checked at every call.

    A token is known by its text and kept only once a key verified it, so what is not signed pushes nothing out.
    """

    def __init__(self) -> None:
        """Remember nothing yet; when it is full, the token that was not used for longest goes."""
        self._tokens: LRUCache[str, tuple[RawToken, SigningKey]] = LRUCache(_SIZE)

    def __len__(self) -> int:
        """Return the number of tokens remembered."""
        return len(self._tokens)

    def read(self, text: str, *, signed: bool = True) -> RawToken:
        """Read a token as `strict.read` does; raises `TokenError`."""
        known = self._tokens.get(text)
        return read(text, signed=signed) if known is None else known[0]

    def verifies(self, key: SigningKey, token: RawToken) -> bool:
        """Check a token's signature, unless this very key already did."""
        known = self._tokens.get(token.text)
        if known is not None and known[1] is key:
            return True
        if not key.verifies(token):
            return False
        self._tokens[token.text] = token, key
        return True
