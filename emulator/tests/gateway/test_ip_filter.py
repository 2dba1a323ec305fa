import pytest

from apim_emulator.gateway import PolicyLoadError
from apim_emulator.gateway.loading.plan import compile_plan
from emulator.tests.gateway.harness import Bench, gateway, header, inbound

WHY = header("X-Why", '@(context.LastError.Reason + ": " + context.LastError.Message)')


def ip_filter(action: str, *entries: str) -> str:
    return f"<ip-filter action='{action}'>{''.join(entries)}</ip-filter>"


def address(text: str) -> str:
    return f"<address>{text}</address>"


def between(low: str, high: str) -> str:
    return f"<address-range from='{low}' to='{high}'/>"


@pytest.mark.parametrize(
    ("policy", "error"),
    [
        pytest.param(ip_filter("allow", address("127.0.0.1")), None, id="allowed"),
        pytest.param(ip_filter("allow", address("10.0.0.1"), between("127.0.0.0", "127.0.0.255")), None, id="range"),
        pytest.param(ip_filter("allow", address("::ffff:127.0.0.1")), None, id="IPv4 in IPv6"),
        pytest.param(ip_filter("allow", address('@("127.0.0." + 1)')), None, id="expression"),
        pytest.param(
            ip_filter("allow", address("127.0.0.2"), between("127.0.0.2", "127.0.0.9"), between("::", "::ffff")),
            "CallerIpNotAllowed: Caller IP address 127.0.0.1 is not allowed. Access denied.", id="not allowed",
        ),
        pytest.param(
            ip_filter("forbid", between("127.0.0.0", "127.0.0.2")),
            "CallerIpBlocked: Caller IP address is blocked. Access denied.", id="forbidden",
        ),
        pytest.param(ip_filter("forbid", address("10.0.0.1")), None, id="not forbidden"),
        pytest.param(
            ip_filter('@("for" + "bid")', address("127.0.0.1")),
            "CallerIpBlocked: Caller IP address is blocked. Access denied.", id="action from an expression",
        ),
        pytest.param(
            ip_filter("allow", address('@("nowhere")')),
            "ExpressionValueEvaluationFailure: Expression evaluation failed. FormatException", id="no address",
        ),
    ],
)  # fmt: skip
async def test_ip_filter(gateway_bench: Bench, policy: str, error: str | None) -> None:
    gateway_bench.load(inbound(policy, on_error=WHY))

    response = await gateway_bench.call()

    assert response.headers.get("X-Why") == error
    if error is None:
        assert response.status == 200
    else:
        assert gateway_bench.backend.calls == []
    if error is not None and error.startswith("Caller"):
        assert response.status == 403
        assert await response.text() == '{ "statusCode": 403, "message": "Forbidden" }'


async def test_forwarded_headers_do_not_change_who_calls(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound(ip_filter("allow", address("10.0.0.1"))))

    response = await gateway_bench.call(headers={"X-Forwarded-For": "10.0.0.1", "Forwarded": "for=10.0.0.1"})

    assert response.status == 403


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        pytest.param(ip_filter("deny", address("10.0.0.1")), "'deny' is not one of allow, forbid", id="action"),
        pytest.param(ip_filter("allow"), "at least one address", id="empty"),
        pytest.param(ip_filter("allow", address("10.0.0.0/8")), "address: not an IP address", id="CIDR"),
        pytest.param(ip_filter("allow", between("10.0.0.1", "x")), "address-range: not an IP address", id="range"),
        pytest.param(ip_filter("allow", "<address-range from='10.0.0.1'/>"), "attribute is missing", id="half a range"),
    ],
)
def test_ip_filter_is_refused_with_the_reason(policy: str, message: str) -> None:
    with pytest.raises(PolicyLoadError, match=message):
        compile_plan(gateway(inbound(policy)))
