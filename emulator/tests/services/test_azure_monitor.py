"""What reaches the tables of Log Analytics: what a gateway's diagnostics record of real calls."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from apim_emulator.clock import Clock
from apim_emulator.model import Component, Diagnostic, LlmLog, Logger, MessageLog, Workspace
from apim_emulator.services.azure_monitor import COLUMNS, MONITORING_METRICS_PUBLISHER, AzureMonitor, Row
from emulator.tests.gateway.harness import NOW, Bench, bench, inbound
from emulator.tests.gateway.models import CHAT_URL, HELLO, chat, event, stream
from emulator.tests.services.fake_control_plane import FakeControlPlane

LOGS, LLM = "ApiManagementGatewayLogs", "ApiManagementGatewayLlmLog"
WORKSPACE = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.OperationalInsights/workspaces/log"
COMPONENT = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Insights/components/appi"
SERVICE = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ApiManagement/service/contoso"
INSIGHTS = Logger(kind="applicationInsights", instrumentation_key="ikey")
MONITOR = Logger(kind="azureMonitor")
TOKENS = (
    "<llm-emit-token-metric namespace='models'><dimension name='API ID'/>"
    "<dimension name='Team' value='red'/></llm-emit-token-metric>"
)


@dataclass
class Watched:
    """A gateway whose diagnostics send to a workspace and to a component in it."""

    bench: Bench
    monitor: AzureMonitor
    cloud: FakeControlPlane

    def load(self, *diagnostics: Diagnostic, policy: str = "", backend: str = "<base/>", **changes: Any) -> None:
        """Serve one API with these diagnostics and policies."""
        known: dict[str, Any] = {
            "resource_id": SERVICE,
            "location": "swedencentral",
            "log_workspaces": {"GatewayLogs": (WORKSPACE,), "GatewayLlmLogs": (WORKSPACE,)},
            "api": {"diagnostics": diagnostics},
        }
        self.bench.load(inbound(policy, backend=backend), **(known | changes))

    async def chat(self, path: str = CHAT_URL, body: Any = HELLO, **options: Any) -> None:
        """Ask the model."""
        await self.bench.call(path, "POST", json=body, **options)

    def one(self, table: str) -> Row:
        """Return the only row of a table."""
        (row,) = self.monitor.table(table)
        return row


@pytest.fixture
async def watched() -> AsyncIterator[Watched]:
    cloud, clock = FakeControlPlane(), Clock(NOW)
    cloud.logs.append(Workspace(id=WORKSPACE, retention=30))
    cloud.insights.append(Component(id=COMPONENT, instrumentation_key="ikey", workspace_id=WORKSPACE))
    monitor = AzureMonitor(cloud, clock)
    async with bench(monitor=monitor, clock=clock) as running:
        running.backend.answer = chat(30, 5)
        yield Watched(running, monitor, cloud)


def insights(**changes: Any) -> Diagnostic:
    return Diagnostic(id="applicationinsights", logger=INSIGHTS, **changes)


def azure_monitor(**changes: Any) -> Diagnostic:
    return Diagnostic(id="azuremonitor", logger=MONITOR, **changes)


async def test_a_call_is_a_row_with_every_column_of_its_table(watched: Watched) -> None:
    watched.load(insights(metrics=True), azure_monitor(llm=LlmLog()), policy=TOKENS)

    await watched.chat()

    log, llm, request = watched.one(LOGS), watched.one(LLM), watched.one("AppRequests")
    for table in (LOGS, LLM, "AppRequests", "AppDependencies", "AppMetrics"):
        assert all(row.keys() == COLUMNS[table].keys() for row in watched.monitor.table(table))
    assert (log["ApiId"], log["OperationId"], log["Method"], log["ResponseCode"]) == ("api", "chat", "POST", 200)
    assert (log["IsRequestSuccess"], log["BackendResponseCode"], log["LastErrorReason"]) == (True, 200, None)
    assert log["BackendUrl"] == "https://contoso.openai.azure.com/openai/deployments/chat/chat/completions"
    assert log["TimeGenerated"] == datetime.fromtimestamp(NOW, UTC)
    assert (log["_ResourceId"], log["_SubscriptionId"], log["Region"]) == (SERVICE, "s", "swedencentral")
    assert (llm["CorrelationId"], llm["SequenceNumber"]) == (log["CorrelationId"], 0)
    assert (llm["PromptTokens"], llm["CompletionTokens"], llm["TotalTokens"]) == (30, 5, 35)
    assert (llm["DeploymentName"], llm["IsStreamCompletion"]) == ("chat", False)
    assert (request["ResultCode"], request["Success"], request["_ResourceId"]) == ("200", True, COMPONENT)


async def test_token_metrics_are_rows_with_their_dimensions(watched: Watched) -> None:
    watched.load(insights(metrics=True), policy=TOKENS)

    await watched.chat()

    rows = watched.monitor.table("AppMetrics")
    assert [(row["Name"], row["Sum"]) for row in rows] == [
        ("Total Tokens", 35.0),
        ("Prompt Tokens", 30.0),
        ("Completion Tokens", 5.0),
    ]
    assert rows[0]["Properties"] == {"API ID": "api", "Team": "red"}


async def test_metrics_need_a_diagnostic_with_metrics(watched: Watched) -> None:
    watched.load(insights(), azure_monitor(metrics=True), policy=TOKENS)

    await watched.chat()

    assert watched.monitor.table("AppMetrics") == []
    assert len(watched.bench.records[-1].metrics) == 3
    assert len(watched.monitor.table("AppRequests")) == 1


async def test_nothing_is_recorded_without_diagnostics(watched: Watched) -> None:
    watched.load(policy=TOKENS)

    await watched.chat()

    assert all(watched.monitor.table(table) == [] for table in COLUMNS)


async def test_logs_need_a_diagnostic_setting_of_the_service(watched: Watched) -> None:
    watched.load(azure_monitor(llm=LlmLog()), log_workspaces={"GatewayLogs": (WORKSPACE,)})

    await watched.chat()

    assert len(watched.monitor.table(LOGS)) == 1
    assert watched.monitor.table(LLM) == []


async def test_an_api_has_its_own_diagnostic_in_place_of_the_services(watched: Watched) -> None:
    watched.load(insights(sampling=0.0), diagnostics=(insights(), azure_monitor()))

    await watched.chat()

    assert watched.monitor.table("AppRequests") == []
    assert len(watched.monitor.table(LOGS)) == 1


async def test_a_refused_call_says_why(watched: Watched) -> None:
    watched.load(
        insights(),
        azure_monitor(),
        policy="<check-header name='X-Team' failed-check-httpcode='401' failed-check-error-message='no'/>",
    )

    await watched.chat()

    log = watched.one(LOGS)
    assert (log["ResponseCode"], log["IsRequestSuccess"]) == (401, False)
    assert (log["LastErrorReason"], log["LastErrorSource"], log["LastErrorSection"]) == (
        "HeaderNotFound",
        "check-header",
        "inbound",
    )
    assert (log["BackendResponseCode"], log["BackendId"]) == (None, None)
    assert watched.one("AppExceptions")["ExceptionType"] == "HeaderNotFound"
    assert watched.monitor.table("AppDependencies") == []


async def test_each_try_is_a_dependency_and_the_last_one_is_in_the_log(watched: Watched) -> None:
    answers = iter([429, 200])

    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.json_response({}, status=next(answers))

    watched.bench.backend.answer = answer
    watched.load(
        insights(),
        azure_monitor(),
        backend="<retry condition='@(context.Response.StatusCode == 429)' count='2' interval='0'>"
        "<forward-request buffer-request-body='true'/></retry>",
    )

    await watched.chat()

    assert [row["ResultCode"] for row in watched.monitor.table("AppDependencies")] == ["429", "200"]
    assert watched.one(LOGS)["BackendResponseCode"] == 200


@pytest.mark.parametrize(("percentage", "recorded"), [(100.0, 8), (50.0, 4), (25.0, 2), (0.0, 0)])
async def test_sampling_records_a_share_of_the_calls_and_says_how_many_each_stands_for(
    watched: Watched, percentage: float, recorded: int
) -> None:
    watched.load(insights(sampling=percentage, metrics=True), policy=TOKENS)

    for _ in range(8):
        await watched.chat()

    rows = watched.monitor.table("AppRequests")
    assert len(rows) == recorded
    assert {row["ItemCount"] for row in rows} <= {round(100 / percentage) if percentage else 1}
    assert len(watched.monitor.table("AppMetrics")) == 24


async def test_errors_are_recorded_whatever_the_sampling(watched: Watched) -> None:
    watched.load(azure_monitor(sampling=0.0, always_log_errors=True))

    await watched.chat()
    watched.bench.backend.answer = chat(status=500)
    await watched.chat()

    assert [row["ResponseCode"] for row in watched.monitor.table(LOGS)] == [500]


@pytest.mark.parametrize(
    ("identity", "role", "arrives"),
    [
        pytest.param("SystemAssigned", "system-principal", True, id="system-assigned with the role"),
        pytest.param("user-client", "user-principal", True, id="user-assigned with the role"),
        pytest.param("user-client", "system-principal", False, id="the role is another identity's"),
        pytest.param("SystemAssigned", None, False, id="without the role"),
        pytest.param(None, "system-principal", False, id="by the key alone"),
    ],
)
async def test_a_component_without_local_authentication_takes_what_an_identity_with_the_role_sends(
    watched: Watched, identity: str | None, role: str | None, arrives: bool
) -> None:
    watched.cloud.insights[:] = [
        Component(id=COMPONENT, instrumentation_key="ikey", workspace_id=WORKSPACE, local_auth=False)
    ]
    if role is not None:
        watched.cloud.roles.add((role, MONITORING_METRICS_PUBLISHER, COMPONENT))
    logger = Logger(kind="applicationInsights", instrumentation_key="ikey", identity=identity)
    watched.load(Diagnostic(id="applicationinsights", logger=logger))

    await watched.chat()

    assert bool(watched.monitor.table("AppRequests")) is arrives


async def test_prompts_are_recorded_only_where_they_are_asked_for(watched: Watched) -> None:
    watched.load(azure_monitor(llm=LlmLog(prompt_bytes=1000)))

    await watched.chat()

    tokens, prompt = watched.monitor.table(LLM)
    assert (tokens["RequestMessages"], tokens["ResponseMessages"], tokens["TotalTokens"]) == (None, None, 35)
    assert (prompt["RequestMessages"], prompt["ResponseMessages"]) == (HELLO["messages"], None)
    assert (prompt["SequenceNumber"], prompt["TotalTokens"]) == (1, None)
    assert prompt["CorrelationId"] == tokens["CorrelationId"]


async def test_messages_are_cut_off_at_their_limit_and_split_into_rows(watched: Watched) -> None:
    watched.load(azure_monitor(llm=LlmLog(prompt_bytes=40_000, completion_bytes=10)))

    await watched.chat(body={"messages": [{"role": "user", "content": "x" * 50_000}]})

    _, first, second, answer = watched.monitor.table(LLM)
    assert (len(first["RequestMessages"]), len(second["RequestMessages"])) == (32_768, 40_000 - 32_768)
    assert len(answer["ResponseMessages"]) == 10
    assert [row["SequenceNumber"] for row in (first, second, answer)] == [1, 2, 3]


async def test_a_stream_is_logged_without_being_held_back(watched: Watched) -> None:
    received = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(event({"model": "gpt-4o", "choices": [{"delta": {"content": "Hel"}}]}))
        await received.wait()
        await response.write(event({"choices": [{"delta": {"content": "lo"}}]}))
        await response.write(event({"choices": [], "usage": {"prompt_tokens": 30, "completion_tokens": 2}}))
        return response

    watched.bench.backend.answer = answer
    watched.load(
        azure_monitor(llm=LlmLog(prompt_bytes=1000, completion_bytes=1000)),
        backend="<forward-request buffer-response='false'/>",
    )

    response = await watched.bench.client.post(CHAT_URL, json=HELLO)
    await response.content.readany()
    received.set()
    await response.read()

    tokens, _, said = watched.monitor.table(LLM)
    assert (tokens["IsStreamCompletion"], tokens["TotalTokens"], tokens["ModelName"]) == (True, 32, "gpt-4o")
    assert said["ResponseMessages"] == [{"role": "assistant", "content": "Hello"}]


@pytest.mark.parametrize("size", [0, 20])
async def test_a_body_in_a_diagnostic_holds_the_response_back(watched: Watched, size: int) -> None:
    watched.bench.backend.answer = stream("Hel", "lo")
    watched.load(insights(response=MessageLog(body_bytes=size)))

    response = await watched.bench.client.post(CHAT_URL, json=HELLO)
    body = await response.read()

    assert ("Content-Length" in response.headers) is (size > 0)
    assert watched.one("AppRequests")["Properties"].get("Response-Body", "") == body[:size].decode()


async def test_headers_and_parameters_are_shown_as_the_diagnostic_says(watched: Watched) -> None:
    message = MessageLog(
        headers=("X-Team", "api-key", "Authorization"),
        masked_headers={"api-key": "Mask", "authorization": "Hide"},
        masked_query={"code": "Hide", "subscription-key": "Mask"},
    )
    watched.load(azure_monitor(request=message), insights())
    headers = {"X-Team": "red", "api-key": "k3y", "Authorization": "Bearer t0ken"}

    await watched.chat(f"{CHAT_URL}?api-version=1&code=c0de&subscription-key=k3y", headers=headers)

    log = watched.one(LOGS)
    assert log["RequestHeaders"] == {"X-Team": "red", "api-key": "*****"}
    assert log["Url"].endswith("/chat/completions?api-version=1&subscription-key=*****")
    assert watched.one("AppRequests")["Url"].endswith("subscription-key=k3y")


async def test_rows_are_gone_when_the_retention_of_their_table_is_over(watched: Watched) -> None:
    watched.cloud.logs[:] = [Workspace(id=WORKSPACE, retention=30, tables={LLM: 4})]
    watched.load(azure_monitor(llm=LlmLog()))
    await watched.chat()

    watched.bench.clock.advance(5 * 24 * 3600)
    assert (len(watched.monitor.table(LLM)), len(watched.monitor.table(LOGS))) == (0, 1)
    watched.bench.clock.advance(26 * 24 * 3600)

    assert watched.monitor.table(LOGS) == []


async def test_traces_below_the_verbosity_are_left_out(watched: Watched) -> None:
    traces = "".join(
        f"<trace source='s' severity='{name}'><message>{name}</message><metadata name='team' value='red'/></trace>"
        for name in ("verbose", "information", "error")
    )
    watched.load(insights(verbosity="information"), azure_monitor(verbosity="error"), policy=traces)

    await watched.chat()

    rows = watched.monitor.table("AppTraces")
    assert [(row["Message"], row["SeverityLevel"]) for row in rows] == [("information", 1), ("error", 3)]
    assert rows[0]["Properties"] == {"Source": "s", "team": "red"}
    assert [record["message"] for record in watched.one(LOGS)["TraceRecords"]] == ["error"]


def test_a_table_that_is_not_kept_is_an_error(directory: FakeControlPlane, clock: Clock) -> None:
    with pytest.raises(KeyError, match=r"Heartbeat.*ApiManagementGatewayLogs"):
        AzureMonitor(directory, clock).table("Heartbeat")
