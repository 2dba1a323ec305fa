from typing import Any
from xml.etree import ElementTree as ET

from hypothesis import strategies as st

from policies import Cors
from tests.policies.reader import read_texts, scalar
from tests.policies.record import Record
from tests.policies.values import expressions, flag_expressions, maybe, methods, options, tokens, upto

headers = st.lists(tokens | st.just("*"), max_size=2)

cross_origin = {
    "terminate_unmatched_request": maybe(flag_expressions),
    "allowed_headers": headers,
    "expose_headers": headers,
}

some_methods = {
    "allowed_methods": st.lists(methods | st.just("*") | expressions, min_size=1, max_size=3),
    "preflight_result_max_age": maybe(upto(0, 2**32 - 1)),
}

origins = st.sampled_from(["https://a.example", "http://localhost:8080/", "https://[::1]:8443", "app://x", "{{o}}"])

some_origins = st.lists(origins, min_size=1, max_size=3)


def _cors(**options: Any) -> Cors:
    return Cors(**{"allowed_origins": ["https://a.example"], **options})


def _children(element: ET.Element) -> dict[str, Any]:
    methods = element.find("allowed-methods")
    age = None if methods is None else methods.get("preflight-result-max-age")
    return {
        "allowed_origins": read_texts(element.find("allowed-origins"), "origin"),
        "allowed_methods": read_texts(methods, "method"),
        "preflight_result_max_age": scalar(int | str, age),
        "allowed_headers": read_texts(element.find("allowed-headers"), "header"),
        "expose_headers": read_texts(element.find("expose-headers"), "header"),
    }


RECORD = Record(
    Cors,
    examples=(
        Cors(allowed_origins=["*"]),
        Cors(allowed_origins=["*"], allowed_methods=["GET"]),
    ),
    drawn=(
        options(Cors, **cross_origin, allow_credentials=maybe(flag_expressions), allowed_origins=some_origins)
        | options(Cors, **cross_origin, **some_methods, allowed_origins=some_origins)
        | options(
            Cors,
            **cross_origin,
            **some_methods,
            allow_credentials=maybe(st.just(False)),
            allowed_origins=st.just(["*"]),
        )
    ),
    renders={
        "cors lets pages of any origin call": (
            Cors(allowed_origins=["*"], allowed_headers=["*"]),
            """
        <cors>
            <allowed-origins>
                <origin>*</origin>
            </allowed-origins>
            <allowed-headers>
                <header>*</header>
            </allowed-headers>
        </cors>
        """,
        ),
        "cors takes every option": (
            Cors(
                id="c",
                allow_credentials=True,
                terminate_unmatched_request=False,
                allowed_origins=["http://localhost:8080/", "https://a.example", "{{portal}}"],
                allowed_methods=["GET", "@(context.Request.Method)"],
                preflight_result_max_age=300,
                allowed_headers=["content-type"],
                expose_headers=["x-a", "x-b"],
            ),
            """
        <cors id="c" allow-credentials="true" terminate-unmatched-request="false">
            <allowed-origins>
                <origin>http://localhost:8080/</origin>
                <origin>https://a.example</origin>
                <origin>{{portal}}</origin>
            </allowed-origins>
            <allowed-methods preflight-result-max-age="300">
                <method>GET</method>
                <method>@(context.Request.Method)</method>
            </allowed-methods>
            <allowed-headers>
                <header>content-type</header>
            </allowed-headers>
            <expose-headers>
                <header>x-a</header>
                <header>x-b</header>
            </expose-headers>
        </cors>
        """,
        ),
    },
    refuses=(
        (lambda: _cors(allowed_origins=[]), "cors allowed_origins [] is empty; give at least one origin"),
        (
            lambda: _cors(allowed_origins=["*", "https://a.example"]),
            "cors allowed_origins has '*' beside others; give '*' alone, or origins",
        ),
        *(
            (
                lambda credentials=credentials: _cors(allowed_origins=["*"], allow_credentials=credentials),
                "cors allow_credentials with any origin is not allowed; name the origins",
            )
            for credentials in (True, "@(false)", "{{credentials}}")
        ),
        *(
            (
                lambda origin=origin: _cors(allowed_origins=[origin]),
                f"cors allowed_origins {origin!r} is not an origin; use one such as https://portal.example.com",
            )
            for origin in (
                "a.example",
                "https://*.example",
                "https://a.example/path",
                "https://me@a.example",
                "https://a.example:",
                "null",
                "",
                "@(context.Request.Headers.GetValueOrDefault())",
            )
        ),
        (
            lambda: _cors(preflight_result_max_age=5),
            "cors has preflight_result_max_age without allowed_methods; give the methods",
        ),
        (
            lambda: _cors(allowed_methods=["GET"], preflight_result_max_age=2**32),
            "cors preflight_result_max_age 4294967296 is not allowed; use 0 to 4294967295 seconds",
        ),
        (
            lambda: _cors(allowed_methods=["GET, POST"]),
            "cors allowed_methods 'GET, POST' is not a method; use one such as POST",
        ),
        (
            lambda: _cors(allowed_headers=["a b"]),
            "cors allowed_headers 'a b' is not a header name; use 1 to 256 letters, digits and !#$%&'*+-.^_`|~",
        ),
        (
            lambda: _cors(expose_headers=["@(context.Api.Name)"]),
            "cors expose_headers '@(context.Api.Name)' is a policy expression, which is not allowed here; "
            "give the value itself",
        ),
    ),
    children=_children,
)
