"""What is remembered of verified tokens never lets in what would not be let in without it."""

from dataclasses import replace

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from apim_emulator.gateway.tokens import verified
from apim_emulator.gateway.tokens.jwks import SigningKey
from apim_emulator.gateway.tokens.strict import TokenError
from apim_emulator.gateway.tokens.verified import VerifiedTokens

SECRET = OctKey.import_key(b"0123456789abcdef0123456789abcdef")
KEY = SigningKey(SECRET, frozenset({"HS256"}))
OTHER = SigningKey(OctKey.import_key(b"another-key-another-key-another!"), frozenset({"HS256"}))


def token(subject: str) -> str:
    return jwt.encode({"alg": "HS256"}, {"sub": subject}, SECRET)


def test_token_that_comes_again_is_not_verified_again(monkeypatch: pytest.MonkeyPatch) -> None:
    known, text = VerifiedTokens(), token("a")
    assert known.verifies(KEY, known.read(text))
    monkeypatch.setattr(SigningKey, "verifies", lambda *_: False)
    assert known.verifies(KEY, known.read(text))
    assert not known.verifies(KEY, known.read(token("b")))


def test_other_key_must_verify_for_itself() -> None:
    known, text = VerifiedTokens(), token("a")
    assert known.verifies(KEY, known.read(text))
    assert not known.verifies(OTHER, known.read(text))
    # A key that was fetched anew is another one, were it equal.
    assert known.verifies(replace(KEY), known.read(text))


def test_changed_signature_is_another_token() -> None:
    known, text = VerifiedTokens(), token("a")
    assert known.verifies(KEY, known.read(text))
    head, _, signature = text.rpartition(".")
    changed = f"{head}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"
    assert not known.verifies(KEY, known.read(changed))


def test_what_is_not_verified_is_not_kept() -> None:
    known = VerifiedTokens()
    assert not known.verifies(OTHER, known.read(token("a")))
    with pytest.raises(TokenError):
        known.read("not.a.token")
    assert len(known) == 0


def test_token_unused_for_longest_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verified, "_SIZE", 2)
    known = VerifiedTokens()
    first, second, third = (token(name) for name in "abc")
    for text in (first, second, first, third):
        assert known.verifies(KEY, known.read(text))
    assert len(known) == 2
    monkeypatch.setattr(SigningKey, "verifies", lambda *_: False)
    assert [known.verifies(KEY, known.read(text)) for text in (first, second, third)] == [True, False, True]
