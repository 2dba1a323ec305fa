"""What diagnostics of a service and of its APIs have in common."""

from collections.abc import Iterator, Mapping
from typing import Any

from apim_emulator.azure.exceptions import ValidationError
from apim_emulator.azure.providers.apimanagement import API_DIAGNOSTIC, DIAGNOSTIC, LOGGER
from apim_emulator.azure.providers.resources import RESOURCE
from apim_emulator.azure.resource_types import Shape, Text
from apim_emulator.azure.state import Properties, Resource, State
from apim_emulator.model import Diagnostic, LlmLog, Logger, MessageLog

_MOST_BYTES = 8192
_LOGGER_OF = {"applicationinsights": "applicationInsights", "azuremonitor": "azureMonitor"}
"""Type of logger by diagnostic (azurerm #29050: `azuremonitor` refuses a logger of Application Insights)."""
_MOST_MESSAGE_BYTES = 262_144
"""Most bytes of a prompt or completion that samples of Microsoft ask for (inferred: that it is the most)."""
_MASK = Shape("", "mode value", mode=Text(values=("Mask", "Hide")))
_MESSAGE = Shape(
    "",
    "body dataMasking headers",
    body=Shape("", "bytes"),
    dataMasking=Shape("", "headers queryParams", headers=_MASK, queryParams=_MASK),
)
_PIPELINE = Shape("", "request response", request=_MESSAGE, response=_MESSAGE)
_MESSAGES = Shape("", "maxSizeInBytes messages", messages=Text(values=("all",)))
NAMES = "alwaysLog backend frontend httpCorrelationProtocol logClientIp metrics operationNameFormat sampling verbosity"
"""Properties that may be left out."""
INSIDE: Mapping[str, Shape | Text] = {
    "alwaysLog": Text(values=("allErrors",)),
    "backend": _PIPELINE,
    "frontend": _PIPELINE,
    "httpCorrelationProtocol": Text(values=("None", "Legacy", "W3C")),
    "operationNameFormat": Text(values=("Name", "Url")),
    "sampling": Shape("", "percentage samplingType", samplingType=Text(values=("fixed",))),
    "verbosity": Text(values=("verbose", "information", "error")),
}
PATTERN = r"^[^*#&+:<>?]{1,80}$"
LLM = "largeLanguageModel"
"""Property of the type from 2024-06-01-preview on (Azure/bicep-types-az)."""
LLM_SHAPE = Shape(
    "",
    "logs requests responses",
    logs=Text(values=("enabled", "disabled")),
    requests=_MESSAGES,
    responses=_MESSAGES,
)


def complete(state: State, resource: Resource, parent: Resource) -> None:
    """Check a diagnostic, and find its logger."""
    inputs = resource.inputs
    name = resource.name.lower()
    if name not in _LOGGER_OF:
        raise ValidationError(f"the diagnostic {resource.name!r} is not one of {', '.join(_LOGGER_OF)}", "diagnosticId")
    service = "/".join(parent.id.split("/")[:9])
    given = str(inputs["loggerId"]).rstrip("/")
    logger = state.find(given if given.lower().startswith(service.lower()) else f"{service}{given}")
    if logger is None or logger.token != LOGGER:
        # Azure/apiops #669 quotes code, target and words.
        raise ValidationError(f"Logger Id '{given.rsplit('/', 1)[-1]}' does not exist", "loggerId")
    wanted = _LOGGER_OF[name]
    if logger.inputs["loggerType"] != wanted:
        raise ValidationError(
            f"the diagnostic {resource.name} needs a logger of type {wanted}, not {logger.inputs['loggerType']}",
            "loggerId",
        )
    if name == "azuremonitor" and inputs.get("httpCorrelationProtocol") not in {None, "None"}:
        # Inferred from samples: the protocol is one of Application Insights.
        raise ValidationError("httpCorrelationProtocol belongs to applicationinsights", "httpCorrelationProtocol")
    percentage = (inputs.get("sampling") or {}).get("percentage")
    if percentage is not None and not 0 <= percentage <= 100:
        raise ValidationError(f"sampling.percentage {percentage} is not 0 to 100", "sampling.percentage")
    for where in ("frontend", "backend"):
        for message in ("request", "response"):
            size = _body_bytes((inputs.get(where) or {}).get(message) or {})
            if not 0 <= size <= _MOST_BYTES:
                raise ValidationError(
                    f"{where}.{message}.body.bytes {size} is not 0 to {_MOST_BYTES}", f"{where}.{message}.body.bytes"
                )
    resource.private["logger"] = logger.id.lower()


def check_llm(llm: Properties) -> None:
    """Refuse sizes out of range."""
    LLM_SHAPE.check(llm, LLM)
    for name in ("requests", "responses"):
        size = (llm.get(name) or {}).get("maxSizeInBytes")
        if size is not None and not 0 < size <= _MOST_MESSAGE_BYTES:
            raise ValidationError(f"{LLM}.{name}.maxSizeInBytes {size} is not 1 to {_MOST_MESSAGE_BYTES}")


def diagnostics(state: State, under: str) -> Iterator[Resource]:
    """All diagnostics below a service or an API, by whichever type they were given."""
    for token in (DIAGNOSTIC, API_DIAGNOSTIC, RESOURCE):
        for found in state.of(token, under=under):
            if found.id.rsplit("/", 2)[1] == "diagnostics":
                yield found


def of(state: State, scope: Resource) -> tuple[Diagnostic, ...]:
    """Diagnostics of a service or an API itself, as the data plane sees them."""
    return tuple(
        _diagnostic(state, found)
        for found in diagnostics(state, scope.id)
        if found.id.lower().startswith(f"{scope.id}/diagnostics/".lower())
    )


def _diagnostic(state: State, resource: Resource) -> Diagnostic:
    given = resource.inputs.get("properties") or {} if resource.token == RESOURCE else resource.inputs
    logger = state.find(resource.private["logger"])
    frontend, backend = given.get("frontend") or {}, given.get("backend") or {}
    llm = given.get(LLM) or {}
    return Diagnostic(
        id=resource.name.lower(),
        logger=Logger(kind="") if logger is None else _logger(logger),
        sampling=(given.get("sampling") or {}).get("percentage", 100.0),
        always_log_errors=given.get("alwaysLog") == "allErrors",
        metrics=bool(given.get("metrics")),
        verbosity=given.get("verbosity") or "information",
        log_client_ip=bool(given.get("logClientIp")),
        request=_message(frontend.get("request") or {}),
        response=_message(frontend.get("response") or {}),
        backend_request=_message(backend.get("request") or {}),
        backend_response=_message(backend.get("response") or {}),
        llm=LlmLog(prompt_bytes=_size(llm.get("requests")), completion_bytes=_size(llm.get("responses")))
        if llm.get("logs") == "enabled"
        else None,
    )


def _logger(logger: Resource) -> Logger:
    credentials = logger.private["credentials"]
    key = credentials.get("instrumentationKey")
    for part in str(credentials.get("connectionString") or "").split(";"):
        name, _, value = part.partition("=")
        if name.strip().lower() == "instrumentationkey":
            key = value.strip()
    return Logger(
        kind=logger.inputs["loggerType"], instrumentation_key=key, identity=credentials.get("identityClientId")
    )


def _message(given: Mapping[str, Any]) -> MessageLog:
    masking = given.get("dataMasking") or {}
    return MessageLog(
        headers=tuple(given.get("headers") or ()),
        body_bytes=_body_bytes(given),
        masked_headers=_masks(masking.get("headers")),
        masked_query=_masks(masking.get("queryParams")),
    )


def _masks(entries: Any) -> Mapping[str, str]:
    return {str(entry.get("value")): str(entry.get("mode") or "Mask") for entry in entries or ()}


def _body_bytes(message: Mapping[str, Any]) -> int:
    return int((message.get("body") or {}).get("bytes") or 0)


def _size(messages: Any) -> int | None:
    """Most bytes of messages, which `messages: all` asks for; 32 KiB where it names no size (inferred)."""
    return None if not messages or messages.get("messages") != "all" else messages.get("maxSizeInBytes") or 32_768
