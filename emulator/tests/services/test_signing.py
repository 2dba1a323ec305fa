from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws, jwt
from joserfc.jwk import KeySet, OctKey

from apim_emulator.services.signing import (
    LIFETIME,
    InvalidTokenError,
    SigningKey,
    tamper,
    unverified_claims,
    validity_claims,
)

NOW = 1_750_000_000.0
KEY = SigningKey()


def test_a_token_is_verifiable_with_the_published_key_alone() -> None:
    token = KEY.sign({"sub": "someone", **validity_claims(NOW)})

    decoded = jwt.decode(token, KeySet.import_key_set(KEY.jwks()), algorithms=["RS256"])  # type: ignore[arg-type]

    assert decoded.claims == {"sub": "someone", "iat": NOW, "nbf": NOW, "exp": NOW + LIFETIME}
    assert decoded.header == {"typ": "JWT", "alg": "RS256", "kid": KEY.jwks()["keys"][0]["kid"]}


def test_the_published_key_has_no_private_part() -> None:
    assert set(KEY.jwks()["keys"][0]) == {"kty", "n", "e", "kid", "use"}


def test_no_representation_shows_the_private_key() -> None:
    private = KEY._key.as_dict(private=True)["d"]

    assert str(private) not in f"{KEY!r} {KEY}"


def test_a_claim_that_is_none_is_left_out() -> None:
    assert unverified_claims(KEY.sign({"sub": "someone", "roles": None})) == {"sub": "someone"}


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        pytest.param(-1, "not valid yet", id="before nbf"),
        pytest.param(0, None, id="at nbf"),
        pytest.param(LIFETIME - 1, None, id="last second"),
        pytest.param(LIFETIME, "expired", id="at exp"),
    ],
)
def test_a_token_is_valid_from_nbf_until_before_exp(after: float, reason: str | None) -> None:
    token = KEY.sign(validity_claims(NOW))

    if reason is None:
        assert KEY.verify(token, NOW + after)["exp"] == NOW + LIFETIME
    else:
        with pytest.raises(InvalidTokenError, match=reason):
            KEY.verify(token, NOW + after)


def test_a_token_without_expiry_is_refused() -> None:
    with pytest.raises(InvalidTokenError, match="expired"):
        KEY.verify(KEY.sign({"sub": "someone"}), NOW)


@pytest.mark.parametrize(
    "forged",
    [
        pytest.param(tamper, id="changed claims"),
        pytest.param(lambda token: tamper(token, exp=NOW + 9 * LIFETIME), id="later expiry"),
        pytest.param(lambda _: SigningKey().sign(validity_claims(NOW)), id="another key"),
        pytest.param(lambda token: token.rpartition(".")[0] + ".", id="no signature"),
        pytest.param(
            lambda token: jws.serialize_compact(
                {"alg": "HS256"}, token.split(".")[1].encode(), OctKey.import_key("0" * 64), algorithms=["HS256"]
            ),
            id="symmetric algorithm",
        ),
        pytest.param(lambda token: "eyJhbGciOiJub25lIn0." + token.split(".")[1] + ".", id="algorithm none"),
    ],
)
def test_a_forged_token_is_refused(forged: Any) -> None:
    with pytest.raises(InvalidTokenError):
        KEY.verify(forged(KEY.sign(validity_claims(NOW))), NOW)


def test_a_signed_text_that_is_no_set_of_claims_is_refused() -> None:
    token = jws.serialize_compact({"alg": "RS256"}, b"[]", KEY._key)

    with pytest.raises(InvalidTokenError, match="not a JSON Web Token"):
        unverified_claims(token)
    with pytest.raises(InvalidTokenError):
        KEY.verify(token, NOW)


def test_tampering_keeps_the_signature_and_changes_the_claims() -> None:
    token = KEY.sign({"roles": ["Chat.User"]})

    forged = tamper(token, roles=["Chat.Admin"])

    assert forged.split(".")[::2] == token.split(".")[::2]
    assert unverified_claims(forged) == {"roles": ["Chat.Admin"]}


@given(st.one_of(st.text(), st.from_regex(r"[\w-]{0,40}\.[\w-]{0,40}\.[\w-]{0,40}", fullmatch=True)))
def test_anything_else_than_a_token_is_refused_as_one(text: str) -> None:
    with pytest.raises(InvalidTokenError):
        unverified_claims(text)
    with pytest.raises(InvalidTokenError):
        KEY.verify(text, NOW)
