"""Loggers: what each type takes, what is given out of it, and that nothing loses one that it needs."""

from typing import Any

import pytest

from apim_emulator.azure import CloudError
from emulator.tests.azure.azure import Azure

TOKEN = "azure-native:apimanagement:Logger"
CONNECTION = {"connectionString": "InstrumentationKey=k3y;IngestionEndpoint=https://sc.example/"}
AS_SYSTEM = {**CONNECTION, "identityClientId": "SystemAssigned"}


@pytest.fixture
def azure(azure: Azure) -> Azure:
    azure.service()
    return azure


def test_its_secrets_are_given_out_as_named_values(azure: Azure) -> None:
    _, outputs = azure.logger(credentials=AS_SYSTEM)

    shown = outputs["credentials"]
    assert shown["connectionString"].startswith("{{Logger-Credentials--")
    assert shown["identityClientId"] == "SystemAssigned"
    assert "k3y" not in str(outputs)


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        pytest.param({"loggerType": "splunk"}, "loggerType 'splunk' is not one of", id="unknown type"),
        pytest.param({"credentials": {}}, "instrumentationKey or connectionString is missing", id="no key"),
        pytest.param(
            {"credentials": {"identityClientId": "SystemAssigned"}},
            "instrumentationKey or connectionString is missing",
            id="an identity alone",
        ),
        pytest.param({"credentials": {"key": "k3y"}}, "key is no credential of a logger", id="unknown credential"),
        pytest.param(
            {"loggerType": "azureMonitor"}, "instrumentationKey is no credential", id="Azure Monitor takes none"
        ),
        pytest.param(
            {"loggerType": "azureEventHub", "credentials": CONNECTION}, "name is missing", id="an event hub has a name"
        ),
        pytest.param(
            {"credentials": {**CONNECTION, "identityClientId": "0f0e0d0c"}},
            "the service has no identity '0f0e0d0c'",
            id="an identity that the service lacks",
        ),
        pytest.param({"loggerId": "a#b"}, "loggerId 'a#b' does not match", id="name"),
    ],
)
def test_it_refuses(azure: Azure, inputs: dict[str, Any], told: str) -> None:
    with pytest.raises(CloudError, match=told):
        azure.logger(**inputs)


def test_it_keeps_its_type(azure: Azure) -> None:
    logger, _ = azure.logger()

    with pytest.raises(CloudError, match="the type of a logger cannot be changed"):
        azure.change("apimanagement:Logger", logger, loggerType="azureMonitor", credentials=None)


def test_it_stays_while_a_diagnostic_needs_it(azure: Azure) -> None:
    logger, _ = azure.logger()
    diagnostic, _ = azure.apim("Diagnostic", diagnosticId="applicationinsights", loggerId=logger)

    with pytest.raises(CloudError, match="the Logger 'insights' cannot be deleted: it is used by"):
        azure.cloud.delete(logger)

    azure.cloud.delete(diagnostic)
    azure.cloud.delete(logger)


def test_it_can_be_found(azure: Azure) -> None:
    logger, _ = azure.logger()

    args = {"resourceGroupName": "rg", "serviceName": "apim", "loggerId": "insights"}
    assert azure.cloud.invoke("azure-native:apimanagement:getLogger", args)["id"] == logger
