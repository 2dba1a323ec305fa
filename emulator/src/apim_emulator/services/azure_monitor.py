"""A stand-in for Azure Monitor: the tables of Log Analytics workspaces, as the gateway's diagnostics fill them.

Names and types of the columns are those of Microsoft's table references ("Azure Monitor Logs reference"). Rows of
Application Insights are in the workspace of its component, under the names that they have there: `AppRequests` and not
`requests`. What each column holds is inferred where the reference says no more than its name.
"""

import json
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from multidict import CIMultiDict

from apim_emulator.clock import Clock
from apim_emulator.gateway.telemetry import BackendCall, CallLog, LlmCall
from apim_emulator.model import Component, ControlPlane, Diagnostic, Gateway, MessageLog

__all__ = ["COLUMNS", "MONITORING_METRICS_PUBLISHER", "AzureMonitor", "Row"]

MONITORING_METRICS_PUBLISHER = "3913510d-42f4-4e42-8a64-420c390055eb"
"""Role definition *Monitoring Metrics Publisher*, with which an identity may send to Application Insights."""

Row = dict[str, Any]
"""A row of a table: every column, with None where there is nothing to say."""

_COMMON = "_BilledSize:real _IsBillable:string _ResourceId:string _SubscriptionId:string SourceSystem:string"
_EVERY = f"{_COMMON} TenantId:string TimeGenerated:datetime Type:string"
_APP = (
    f"{_EVERY} AppRoleInstance:string AppRoleName:string AppVersion:string ClientBrowser:string ClientCity:string "
    "ClientCountryOrRegion:string ClientIP:string ClientModel:string ClientOS:string ClientStateOrProvince:string "
    "ClientType:string IKey:string ItemCount:int OperationId:string OperationName:string ParentId:string "
    "Properties:dynamic ResourceGUID:string SDKVersion:string SessionId:string SyntheticSource:string "
    "UserAccountId:string UserAuthenticatedId:string UserId:string"
)
_TABLES = {
    "ApiManagementGatewayLogs": (
        f"{_EVERY} ApiId:string ApimSubscriptionId:string ApiRevision:string BackendId:string BackendMethod:string "
        "BackendProtocol:string BackendRequestBody:string BackendRequestHeaders:dynamic BackendResponseBody:string "
        "BackendResponseCode:int BackendResponseHeaders:dynamic BackendTime:long BackendUrl:string Cache:string "
        "CacheTime:long CallerIpAddress:string Category:string ClientProtocol:string ClientTime:long "
        "ClientTlsVersion:string CorrelationId:string Errors:dynamic IsMasterTrace:bool IsRequestSuccess:bool "
        "IsTraceAllowed:bool IsTraceExpired:bool IsTraceRequested:bool LastErrorElapsed:long LastErrorMessage:string "
        "LastErrorReason:string LastErrorScope:string LastErrorSection:string LastErrorSource:string Method:string "
        "OperationId:string OperationName:string ProductId:string Region:string RequestBody:string "
        "RequestHeaders:dynamic RequestSize:int ResponseBody:string ResponseCode:int ResponseHeaders:dynamic "
        "ResponseSize:int Timestamp:datetime TotalTime:long TraceRecords:dynamic Url:string UserId:string "
        "WorkspaceId:string"
    ),
    "ApiManagementGatewayLlmLog": (
        f"{_EVERY} ApiVersion:string CompletionTokens:int CorrelationId:string DeploymentName:string "
        "IsStreamCompletion:bool ModelName:string OperationName:string PromptTokens:int Region:string "
        "RequestId:string RequestMessages:dynamic ResponseMessages:dynamic SequenceNumber:int TotalTokens:int"
    ),
    "AppDependencies": (
        f"{_APP} Data:string DependencyType:string DurationMs:real Id:string Measurements:dynamic Name:string "
        "PerformanceBucket:string ResultCode:string Success:bool Target:string"
    ),
    "AppExceptions": (
        f"{_APP} Assembly:string Details:dynamic ExceptionType:string HandledAt:string InnermostAssembly:string "
        "InnermostMessage:string InnermostMethod:string InnermostType:string Measurements:dynamic Message:string "
        "Method:string OuterAssembly:string OuterMessage:string OuterMethod:string OuterType:string "
        "ProblemId:string SeverityLevel:int"
    ),
    "AppMetrics": f"{_APP} Max:real Min:real Name:string Sum:real",
    "AppRequests": (
        f"{_APP} DurationMs:real Id:string Measurements:dynamic Name:string PerformanceBucket:string "
        "ReferencedItemId:string ReferencedType:string ResultCode:string Source:string Success:bool Url:string"
    ),
    "AppTraces": f"{_APP} Measurements:dynamic Message:string ReferencedItemId:string ReferencedType:string "
    "SeverityLevel:int",
}
COLUMNS: Mapping[str, Mapping[str, str]] = {
    table: {name: kind for name, _, kind in (column.partition(":") for column in sorted(columns.split()))}
    for table, columns in _TABLES.items()
}
"""Columns of each table, with their Kusto types."""

_MOST_ROWS = 100_000
"""Most rows that a table of a workspace holds; the oldest go first."""
_DAY = 24 * 3600.0
_MESSAGE_BYTES = 32 * 1024
"""Most bytes of messages in a row ("Log token usage, prompts, and completions for LLM APIs")."""
_SEVERITIES = {"verbose": 0, "information": 1, "error": 3}
_MASKED = "*****"


class AzureMonitor:
    """Keeps what diagnostics send, in tables by workspace."""

    def __init__(self, cloud: ControlPlane, clock: Clock) -> None:
        """Start with empty tables; workspaces and components are those of the cloud."""
        self._cloud, self._clock = cloud, clock
        self._rows: dict[tuple[str, str], deque[tuple[float, Row]]] = defaultdict(lambda: deque(maxlen=_MOST_ROWS))

    def table(self, name: str, workspace: str | None = None) -> list[Row]:
        """Return the rows of a table, the oldest first: of all workspaces, or of the one with an ID.

        Rows are gone once the table's retention is over, and with their workspace. Raises `KeyError` for a table that
        is not kept.
        """
        if name not in COLUMNS:
            raise KeyError(f"{name!r} is not one of {', '.join(COLUMNS)}")
        kept: list[tuple[float, Row]] = []
        for found in self._cloud.workspaces():
            if workspace is not None and found.id.lower() != workspace.lower():
                continue
            since = self._clock.now() - found.tables.get(name, found.retention) * _DAY
            kept += [entry for entry in self._rows.get((found.id.lower(), name), ()) if entry[0] >= since]
        return [dict(row) for _, row in sorted(kept, key=lambda entry: entry[0])]

    def record(self, gateway: Gateway, diagnostic: Diagnostic, call: CallLog, *, sampled: bool) -> None:
        """Take what a diagnostic sends of a call."""
        if diagnostic.logger.kind == "applicationInsights":
            component = self._component(gateway, diagnostic)
            if component is not None:
                self._insights(gateway, diagnostic, call, component, sampled=sampled)
        elif diagnostic.logger.kind == "azureMonitor" and sampled:
            for workspace in gateway.log_workspaces.get("GatewayLogs", ()):
                self._put(workspace, "ApiManagementGatewayLogs", call, gateway, _gateway_log(gateway, diagnostic, call))
            if diagnostic.llm is not None and call.llm is not None:
                for workspace in gateway.log_workspaces.get("GatewayLlmLogs", ()):
                    for row in _llm_log(gateway, diagnostic, call, call.llm):
                        self._put(workspace, "ApiManagementGatewayLlmLog", call, gateway, row)

    def _component(self, gateway: Gateway, diagnostic: Diagnostic) -> Component | None:
        """Find the component that a logger sends to; None where it lets nothing in, which the gateway never hears."""
        key = diagnostic.logger.instrumentation_key
        component = next((one for one in self._cloud.components() if one.instrumentation_key == key), None)
        if component is None or (diagnostic.logger.identity is None and component.local_auth):
            return component
        wanted = diagnostic.logger.identity or ""
        for identity in gateway.identities:
            chosen = identity.system_assigned if wanted.lower() == "systemassigned" else identity.client_id == wanted
            if chosen and self._cloud.has_role(identity.principal_id, MONITORING_METRICS_PUBLISHER, component.id):
                return component
        return None

    def _insights(
        self, gateway: Gateway, diagnostic: Diagnostic, call: CallLog, component: Component, *, sampled: bool
    ) -> None:
        tables: list[tuple[str, Row]] = []
        if diagnostic.metrics:
            # Metrics are summed up before they are sent, so sampling leaves none out (inferred).
            tables += [("AppMetrics", row) for row in _metrics(call)]
        if sampled:
            tables.append(("AppRequests", _request(gateway, diagnostic, call)))
            tables += [("AppDependencies", _dependency(diagnostic, backend)) for backend in call.backends]
            tables += [("AppTraces", row) for row in _traces(diagnostic, call)]
            if call.error is not None or call.status >= 400:
                tables.append(("AppExceptions", _exception(call)))
        common = {
            "AppRoleName": f"{gateway.name}.azure-api.net {gateway.location}".strip(),
            "ClientIP": "0.0.0.0" if diagnostic.log_client_ip else None,  # noqa: S104 - how the service masks it
            "ClientType": "PC",
            "IKey": component.instrumentation_key,
            "OperationId": call.correlation_id.replace("-", ""),
            "OperationName": f"{call.api_id};rev=1 - {call.operation_id}",
            "_ResourceId": component.id,
        }
        for table, row in tables:
            items = 1 if table == "AppMetrics" else round(100 / diagnostic.sampling) if diagnostic.sampling else 1
            self._put(component.workspace_id, table, call, gateway, {"ItemCount": items, **common, **row})

    def _put(self, workspace: str, table: str, call: CallLog, gateway: Gateway, row: Row) -> None:
        filled: Row = dict.fromkeys(COLUMNS[table])
        filled |= {
            "SourceSystem": "Azure",
            "TimeGenerated": datetime.fromtimestamp(call.time, UTC),
            "Type": table,
            "_IsBillable": "true",
            "_ResourceId": gateway.resource_id,
            **row,
        }
        filled["_SubscriptionId"] = str(filled["_ResourceId"]).split("/")[2:3][0] if filled["_ResourceId"] else None
        self._rows[workspace.lower(), table].append((call.time, filled))


def _gateway_log(gateway: Gateway, diagnostic: Diagnostic, call: CallLog) -> Row:
    backend = call.backends[-1] if call.backends else None
    error = call.error
    row: Row = {
        "ApiId": call.api_id or "",
        "ApimSubscriptionId": call.subscription_id or "",
        "ApiRevision": "1" if call.api_id else "",
        "Cache": "none",
        "CallerIpAddress": call.ip_address if diagnostic.log_client_ip else None,
        "Category": "GatewayLogs",
        "ClientProtocol": "HTTP/1.1",
        "CorrelationId": call.correlation_id,
        "IsRequestSuccess": call.status < 400,
        "Method": call.method,
        "OperationId": call.operation_id or "",
        "OperationName": "Microsoft.ApiManagement/GatewayLogs",
        "ProductId": call.product_id or "",
        "Region": gateway.location,
        "RequestSize": call.request_size,
        "ResponseCode": call.status,
        "ResponseSize": call.response_size,
        "Timestamp": datetime.fromtimestamp(call.time, UTC),
        "TotalTime": round(call.milliseconds),
        "TraceRecords": [
            {"source": trace.source, "severity": trace.severity, "message": trace.message, **trace.metadata}
            for trace in call.traces
            if _SEVERITIES[trace.severity] >= _SEVERITIES[diagnostic.verbosity]
        ],
        "Url": _shown(call.url, call.query, diagnostic.request),
        "RequestHeaders": _headers(call.request_headers, diagnostic.request),
        "ResponseHeaders": _headers(call.response_headers, diagnostic.response),
        "RequestBody": _body(call.request_body, diagnostic.request),
        "ResponseBody": _body(call.response_body, diagnostic.response),
    }
    if backend is not None:
        row |= {
            "BackendId": backend.backend_id or "",
            "BackendMethod": backend.method,
            "BackendProtocol": "HTTP/1.1",
            "BackendResponseCode": backend.status,
            "BackendTime": round(sum(one.milliseconds for one in call.backends)),
            "BackendUrl": _shown(backend.url, backend.query, diagnostic.backend_request),
            "BackendRequestHeaders": _headers(backend.request_headers, diagnostic.backend_request),
            "BackendResponseHeaders": _headers(backend.response_headers, diagnostic.backend_response),
            "BackendRequestBody": _body(call.request_body, diagnostic.backend_request),
            "BackendResponseBody": _body(call.response_body, diagnostic.backend_response),
        }
    if error is not None:
        row |= {
            "LastErrorMessage": error.message,
            "LastErrorReason": error.reason,
            "LastErrorScope": error.scope,
            "LastErrorSection": error.section,
            "LastErrorSource": error.source,
            "Errors": [{"source": error.source, "reason": error.reason, "section": error.section}],
        }
    return row


def _llm_log(gateway: Gateway, diagnostic: Diagnostic, call: CallLog, llm: LlmCall) -> Iterator[Row]:
    """Give a row with the tokens, then the messages in rows of their own, numbered on."""
    common = {
        "ApiVersion": dict(parse_qsl(call.query)).get("api-version", ""),
        "CorrelationId": call.correlation_id,
        "IsStreamCompletion": llm.streamed,
        "OperationName": "Microsoft.ApiManagement/GatewayLlmLogs",
        "Region": gateway.location,
        "RequestId": llm.request_id,
    }
    yield common | {
        "CompletionTokens": llm.completion_tokens,
        "DeploymentName": llm.deployment,
        "ModelName": llm.model,
        "PromptTokens": llm.prompt_tokens,
        "SequenceNumber": 0,
        "TotalTokens": llm.prompt_tokens + llm.completion_tokens,
    }
    wanted = diagnostic.llm
    limits = (None, None) if wanted is None else (wanted.prompt_bytes, wanted.completion_bytes)
    number = 0
    for column, text, limit in zip(
        ("RequestMessages", "ResponseMessages"), (llm.prompt, llm.completion), limits, strict=True
    ):
        for chunk in _chunks(text, limit):
            number += 1
            yield common | {column: chunk, "SequenceNumber": number}


def _chunks(text: str | None, limit: int | None) -> Iterator[Any]:
    """Cut messages off at a limit (inferred: that the rest is lost), and into rows; whole ones are JSON."""
    if text is None or limit is None:
        return
    data = text.encode()
    if len(data) <= min(limit, _MESSAGE_BYTES):
        yield json.loads(text)
        return
    kept = data[:limit]
    for start in range(0, len(kept), _MESSAGE_BYTES):
        yield kept[start : start + _MESSAGE_BYTES].decode(errors="ignore")


def _metrics(call: CallLog) -> Iterator[Row]:
    for metric in call.metrics:
        yield {
            "ItemCount": 1,
            "Max": metric.value,
            "Min": metric.value,
            "Name": metric.name,
            "Properties": dict(metric.dimensions),
            "Sum": metric.value,
        }


def _request(gateway: Gateway, diagnostic: Diagnostic, call: CallLog) -> Row:
    properties = {
        "API Name": call.api_id or "",
        "API Revision": "1",
        "Cache": "None",
        "HTTP Method": call.method,
        "Operation Name": call.operation_id or "",
        "Region": gateway.location,
        "Request Id": call.correlation_id,
        "Service ID": gateway.name,
        "Service Name": f"{gateway.name}.azure-api.net",
        "Service Type": "API Management",
        "Subscription Name": call.subscription_id or "",
    }
    properties |= {
        f"Request-{name}": value for name, value in _headers(call.request_headers, diagnostic.request).items()
    }
    properties |= {
        f"Response-{name}": value for name, value in _headers(call.response_headers, diagnostic.response).items()
    }
    for name, body, message in (
        ("Request-Body", call.request_body, diagnostic.request),
        ("Response-Body", call.response_body, diagnostic.response),
    ):
        if (text := _body(body, message)) is not None:
            properties[name] = text
    return {
        "DurationMs": call.milliseconds,
        "Id": call.correlation_id.replace("-", "")[:16],
        "Name": f"{call.method} {urlsplit(call.url).path}",
        "Properties": properties,
        "ResultCode": str(call.status),
        "Success": call.status < 400,
        "Url": _shown(call.url, call.query, diagnostic.request),
    }


def _dependency(diagnostic: Diagnostic, backend: BackendCall) -> Row:
    return {
        "Data": _shown(backend.url, backend.query, diagnostic.backend_request),
        "DependencyType": "Backend",
        "DurationMs": backend.milliseconds,
        "Name": f"{backend.method} {urlsplit(backend.url).path}",
        "Properties": {"Backend ID": backend.backend_id or ""},
        "ResultCode": "0" if backend.status is None else str(backend.status),
        "Success": backend.status is not None and backend.status < 400,
        "Target": urlsplit(backend.url).netloc,
    }


def _traces(diagnostic: Diagnostic, call: CallLog) -> Iterator[Row]:
    least = _SEVERITIES[diagnostic.verbosity]
    for trace in call.traces:
        if (severity := _SEVERITIES[trace.severity]) >= least:
            yield {
                "Message": trace.message,
                "Properties": {"Source": trace.source, **trace.metadata},
                "SeverityLevel": severity,
            }


def _exception(call: CallLog) -> Row:
    reason = "BackendResponse" if call.error is None else call.error.reason
    message = f"the response has status {call.status}" if call.error is None else call.error.message
    return {
        "ExceptionType": reason,
        "OuterMessage": message,
        "OuterType": reason,
        "ProblemId": reason,
        "SeverityLevel": 3,
    }


def _shown(url: str, query: str, message: MessageLog) -> str:
    """Return a URL as a diagnostic shows it: without the parameters that it hides, and with others masked."""
    masks = {name.lower(): mode for name, mode in message.masked_query.items()}
    shown = []
    for name, value in parse_qsl(query, keep_blank_values=True):
        mode = masks.get(name.lower(), masks.get("*"))
        if mode != "Hide":
            shown.append((name, _MASKED if mode else value))
    return f"{url}?{urlencode(shown, safe='*')}" if shown else url


def _headers(headers: CIMultiDict[str], message: MessageLog) -> Row:
    """Return the headers that a diagnostic names, as far as it does not hide them."""
    masks = {name.lower(): mode for name, mode in message.masked_headers.items()}
    found = {}
    for name in message.headers:
        mode = masks.get(name.lower(), masks.get("*"))
        if name in headers and mode != "Hide":
            found[name] = _MASKED if mode else ", ".join(headers.getall(name))
    return found


def _body(body: bytes, message: MessageLog) -> str | None:
    return body[: message.body_bytes].decode(errors="replace") if message.body_bytes else None
