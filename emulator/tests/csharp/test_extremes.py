"""Members with extreme arguments throw what .NET throws, or give up: never an exception of Python."""

import itertools
import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Name
from cryptography.x509.oid import NameOID

from apim_emulator.csharp import EvaluationError, Type, compile_expression
from apim_emulator.csharp.library import encoding, numbers, table
from apim_emulator.csharp.library.text import StringBuilder
from apim_emulator.csharp.runtime import json_text, meter, regex
from apim_emulator.csharp.runtime.certificates import read_certificate
from apim_emulator.csharp.runtime.dates import MAX_TICKS, DateTime, TimeSpan
from apim_emulator.csharp.runtime.rsa import EncryptionPadding, HashName, Rsa, SignaturePadding
from apim_emulator.csharp.runtime.values import ENUM_TYPES, Array, Dictionary, RegexOptions
from apim_emulator.csharp.types import RANGES
from apim_emulator.gateway.context.objects import Jwt
from emulator.tests.csharp.calls import CALL, context
from emulator.tests.csharp.certificates import PASSWORD, issued, pfx

pytestmark = pytest.mark.attack

TEXTS = [
    "", "a", "\0", "é", "😀", "\ud800", "-1", "9" * 400, "1e400", "-1e-400", "NaN", "F99", "E5", "{0}", "{0:F99}", "{0",
    "yyyy", "0" * 500 + "." + "0" * 500, "%", "%zz", "%ff", "[", "{}", "[1]", "'", "2024-01-01T00:00:00Z", "$.a", "=",
    "a.b.c", "://", "http://a", "Basic Og==", "Bearer a.b.c", "e30.eyJleHAiOjFlOTl9.",
]  # fmt: skip
DOUBLES = [0.0, -0.0, 1e308, -1e308, 5e-324, 0.5, 1e22, 123456789.123456789, math.nan, math.inf, -math.inf]


OPEN = {"[]", "?", "List", "HashSet", "Dictionary", "KeyValuePair", "IEnumerable", "ICollection", "IList"}
"""Types whose arguments a table of members leaves open."""


def _values(type_: Type) -> list[Any] | None:
    """Give extreme values of a type; None where there are none to make."""
    if type_.name in RANGES:
        low, high = RANGES[type_.name]
        return sorted({low, min(-1, 0) if low < 0 else 0, 0, 1, 15, 16, high})
    if not type_.args and type_.name in OPEN:
        return None
    if type_.name == "[]" and type_.args[0] == Type("byte"):
        return [None, *(Array(type_.args[0], data) for data in (b"", b"\xff" * 16, bytes(range(20))))]
    if type_.name in {"[]", "List", "IEnumerable", "ICollection", "IList"}:
        inner = _values(type_.args[0])
        if inner is None:
            return None
        return [None, Array(type_.args[0]), Array(type_.args[0], inner[:2]), Array(type_.args[0], inner[-3:])]
    kinds = {kind.__name__: list(kind) for kind in ENUM_TYPES}
    made: dict[str, Callable[[], list[Any]]] = {
        "string": lambda: [None, *TEXTS],
        "char": lambda: ["\0", "a", "é", "\ud800", "\uffff"],
        "double": lambda: DOUBLES,
        "bool": lambda: [True, False],
        "object": lambda: [None, "", 2**63 - 1, 1e308, True, DateTime(MAX_TICKS)],
        "Guid": lambda: [UUID(int=0), UUID(int=2**128 - 1)],
        "DateTime": lambda: [DateTime(0), DateTime(MAX_TICKS)],
        "TimeSpan": lambda: [TimeSpan(-(2**63)), TimeSpan(0), TimeSpan(2**63 - 1)],
        "StringBuilder": lambda: [StringBuilder(), StringBuilder("😀a")],
        "JToken": lambda: [None, *map(json_text.read, ("{}", "[]", "[1]", '"a"', "1e308", "null", '{"a":{"b":1}}'))],
        "JObject": lambda: [json_text.read('{"a":{"b":1}}')],
        "JArray": lambda: [json_text.read("[1,[2]]")],
        "JValue": lambda: list(map(json_text.read, ("1", '"a"', "null"))),
        "Dictionary": lambda: [Dictionary(Type("Dictionary", (Type.STRING, Type.STRING)), {"a": "b"})],
        "Encoding": lambda: ["utf-8", "ascii", "latin-1"],
        "Uri": lambda: [encoding.uri("http://a/%20?b"), encoding.uri("https://a:65535")],
        "Regex": lambda: [regex.compiled("a*", RegexOptions["None"]), regex.compiled("(?<n>.)+", RegexOptions["None"])],
        "Random": lambda: [numbers.Random()],
        "HashAlgorithm": lambda: [encoding.Hash("sha256"), encoding.Hash("md5", b"")],
        "HashAlgorithmName": lambda: [
            HashName("SHA1"),
            HashName("SHA512"),
            HashName(""),
            HashName(None),
            HashName("x"),
        ],
        "RSASignaturePadding": lambda: [None, SignaturePadding("Pkcs1"), SignaturePadding("Pss")],
        "RSAEncryptionPadding": lambda: [None, EncryptionPadding(None), EncryptionPadding("SHA512")],
        "X509Certificate": lambda: _values(Type("X509Certificate2")) or [],
        "X509Certificate2": lambda: [
            read_certificate(pfx(), PASSWORD),
            read_certificate(issued().certificate.public_bytes(Encoding.DER)),
        ],
        "X500DistinguishedName": lambda: [issued().certificate.subject, Name([])],
        "PublicKey": lambda: _values(Type("X509Certificate2")) or [],
        "Oid": lambda: [NameOID.COMMON_NAME, issued().certificate.signature_algorithm_oid],
        "AsymmetricAlgorithm": lambda: _values(Type("RSA")) or [],
        "RSA": lambda: [read_certificate(pfx(), PASSWORD).private_rsa(), Rsa()],
        **{name: partial(list, values) for name, values in kinds.items()},
    }
    found = made.get(type_.args[0].name if type_.is_nullable else type_.name)
    return None if found is None else found()


def _members() -> Iterator[Any]:
    """List the members whose receiver and arguments can be made."""
    for tables, has_receiver in ((table.METHODS, True), (table.STATICS, False)):
        for owner, named in tables.items():
            for one in itertools.chain.from_iterable(named.values()):
                if not one.takes_types and not one.generics:
                    yield owner, one, [Type(owner), *one.parameters] if has_receiver else [*one.parameters]
    for owner, several in table.CONSTRUCTORS.items():
        yield from ((owner, one, [*one.parameters]) for one in several if not one.takes_types and owner not in OPEN)
    for owner, found in table.PROPERTIES.items():
        yield from ((owner, one, [Type(owner)]) for one in found.values())
    for one in itertools.chain.from_iterable(table.EXTENSIONS.values()):
        if not one.takes_types and not one.generics:
            yield "", one, [*one.parameters]


NOT_NULL = {"string", "[]", "JToken", "RSASignaturePadding"}


def _cases() -> list[Any]:
    found = []
    for owner, one, types in _members():
        outs = {place + (len(types) - len(one.parameters)) for place in one.outs}
        values = [_values(type_) for place, type_ in enumerate(types) if place not in outs]
        if all(one is not None for one in values) and values:
            found.append(pytest.param(one, owner, values, id=f"{owner}.{one.name}({', '.join(map(str, types))})"))
    return found


@pytest.mark.parametrize(("member", "owner", "values"), _cases())
def test_member_throws_what_net_throws(member: table.Member, owner: str, values: list[list[Any]]) -> None:
    for arguments in itertools.islice(itertools.product(*values), 3000):
        if owner in NOT_NULL and arguments[0] is None:
            continue
        try:
            meter.evaluated(member.call, *arguments)
        except (EvaluationError, RecursionError):  # an evaluation makes .NET's own error of the latter
            pass
        except Exception as error:  # whatever Python throws
            raise AssertionError(f"{member.name}{arguments!r}: {error!r}") from error


@pytest.mark.parametrize("moment", [10**30, -(10**30), 253_402_300_800, -62_135_596_801])
def test_time_of_a_token_beyond_what_a_date_has_is_given_up(moment: int) -> None:
    call = context(CALL)
    call.variables["jwt"] = Jwt({}, {"exp": moment})
    run = compile_expression('@(((Jwt)context.Variables["jwt"]).ExpirationTime.Value.Year)', Type.INT)

    with pytest.raises(EvaluationError):
        run(call)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('5.0.ToString("F99").Length', 101),
        ("double.IsInfinity(Math.Pow(1e308, 2))", True),
        ('double.TryParse("E5", out var d)', False),
    ],
)
def test_extreme_value(text: str, value: object) -> None:
    assert compile_expression(f"@({text})", Type.OBJECT)(context(CALL)) == value
