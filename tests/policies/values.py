"""Hypothesis strategies: texts, numbers and names that an option may have, and the awkward ones among them."""

import dataclasses
import re
from base64 import b64encode
from typing import Any

from hypothesis import strategies as st

from policies import (
    DEFAULT_DIMENSIONS,
    CacheStoreValue,
    CachingType,
    ClaimMatch,
    DecryptionKey,
    Dimension,
    ExistsAction,
    Policy,
    RequiredClaim,
    SetVariable,
    ValidationAction,
)
from policies.shared.checks import INT_MAX, LONG_MAX

AWKWARD = [
    "\t",
    "\n",
    "\r",
    "\r\n",
    " ",
    "<",
    ">",
    "&",
    '"',
    "'",
    "]]>",
    "<![CDATA[",
    "&#13;",
    "<!--",
    "\x85",
    "\u2028",
]
EXPRESSIONS = [
    "@(context.RequestId)",
    '@("Bearer " + (string)context.Variables["t"])',
    '@(1 < 2 && "a" != null)',
    '@{\n\tvar a = "<&>\'";\r\n\treturn a;\n}',
]


def _is_plain(value: str) -> bool:
    return "@(" not in value and "@{" not in value


characters = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff") | st.sampled_from(
    AWKWARD
)
literals = st.lists(characters, max_size=8).map("".join).filter(_is_plain)
expressions = st.sampled_from(EXPRESSIONS)
named_values = st.sampled_from(["{{a}}", "{{openai-api-key}}"])
texts = literals | expressions | named_values
filled = texts.filter(str.strip)
plain = (literals | named_values).filter(str.strip)
lines = literals.filter(re.compile(r"[\t\x20-\x7e\x80-\xff]*").fullmatch) | expressions | named_values
decided = literals.filter(lambda value: bool(value.strip()) and value == value.strip() and "{{" not in value)
tokens = st.text("abcXYZ019!#$%&'*+-.^_`|~", min_size=1, max_size=12).map("x-".__add__)
hosts = st.sampled_from(["login.example.com", "contoso.ciamlogin.com:443", "127.0.0.1", "[::1]:8443"])
urls = st.builds("{}{}/{}".format, st.just("https://"), hosts, st.text("abc?&=%'\"<>", max_size=8)) | st.just(
    "http://localhost:8080/a?b=<&>"
)
codes = st.integers(400, 599)
flags = st.booleans()
flag_expressions = flags | expressions | named_values


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def options(kind: Any, /, **strategies: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Build `kind` with an identifier, as every policy may have one."""
    return st.builds(kind, id=maybe(plain), **strategies)


def upto(low: int, high: int) -> st.SearchStrategy[Any]:
    """Numbers from `low` to `high`, or an expression in their place."""
    return st.integers(low, high) | expressions | named_values


def choice(enum: Any) -> st.SearchStrategy[Any]:
    """Members of a closed set, or an expression in their place."""
    return st.sampled_from(enum) | expressions | named_values


def names(kind: Any) -> dict[str, st.SearchStrategy[Any]]:
    """Headers and variables that a policy writes to."""
    fields = [field.name for field in dataclasses.fields(kind)]
    headers = {name: maybe(tokens) for name in fields if name.endswith("header_name")}
    return headers | {name: maybe(plain) for name in fields if name.endswith("variable_name")}


def any_type(value: object) -> Any:
    """Return `value` as the type checker would not let it pass."""
    return value


MODULUS = b64encode(b"\xff" * 256, b"-_").decode().rstrip("=")
SECRET = b64encode(b"a" * 33).decode()
VARIABLE = SetVariable(name="a", value="b")
CACHED = CacheStoreValue(key="a", value="b", duration=1)
TOKEN_PLACES: list[dict[str, Any]] = [
    {"header_name": "a"},
    {"header_name": None, "query_parameter_name": "a"},
    {"header_name": None, "token_value": '@("text")'},
]
PREVENT = ValidationAction.PREVENT

Strategies = dict[str, st.SearchStrategy[Any]]

scopes: list[Strategies] = [{"id": plain}, {"name": plain}, {"id": plain, "name": plain}]
"""How an API or an operation is named in a limit."""

volumes: list[Strategies] = [
    {"calls": st.integers(1, INT_MAX)},
    {"bandwidth": st.integers(1, LONG_MAX)},
    {"calls": st.integers(1, INT_MAX), "bandwidth": st.integers(1, LONG_MAX)},
]
"""What a quota may count."""


def scoped(kind: Any, **strategies: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Build an API or an operation by identifier, by name, or by both."""
    return st.one_of(*(st.builds(kind, **scope, **strategies) for scope in scopes))


def measured(kind: Any, **strategies: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Build a quota of calls, of bytes, or of both."""
    build = options if issubclass(kind, Policy) else scoped
    return st.one_of(*(build(kind, **volume, **strategies) for volume in volumes))


counted = {
    "counter_key": filled,
    "increment_condition": maybe(flag_expressions),
    "increment_count": maybe(upto(0, INT_MAX)),
}
"""What is counted by key, and when."""

defaults = st.builds(Dimension, name=st.sampled_from(sorted(DEFAULT_DIMENSIONS)), value=maybe(texts))

customs = st.builds(Dimension, name=filled, value=texts)

dimensions = st.lists(defaults, min_size=1, max_size=5) | st.lists(customs, min_size=1, max_size=5)
"""Dimensions of a metric."""

methods = st.sampled_from(["GET", "POST", "OPTIONS", "M-SEARCH"])

actions = choice(ValidationAction)

caching = {"key": filled, "caching_type": maybe(st.sampled_from(CachingType))}

by_name = st.dictionaries(plain.map(str.lower), actions, max_size=2)
"""Actions by the name of what is validated."""


def setters(kind: Any, names: st.SearchStrategy[str], values: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """Build policies that set a header or a query parameter, or delete it."""
    actions = st.sampled_from([None, ExistsAction.OVERRIDE, ExistsAction.APPEND, ExistsAction.SKIP, *EXPRESSIONS])
    return options(kind, name=names, exists_action=actions, values=st.lists(values, min_size=1, max_size=3)) | options(
        kind, name=names, exists_action=st.just(ExistsAction.DELETE)
    )


separators = st.sampled_from([" ", ",", "{{a}}"])

claims = st.dictionaries(
    decided,
    st.builds(
        RequiredClaim,
        values=st.lists(decided, min_size=1, max_size=3),
        match=maybe(st.sampled_from(ClaimMatch)),
        separator=maybe(separators),
    ),
    max_size=2,
)

few = st.lists(decided, max_size=2)
"""Texts of a list that may be empty."""

some = st.lists(decided, min_size=1, max_size=2)
"""Texts of a list that may not."""

token_places: list[dict[str, st.SearchStrategy[Any]]] = [
    {"header_name": tokens},
    {"header_name": st.none(), "query_parameter_name": decided},
    {"header_name": st.none(), "token_value": expressions},
]
"""Where a token may be."""

token_options = {
    "require_scheme": maybe(decided),
    "failed_validation_httpcode": codes,
    "failed_validation_error_message": maybe(texts),
    "output_token_variable_name": maybe(plain),
    "required_claims": claims,
    "decryption_keys": st.lists(st.builds(DecryptionKey, certificate_id=decided, id=maybe(plain)), max_size=2),
}
"""What both policies that validate tokens take."""
