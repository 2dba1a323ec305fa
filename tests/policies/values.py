"""Hypothesis strategies: texts, numbers and names that an option may have, and the awkward ones among them."""

import dataclasses
import re
from typing import Any

from hypothesis import strategies as st

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


def options(kind: Any, **strategies: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
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
