"""How every policy fails: status, reason phrase, headers and body, byte for byte, and what on-error learns."""

import re
from dataclasses import replace

import pytest

from emulator.tests.gateway.policies.record import FailedCall, NeverFails
from emulator.tests.gateway.policies.records import RECORDS

LAST_ERROR = ("Source", "Reason", "Message", "Scope", "Section", "Path", "PolicyId")
SEEN_BY_ON_ERROR = "".join(
    f'<set-header name="X-{name}"><value>@(context.LastError.{name} ?? "")</value></set-header>' for name in LAST_ERROR
)
PHRASES = {
    400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 429: "Too Many Requests", 500: "Internal Server Error",
    502: "Bad Gateway",
}  # fmt: skip
FAILURES = {name: record.fails for name, record in sorted(RECORDS.items()) if not isinstance(record.fails, NeverFails)}
NEVER = {name: record.fails for name, record in sorted(RECORDS.items()) if isinstance(record.fails, NeverFails)}
CASES = [
    pytest.param(name, case, id=f"{name}: {what}")
    for name, failures in FAILURES.items()
    for what, case in failures.items()
]


@pytest.mark.parametrize(("name", "case"), CASES)
def test_failure_is_answered_and_told_to_on_error(name: str, case: FailedCall) -> None:
    example = RECORDS[name].example
    if case.element is not None:
        example = replace(example, element=case.element)
    bench = example.load(**case.bench)
    if example.scope == "api":
        bench.load(example.document(on_error=SEEN_BY_ON_ERROR))
    for _ in range(case.before):
        assert example.post(bench, **case.call(bench)).status_code == 200

    response = example.post(bench, **case.call(bench))

    assert response.status_code == case.status
    assert response.reason == (case.phrase or PHRASES[case.status])
    body = response.text
    if case.reason != "BackendResponseFailure" or case.internal:
        assert response.headers["Content-Type"] == "application/json"
        activity = ', "activityId": "[0-9a-f-]{36}"' if case.internal else ""
        message = ".+" if case.message == "*" else re.escape(case.message)
        assert re.fullmatch(rf'\{{ "statusCode": {case.status}, "message": "{message}"{activity} \}}', body), body
    assert {name: response.headers.get(name) for name in case.headers} == case.headers
    assert bool([one for one in response.requests if one.backend == "backend"]) == case.forwards
    error = response.error
    assert error is not None
    detail = case.message if case.detail is None else case.detail
    assert error.reason == case.reason
    assert "*" in detail or error.message == detail
    path = case.path or name
    assert (error.source, error.scope, error.section) == (path.split("/")[-1], example.scope, example.section)
    assert (error.path, error.policy_id) == (path, "me")
    if example.scope == "api":
        told = [error.source, error.reason, error.message, error.scope, error.section, error.path, error.policy_id]
        assert [response.headers[f"X-{name}"] for name in LAST_ERROR] == told


@pytest.mark.parametrize("name", NEVER)
def test_policy_that_fails_no_call_lets_it_through(name: str) -> None:
    example = RECORDS[name].example

    response = example.post(example.load(**NEVER[name].bench))

    assert (response.status_code, response.error) == (200, None)
