"""`emit-metric`, `llm-emit-token-metric` and `trace`: what is recorded with a call."""

from typing import Any

import pytest

from apim_emulator.gateway import PolicyLoadError
from apim_emulator.gateway.telemetry import Metric, TraceEntry
from emulator.tests.gateway.harness import Bench, inbound
from emulator.tests.gateway.models import CHAT_URL, HELLO, HELLO_TOKENS, chat, stream

API = "<dimension name='API ID'/>"


def tokens(attributes: str = "", dimensions: str = API, name: str = "llm-emit-token-metric") -> str:
    return f"<{name} {attributes}>{dimensions}</{name}>"


async def metrics(bench: Bench, *policies: str, answer: Any = None, body: Any = None) -> tuple[Metric, ...]:
    bench.load(inbound(*policies))
    bench.backend.answer = answer or chat(30, 5)
    await bench.call(CHAT_URL, "POST", json=HELLO if body is None else body)
    return bench.records[-1].metrics


@pytest.mark.parametrize("name", ["llm-emit-token-metric", "azure-openai-emit-token-metric"])
async def test_token_metrics(gateway_bench: Bench, name: str) -> None:
    dimensions = "<dimension name='API ID'/><dimension name='Team' value='@(context.Request.Method)'/>"

    found = await metrics(gateway_bench, tokens("namespace='models'", dimensions, name))

    own = {"API ID": "api", "Team": "POST"}
    assert found == (
        Metric("models", "Total Tokens", 35.0, own),
        Metric("models", "Prompt Tokens", 30.0, own),
        Metric("models", "Completion Tokens", 5.0, own),
    )


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        pytest.param("value-type='total-tokens'", [("Total Tokens", 35.0)], id="total"),
        pytest.param("value-type='prompt-tokens'", [("Prompt Tokens", 30.0)], id="prompt"),
        pytest.param("value-type='completion-tokens'", [("Completion Tokens", 5.0)], id="completion"),
        pytest.param("value-type='total-tokens' name='Spent'", [("Spent", 35.0)], id="own name"),
        pytest.param("value-type='total-tokens' ignore-prompt='true'", [("Total Tokens", 5.0)], id="prompt ignored"),
    ],
)
async def test_which_tokens_are_reported(
    gateway_bench: Bench, attributes: str, expected: list[tuple[str, float]]
) -> None:
    found = await metrics(gateway_bench, tokens(attributes))

    assert [(metric.name, metric.value) for metric in found] == expected
    assert {metric.namespace for metric in found} == {"API Management"}


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        pytest.param((30, 5), 35.0, id="usage event"),
        pytest.param(None, float(HELLO_TOKENS + 10), id="estimate"),
    ],
)
async def test_tokens_of_a_stream(gateway_bench: Bench, usage: tuple[int, int] | None, expected: float) -> None:
    answer = stream("x" * 30, "y" * 10, usage=usage)

    found = await metrics(gateway_bench, tokens("value-type='total-tokens'"), answer=answer)

    assert [metric.value for metric in found] == [expected]


async def test_failed_call_reports_no_tokens(gateway_bench: Bench) -> None:
    assert await metrics(gateway_bench, tokens(), answer=chat(1, 1, status=500)) == ()


async def test_tokens_are_read_once_for_all_policies(gateway_bench: Bench) -> None:
    limit = "<llm-token-limit counter-key='k' tokens-per-minute='50' estimate-prompt-tokens='false'/>"

    found = await metrics(
        gateway_bench, limit, tokens("value-type='total-tokens'"), tokens("value-type='total-tokens'")
    )

    assert [metric.value for metric in found] == [35.0, 35.0]


async def test_emit_metric(gateway_bench: Bench) -> None:
    dimensions = (
        "<dimension name='Operation ID'/><dimension name='Gateway ID'/><dimension name='Product ID'/>"
        "<dimension name='Backend ID'/><dimension name='@(&quot;a&quot; + &quot;b&quot;)' value='c'/>"
    )
    chosen = "<set-backend-service backend-id='openai-backend'/>"
    policy = f"<emit-metric name='calls' value='@(1 + 1)' namespace='mine'>{dimensions}</emit-metric>"

    found = await metrics(gateway_bench, chosen, policy, f"<emit-metric name='one'>{API}</emit-metric>")

    own = {"Operation ID": "chat", "Gateway ID": "managed", "Product ID": "", "Backend ID": "openai-backend", "ab": "c"}
    assert found == (Metric("mine", "calls", 2.0, own), Metric("API Management", "one", 1.0, {"API ID": "api"}))


async def test_default_dimensions_are_added(gateway_bench: Bench) -> None:
    (found,) = await metrics(gateway_bench, f"<emit-metric name='m' default-dimensions='true'>{API}</emit-metric>")

    assert set(found.dimensions) >= {"API ID", "Operation ID", "Subscription ID", "Location"}


@pytest.mark.parametrize(("value", "number"), [("@(1.5)", 1.5), ("@(3)", 3.0), ("-2.5e-3", -0.0025)])
async def test_metric_value_is_a_double(gateway_bench: Bench, value: str, number: float) -> None:
    gateway_bench.load(inbound(f"<emit-metric name='m' value='{value}'>{API}</emit-metric>"))
    await gateway_bench.call()

    assert [metric.value for metric in gateway_bench.records[-1].metrics] == [number]


async def test_metric_value_that_is_no_number_fails_the_call(gateway_bench: Bench) -> None:
    value = "@((double)context.Variables[&quot;absent&quot;])"
    gateway_bench.load(inbound(f"<emit-metric name='m' value='{value}'>{API}</emit-metric>"))

    assert (await gateway_bench.call()).status == 500


async def test_trace_in_every_section(gateway_bench: Bench) -> None:
    policy = (
        "<trace source='{}' severity='information'><message> @(context.Request.Method) </message>"
        "<metadata name='team' value='@(context.Api.Id)'/></trace>"
    )
    gateway_bench.load(
        inbound(
            policy.format("in"), outbound=policy.format("out") + "<return-response/>", on_error=policy.format("err")
        )
    )

    response = await gateway_bench.call()

    assert response.status == 200
    assert gateway_bench.records[-1].traces == (
        TraceEntry("in", "information", "GET", {"team": "api"}),
        TraceEntry("out", "information", "GET", {"team": "api"}),
    )


async def test_six_dimensions_are_reported(gateway_bench: Bench) -> None:
    """The schema of the policy has ten, whatever they name."""
    dimensions = "".join(f"<dimension name='d{n}' value='v'/>" for n in range(6))

    found = await metrics(gateway_bench, tokens("value-type='total-tokens'", dimensions))

    assert [metric.dimensions for metric in found] == [{f"d{n}": "v" for n in range(6)}]


async def test_blanks_around_a_number_do_not_count(gateway_bench: Bench) -> None:
    found = await metrics(gateway_bench, f"<emit-metric name='m' value=' 2.5 '>{API}</emit-metric>")

    assert [metric.value for metric in found] == [2.5]


async def test_trace_is_verbose_by_default(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound("<trace source='s'><message>m</message></trace>"))
    await gateway_bench.call()

    assert gateway_bench.records[-1].traces == (TraceEntry("s", "verbose", "m"),)


async def test_message_may_be_the_text_of_the_policy(gateway_bench: Bench) -> None:
    gateway_bench.load(inbound("<trace source='s'> text </trace>", "<trace source='s'> @(\"a\" + 1) </trace>"))
    await gateway_bench.call()

    assert [entry.message for entry in gateway_bench.records[-1].traces] == ["text", "a1"]


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        pytest.param(tokens(dimensions=""), "needs at least one dimension", id="no dimension"),
        pytest.param(tokens(dimensions="<dimension name='Team'/>"), "needs a value", id="no value"),
        pytest.param(
            tokens(dimensions="".join(f"<dimension name='d{n}' value='v'/>" for n in range(11))),
            "at most 10 dimensions",
            id="dimensions",
        ),
        pytest.param(tokens("value-type='cost'"), "is not one of all, total-tokens", id="value type"),
        pytest.param(tokens("namespace='@(1)'"), "expression is not allowed", id="namespace"),
        pytest.param(f"<emit-metric>{API}</emit-metric>", "name: attribute is missing", id="no name"),
        pytest.param(f"<emit-metric name='m' value='x'>{API}</emit-metric>", "not a number", id="value"),
        pytest.param(
            f"<emit-metric name='m' value='@(context.RequestId.ToString())'>{API}</emit-metric>",
            "this is string where double is needed",
            id="value of type string",
        ),
        pytest.param(f"<emit-metric name='m' value='1_0'>{API}</emit-metric>", "not a number", id="value of Python"),
        pytest.param(f"<emit-metric name='m' value='inf'>{API}</emit-metric>", "not a number", id="infinite"),
        pytest.param("<trace source='s'/>", "needs a message", id="no message"),
        pytest.param("<trace><message>m</message></trace>", "source: attribute is missing", id="no source"),
        pytest.param("<trace source='s' severity='loud'><message>m</message></trace>", "is not one of", id="severity"),
        pytest.param("<trace source='s'>a<message>m</message></trace>", "text between elements", id="two messages"),
    ],
)
async def test_refused_documents(gateway_bench: Bench, policy: str, reason: str) -> None:
    with pytest.raises(PolicyLoadError, match=reason):
        gateway_bench.load(inbound(policy))
