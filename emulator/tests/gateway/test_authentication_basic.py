import base64

import pytest

from apim_emulator.gateway import PolicyLoadError
from apim_emulator.testing import PolicyBench


def document(policy: str) -> str:
    return f"<policies><inbound>{policy}</inbound></policies>"


def test_credentials_replace_the_callers() -> None:
    policy = '<authentication-basic username="us\u00e9r" password="{{password}}"/>'
    bench = PolicyBench(document(policy), named_values={"password": "p:w"})

    (seen,) = bench.get(headers={"Authorization": "Bearer callers"}).requests

    (value,) = seen.headers.getall("Authorization")
    assert base64.b64decode(value.removeprefix("Basic ")).decode() == "us\u00e9r:p:w"


def test_both_are_needed() -> None:
    with pytest.raises(PolicyLoadError, match="password: attribute is missing"):
        PolicyBench(document('<authentication-basic username="u"/>'))
