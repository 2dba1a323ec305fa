"""Diagnostics of a service and of its APIs: what they need, what they refuse, and what the gateway sees of them."""

from collections.abc import Callable
from typing import Any

import pytest

from apim_emulator.azure import CloudError
from apim_emulator.model import Diagnostic, LlmLog, MessageLog
from emulator.tests.azure.azure import Azure

LLM = {"logs": "enabled", "requests": {"messages": "all", "maxSizeInBytes": 1000}}
Create = Callable[..., tuple[str, dict[str, Any]]]


@pytest.fixture
def azure(azure: Azure) -> Azure:
    azure.service()
    azure.api()
    azure.logger()
    azure.logger("monitor", loggerType="azureMonitor", credentials=None)
    return azure


def of_service(azure: Azure, name: str = "applicationinsights", **inputs: Any) -> tuple[str, dict[str, Any]]:
    given = {"loggerId": f"{azure.service_id()}/loggers/insights"}
    return azure.apim("Diagnostic", diagnosticId=name, **given | inputs)


def of_api(azure: Azure, name: str = "applicationinsights", **inputs: Any) -> tuple[str, dict[str, Any]]:
    given = {"loggerId": f"{azure.service_id()}/loggers/insights"}
    return azure.apim("ApiDiagnostic", apiId="openai", diagnosticId=name, **given | inputs)


def generic(azure: Azure, **properties: Any) -> tuple[str, dict[str, Any]]:
    return azure.create(
        "resources:Resource",
        apiVersion="2024-06-01-preview",
        resourceGroupName="rg",
        resourceProviderNamespace="Microsoft.ApiManagement",
        parentResourcePath="service/apim/apis/openai",
        resourceType="diagnostics",
        resourceName="azuremonitor",
        properties={"loggerId": f"{azure.service_id()}/loggers/monitor", **properties},
    )


def seen(azure: Azure) -> tuple[Diagnostic, ...]:
    return azure.cloud.gateways()[0].apis[0].diagnostics


def test_the_gateway_sees_those_of_the_service_and_those_of_the_api(azure: Azure) -> None:
    of_service(azure)
    of_api(
        azure,
        metrics=True,
        alwaysLog="allErrors",
        sampling={"samplingType": "fixed", "percentage": 25},
        frontend={
            "request": {"headers": ["X-Team"], "body": {"bytes": 10}},
            "response": {"dataMasking": {"queryParams": [{"value": "*", "mode": "Hide"}]}},
        },
    )

    (gateway,) = azure.cloud.gateways()
    assert [found.id for found in gateway.diagnostics] == ["applicationinsights"]
    (found,) = seen(azure)
    assert (found.metrics, found.always_log_errors, found.sampling) == (True, True, 25)
    assert found.request == MessageLog(headers=("X-Team",), body_bytes=10)
    assert found.response == MessageLog(masked_query={"*": "Hide"})
    assert (found.logger.kind, found.logger.instrumentation_key) == ("applicationInsights", "k3y")


@pytest.mark.parametrize("create", [of_service, of_api])
@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        pytest.param({"name": "appinsights"}, "'appinsights' is not one of applicationinsights, azuremonitor", id="id"),
        pytest.param({"loggerId": "/loggers/absent"}, "Logger Id 'absent' does not exist", id="logger"),
        pytest.param({"loggerId": "/loggers/monitor"}, "needs a logger of type applicationInsights", id="its type"),
        pytest.param({"name": "azuremonitor"}, "needs a logger of type azureMonitor", id="the other's type"),
        pytest.param(
            {"name": "azuremonitor", "loggerId": "/loggers/monitor", "httpCorrelationProtocol": "W3C"},
            "httpCorrelationProtocol belongs to applicationinsights",
            id="correlation",
        ),
        pytest.param({"sampling": {"percentage": 100.5}}, "is not 0 to 100", id="more than every call"),
        pytest.param({"sampling": {"percentage": -1}}, "is not 0 to 100", id="fewer than none"),
        pytest.param({"frontend": {"request": {"body": {"bytes": 8193}}}}, "is not 0 to 8192", id="body"),
        pytest.param({"verbosity": "all"}, "verbosity 'all' is not one of", id="verbosity"),
        pytest.param({"alwaysLog": "all"}, "alwaysLog 'all' is not one of", id="always"),
        pytest.param(
            {"backend": {"response": {"dataMasking": {"headers": [{"value": "a", "mode": "No"}]}}}},
            "mode 'No' is not one of Mask, Hide",
            id="mask",
        ),
        pytest.param({"largeLanguageModel": LLM}, "largeLanguageModel is not a property of this type", id="too new"),
    ],
)
def test_it_refuses(azure: Azure, create: Create, inputs: dict[str, Any], told: str) -> None:
    with pytest.raises(CloudError, match=told):
        create(azure, **inputs)


def test_sizes_at_the_limit_are_taken(azure: Azure) -> None:
    of_api(azure, sampling={"percentage": 0}, frontend={"request": {"body": {"bytes": 8192}}})

    (found,) = seen(azure)
    assert (found.sampling, found.request.body_bytes) == (0, 8192)


def test_another_id_is_another_diagnostic_and_a_change_is_none(azure: Azure) -> None:
    made, _ = of_api(azure)
    token, inputs = "azure-native:apimanagement:ApiDiagnostic", {"apiId": "openai", "diagnosticId": "azuremonitor"}
    before = azure.cloud.inputs_of(token, made)

    assert azure.cloud.diff(token, before, before | inputs).replace
    assert not azure.cloud.diff(token, before, before | {"metrics": True}).replace
    azure.change("apimanagement:ApiDiagnostic", made, metrics=True)
    assert seen(azure)[0].metrics


def test_what_the_types_lack_is_taken_of_a_generic_resource(azure: Azure) -> None:
    made, outputs = generic(azure, largeLanguageModel=LLM)

    assert seen(azure)[0].llm == LlmLog(prompt_bytes=1000, completion_bytes=None)
    assert outputs["properties"]["largeLanguageModel"] == LLM
    azure.change(
        "resources:Resource",
        made,
        properties={"loggerId": "/loggers/monitor", "largeLanguageModel": {"logs": "enabled"}},
    )
    assert seen(azure)[0].llm == LlmLog(prompt_bytes=None, completion_bytes=None)
    azure.cloud.delete(made)
    assert seen(azure) == ()


@pytest.mark.parametrize(
    ("properties", "told"),
    [
        pytest.param({"largeLanguageModel": {"logs": "on"}}, "logs 'on' is not one of enabled, disabled", id="logs"),
        pytest.param(
            {"largeLanguageModel": {"logs": "enabled", "requests": {"messages": "all", "maxSizeInBytes": 262145}}},
            "maxSizeInBytes 262145 is not 1 to 262144",
            id="size",
        ),
        pytest.param({"largeLanguageModels": {}}, "largeLanguageModels is not a property", id="unknown"),
        pytest.param({"loggerId": "/loggers/absent"}, "Logger Id 'absent' does not exist", id="logger"),
    ],
)
def test_a_generic_one_is_checked_like_one_of_its_own_type(azure: Azure, properties: dict[str, Any], told: str) -> None:
    with pytest.raises(CloudError, match=told):
        generic(azure, **properties)


def test_a_generic_one_holds_its_logger_too(azure: Azure) -> None:
    generic(azure)

    with pytest.raises(CloudError, match="the Logger 'monitor' cannot be deleted"):
        azure.cloud.delete(f"{azure.service_id()}/loggers/monitor")
