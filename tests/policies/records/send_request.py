from typing import Any
from xml.etree import ElementTree as ET

from hypothesis import strategies as st

from policies import (
    AuthenticationManagedIdentity,
    Policy,
    RequestMode,
    SendOneWayRequest,
    SendRequest,
    SetBody,
    SetHeader,
    SetMethod,
)
from policies.shared.checks import INT_MAX
from tests.policies.reader import read_policy
from tests.policies.record import Record
from tests.policies.records import authentication_certificate, proxy, set_method
from tests.policies.values import expressions, filled, flags, maybe, named_values, options, plain, texts, tokens, upto

parts: dict[str, st.SearchStrategy[Any]] = {
    "certificate": maybe(authentication_certificate.RECORD.policies()),
    "proxy": maybe(proxy.RECORD.policies()),
    "headers": st.lists(st.builds(SetHeader, name=tokens, values=st.just(["a"])), max_size=2),
    "body": maybe(st.builds(SetBody, value=texts)),
    "identity": maybe(
        st.builds(
            AuthenticationManagedIdentity,
            resource=filled,
            output_token_variable_name=st.none(),
            ignore_error=maybe(flags),
        )
    ),
}

urls = st.sampled_from(["https://a.example/b?c=<&>", "http://127.0.0.1:8080/"]) | expressions | named_values

POST = SetMethod(value="POST")


def _children(element: ET.Element) -> dict[str, Any]:
    def policy(tag: str) -> Policy | None:
        child = element.find(tag)
        return None if child is None else read_policy(child)

    url = element.find("set-url")
    return {
        "url": None if url is None else url.text or "",
        "method": policy("set-method"),
        "headers": [read_policy(child) for child in element.findall("set-header")],
        "body": policy("set-body"),
        "certificate": policy("authentication-certificate"),
        "identity": policy("authentication-managed-identity"),
        "proxy": policy("proxy"),
    }


kept: dict[str, st.SearchStrategy[Any]] = {
    **parts,
    "response_variable_name": plain,
    "ignore_error": maybe(flags),
    "buffer_response": maybe(flags),
    "fail_on_error_status_code": maybe(flags),
}


def _request(**options: Any) -> SendRequest:
    new = {"response_variable_name": "r", "url": "https://a.example", "method": SetMethod(value="GET")}
    return SendRequest(**{**new, **options})


IDENTITY = AuthenticationManagedIdentity(output_token_variable_name=None)

ONE_WAY = Record(
    SendOneWayRequest,
    examples=(SendOneWayRequest(url="https://a.example", method=SetMethod(value="GET")),),
    drawn=options(
        SendOneWayRequest,
        **parts,
        mode=st.sampled_from([None, RequestMode.NEW]),
        url=urls,
        method=set_method.RECORD.policies(),
        timeout=maybe(st.integers(1, INT_MAX)),
    )
    | options(SendOneWayRequest, **parts, mode=st.just(RequestMode.COPY) | expressions, url=maybe(urls)),
    renders={
        "send-one-way-request": (
            SendOneWayRequest(
                mode=RequestMode.NEW, timeout=20, url="https://a.example/alert", method=POST, body=SetBody(value="slow")
            ),
            """
        <send-one-way-request mode="new" timeout="20">
            <set-url>https://a.example/alert</set-url>
            <set-method>POST</set-method>
            <set-body>slow</set-body>
        </send-one-way-request>
        """,
        ),
    },
    refuses=(
        (
            SendOneWayRequest,
            "send-one-way-request is a new request without url or method; give both, or mode RequestMode.COPY",
        ),
    ),
    children=_children,
)


RECORD = Record(
    SendRequest,
    examples=(SendRequest(response_variable_name="a", url="https://a.example", method=SetMethod(value="GET")),),
    drawn=(
        options(
            SendRequest,
            **kept,
            mode=st.sampled_from([None, RequestMode.NEW]),
            url=urls,
            method=set_method.RECORD.policies(),
        )
        | options(
            SendRequest,
            **kept,
            mode=st.just(RequestMode.COPY) | expressions,
            url=maybe(urls),
            method=maybe(set_method.RECORD.policies()),
            timeout=maybe(upto(1, INT_MAX)),
        )
        | options(SendRequest, **kept, mode=st.just(RequestMode.COPY), timeout_ms=maybe(upto(1, INT_MAX)))
    ),
    renders={
        "send-request takes every option in the schema's order": (
            SendRequest(
                id="q",
                mode=RequestMode.NEW,
                response_variable_name="reply",
                timeout=20,
                ignore_error=True,
                buffer_response=False,
                fail_on_error_status_code=True,
                url="https://a.example/introspect",
                method=POST,
                headers=[SetHeader(name="x-a", values=["1"]), SetHeader(name="x-b", values=["2"])],
                body=SetBody(value="@(context.RequestId.ToString())"),
                identity=AuthenticationManagedIdentity(
                    resource="api://x", output_token_variable_name=None, ignore_error=None
                ),
            ),
            """
        <send-request id="q" mode="new" response-variable-name="reply" timeout="20" ignore-error="true" \
buffer-response="false" fail-on-error-status-code="true">
            <set-url>https://a.example/introspect</set-url>
            <set-method>POST</set-method>
            <set-header name="x-a">
                <value>1</value>
            </set-header>
            <set-header name="x-b">
                <value>2</value>
            </set-header>
            <set-body>@(context.RequestId.ToString())</set-body>
            <authentication-managed-identity resource="api://x" />
        </send-request>
        """,
        ),
        "send-request sends a copy": (
            SendRequest(
                mode=RequestMode.COPY,
                response_variable_name="reply",
                timeout_ms="@(500)",
                url="https://a.example",
            ),
            """
        <send-request mode="copy" response-variable-name="reply" timeout-ms="@(500)">
            <set-url>https://a.example</set-url>
        </send-request>
        """,
        ),
        **{
            f"send-request goes to {url}": (
                SendRequest(response_variable_name="r", url=url, method=POST),
                f"""
            <send-request response-variable-name="r">
                <set-url>{url}</set-url>
                <set-method>POST</set-method>
            </send-request>
            """,
            )
            for url in ("http://inside.example/a", "{{url}}/a", "@((string)context.Variables.GetValueOrDefault())")
        },
    },
    refuses=(
        *(
            (
                lambda part=part, mode=mode: _request(**{part: None, "mode": mode}),
                "send-request is a new request without url or method; give both, or mode RequestMode.COPY",
            )
            for part in ("url", "method")
            for mode in (None, RequestMode.NEW)
        ),
        *(
            (
                lambda url=url: _request(url=url),
                f"send-request url {url!r} is not a URL; use one such as https://login.example.com/path",
            )
            for url in ("", "a.example", "ftp://a.example", "https://me@a.example", "https://a.example/ b")
        ),
        (
            lambda: _request(url="http://a.example", identity=IDENTITY),
            "send-request url 'http://a.example' is not https; use https (http is for loopback hosts only)",
        ),
        (
            lambda: _request(identity=AuthenticationManagedIdentity()),
            "send-request identity would store its token in a variable; give it output_token_variable_name=None",
        ),
        (
            lambda: _request(timeout=1, timeout_ms=1000),
            "send-request timeout 1 with timeout_ms 1000 is not allowed; give one of them",
        ),
        (lambda: _request(timeout=0), "send-request timeout 0 is not allowed; use 1 to 2147483647 seconds"),
        (
            lambda: _request(timeout_ms=-1),
            "send-request timeout_ms -1 is not allowed; use 1 to 2147483647 milliseconds",
        ),
        (
            lambda: _request(response_variable_name=""),
            "send-request response_variable_name '' is empty; give it a value",
        ),
    ),
    children=_children,
)
