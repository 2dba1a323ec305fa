"""What the data plane learns from documents, definitions and backends as they were created."""

import json
from typing import Any

import pytest

from apim_emulator.azure import CloudError
from apim_emulator.model import Backend, CircuitBreaker
from emulator.tests.azure.azure import DEFINITION, Azure

RAW = """\
<policies>
  <inbound>
    <choose>
      <when condition="@(context.Request.Headers.GetValueOrDefault("a", "") == "<b>" && true)">
        <set-backend-service backend-id="{}" />
      </when>
    </choose>
  </inbound>
</policies>"""
RULE: dict[str, Any] = {
    "name": "rule",
    "failureCondition": {
        "count": 3,
        "interval": "PT1M",
        "statusCodeRanges": [{"min": 429, "max": 429}, {"min": 500, "max": 599}],
        "errorReasons": ["Timeout"],
    },
    "tripDuration": "P1DT1H1M1.5S",
    "acceptRetryAfter": True,
}


@pytest.fixture
def service(azure: Azure) -> Azure:
    azure.service()
    azure.api()
    azure.backend()
    return azure


def test_raw_document_is_saved_as_it_was_given(service: Azure) -> None:
    text = RAW.format("openai-backend")
    service.policy("", value=text, format="rawxml")

    api = service.cloud.gateways()[0].apis[0]

    assert (api.policy, api.policy_format) == (text, "rawxml")


def test_fragment_has_a_format_of_its_own(service: Azure) -> None:
    service.apim("PolicyFragment", id="raw", format="rawxml", value='<fragment><trace source="@("a")"/></fragment>')
    service.apim("PolicyFragment", id="plain", value="<fragment/>")

    assert service.cloud.gateways()[0].raw_fragments == {"raw"}


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        pytest.param({"value": RAW.format("openai-backend")}, "line 4, column ", id="raw document as xml"),
        pytest.param(
            {"value": RAW.format("x"), "format": "rawxml"}, "line 5: backend-id 'x' does not exist", id="unknown"
        ),
        pytest.param(
            {"value": "<policies><a></policies>", "format": "rawxml"}, "line 1, column ", id="not well-formed"
        ),
        pytest.param({"value": "<!DOCTYPE p><policies/>", "format": "rawxml"}, "document type", id="document type"),
        pytest.param({"value": "<policies><x/></policies>", "format": "rawxml"}, "line 1: <x> is not a", id="section"),
    ],
)
def test_document_that_is_not_saved(service: Azure, inputs: dict[str, str], message: str) -> None:
    with pytest.raises(CloudError, match=message):
        service.policy("", **inputs)


def test_backend_of_a_raw_document_cannot_be_deleted(service: Azure) -> None:
    service.policy("", value=RAW.format("openai-backend"), format="rawxml")
    (backend,) = service.cloud.gateways()[0].backends
    found, _ = service.backend("other")

    with pytest.raises(CloudError, match="is used by the following entities"):
        service.cloud.delete(found.replace("other", backend.id))


def test_definition_given_in_full_reaches_the_data_plane(service: Azure) -> None:
    document = {"openapi": "3.0.0", "paths": {"/a": {"get": {"responses": {"200": {}}}}}}
    service.api("own", format="openapi+json", value=json.dumps(document))

    assert [api.definition for api in service.cloud.gateways()[0].apis] == [json.loads(DEFINITION), document]


def test_circuit_breaker_reaches_the_data_plane(service: Azure) -> None:
    service.backend("breaking", circuitBreaker={"rules": [RULE]})

    backends = {backend.id: backend for backend in service.cloud.gateways()[0].backends}

    assert isinstance(backends["breaking"], Backend)
    assert backends["breaking"].circuit_breaker == CircuitBreaker(
        interval=60,
        trip_duration=90_061.5,
        count=3,
        status_codes=((429, 429), (500, 599)),
        error_reasons=("Timeout",),
        accept_retry_after=True,
    )
    assert backends["openai-backend"].circuit_breaker is None


def condition(**changes: Any) -> dict[str, Any]:
    given = {**RULE["failureCondition"], **changes}
    return {**RULE, "failureCondition": {name: value for name, value in given.items() if value is not None}}


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        pytest.param(condition(percentage=50), "either count or percentage", id="two thresholds"),
        pytest.param(condition(count=None), "either count or percentage", id="no threshold"),
        pytest.param(condition(count=0), "count 0 must be at least 1", id="zero"),
        pytest.param(condition(count=None, percentage=101), "percentage 101 is not 1 to 100", id="percentage"),
        pytest.param(condition(statusCodeRanges=[], errorReasons=[]), "statusCodeRanges or errorReasons", id="nothing"),
        pytest.param(condition(statusCodeRanges=[{"min": 500, "max": 400}]), "no range within 200 to 599", id="range"),
        pytest.param(
            condition(statusCodeRanges=[{"min": 100, "max": 400}]), "no range within 200 to 599", id="too low"
        ),
        pytest.param(condition(errorReasons=["x"] * 11), "errorReasons has 11 entries; 10 are allowed", id="too many"),
        pytest.param(condition(interval="1 minute"), "interval '1 minute' is not an ISO 8601 duration", id="interval"),
        pytest.param(condition(interval="P"), "interval 'P' is not", id="empty duration"),
        pytest.param({**RULE, "tripDuration": "P1Y"}, "tripDuration 'P1Y' is not", id="years"),
    ],
)
def test_circuit_breaker_that_is_refused(service: Azure, rule: dict[str, Any], message: str) -> None:
    with pytest.raises(CloudError, match=message):
        service.backend("breaking", circuitBreaker={"rules": [rule]})
