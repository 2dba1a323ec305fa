from typing import Any

import pytest
from pulumi.runtime.proto import provider_pb2

from apim_emulator.pulumi.naming import CREATE_BEFORE_DELETE
from apim_emulator.pulumi.property_values import UNKNOWN, plain
from emulator.tests.pulumi.client import (
    ACCOUNT,
    GATEWAY,
    GROUP,
    NAMED_VALUE,
    OPENAI,
    ROLE_ASSIGNMENT,
    SECRET_VALUE,
    SERVICE,
    Client,
    secret,
)

Options = provider_pb2.CheckRequest.AutonamingOptions


@pytest.mark.parametrize(
    ("token", "inputs", "property_", "reason"),
    [
        pytest.param("azure-native:web:WebAp", {}, "", "does not exist", id="unknown type"),
        pytest.param(SERVICE, {}, "publisherEmail", "publisherEmail is missing", id="missing property"),
        pytest.param(SERVICE, GATEWAY | {"publisher": "x"}, "publisher", "did you mean", id="unknown property"),
        pytest.param(SERVICE, GATEWAY | {"sku": {"name": "BasicV2"}}, "sku", "sku.capacity is missing", id="nested"),
        pytest.param(
            ACCOUNT, OPENAI | {"properties": {"disableLocal": True}}, "properties", "did you mean", id="unknown nested"
        ),
        pytest.param(
            SERVICE, GATEWAY | {"sku": {"name": "Huge", "capacity": 1}}, "sku", "'Huge' is not one of", id="enum"
        ),
        pytest.param(SERVICE, GATEWAY | {"serviceName": "1"}, "serviceName", "does not match", id="pattern"),
    ],
)
def test_what_a_type_does_not_take_is_a_failure_of_the_property(
    client: Client, token: str, inputs: dict[str, Any], property_: str, reason: str
) -> None:
    (failure,) = client.check(token, inputs).failures

    assert failure.property == property_
    assert reason in failure.reason


def test_inputs_come_back_as_they_were(client: Client) -> None:
    inputs = {
        "resourceGroupName": "rg",
        "serviceName": UNKNOWN,
        "namedValueId": "key",
        "displayName": "key",
        "secret": True,
        "value": secret(SECRET_VALUE),
    }

    checked = client.checked(NAMED_VALUE, inputs)

    assert plain(checked) == plain(inputs)
    assert checked["value"] == secret(SECRET_VALUE)


def test_a_failure_does_not_tell_a_secret(client: Client) -> None:
    (failure,) = client.check(GROUP, {SECRET_VALUE: secret(SECRET_VALUE)}).failures

    assert SECRET_VALUE not in failure.reason
    assert "[secret]" in failure.reason


def test_a_name_is_the_logical_one_and_a_suffix(client: Client) -> None:
    name = client.checked(GROUP, {"location": "swedencentral"}, name="gateway")["resourceGroupName"]

    assert name.startswith("gateway")
    assert len(name) == len("gateway") + 8


def test_a_name_follows_from_the_seed(client: Client) -> None:
    inputs = {"location": "swedencentral"}
    names = [client.checked(GROUP, inputs, seed=seed)["resourceGroupName"] for seed in (b"a", b"a", b"b")]

    assert names[0] == names[1] != names[2]


def test_a_name_stays(client: Client) -> None:
    olds = {"location": "swedencentral", "resourceGroupName": "thing01234567"}

    checked = client.checked(GROUP, {"location": "swedencentral"}, olds=olds, seed=b"other")

    assert checked["resourceGroupName"] == "thing01234567"


def test_a_made_up_name_is_noted_and_a_given_one_is_not(client: Client) -> None:
    made_up = client.checked(GROUP, {"location": "x"})
    given = client.checked(GROUP, {"location": "x", "resourceGroupName": "rg"})

    assert made_up[CREATE_BEFORE_DELETE] is True
    assert CREATE_BEFORE_DELETE not in given
    assert client.checked(GROUP, {"location": "x"}, olds=made_up)[CREATE_BEFORE_DELETE] is True
    assert CREATE_BEFORE_DELETE not in client.checked(GROUP, {"location": "x"}, olds=given)


def test_a_given_name_is_kept(client: Client) -> None:
    assert client.checked(GROUP, {"location": "x", "resourceGroupName": "rg"})["resourceGroupName"] == "rg"


def test_a_role_assignment_is_named_by_a_guid(client: Client) -> None:
    inputs = {"principalId": "p", "roleDefinitionId": "r", "scope": "/subscriptions/s"}

    assert len(client.checked(ROLE_ASSIGNMENT, inputs)["roleAssignmentName"]) == 36


def test_a_proposed_name_is_taken(client: Client) -> None:
    options = Options(proposed_name="rg-proposed", mode=Options.ENFORCE)

    assert client.checked(GROUP, {"location": "x"}, autonaming=options)["resourceGroupName"] == "rg-proposed"


def test_a_name_is_required_where_naming_is_disabled(client: Client) -> None:
    (failure,) = client.check(GROUP, {"location": "x"}, autonaming=Options(mode=Options.DISABLE)).failures

    assert failure.property == "resourceGroupName"


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        pytest.param({}, "swedencentral", id="left out"),
        pytest.param({"location": "francecentral"}, "francecentral", id="given"),
        pytest.param({"location": UNKNOWN}, UNKNOWN, id="unknown"),
    ],
)
def test_the_configured_location_is_that_of_resources_without_one(
    client: Client, inputs: dict[str, Any], expected: Any
) -> None:
    client.configure(location="swedencentral")

    assert plain(client.checked(GROUP, inputs))["location"] == expected


def test_another_configured_location_moves_nothing_that_exists(client: Client) -> None:
    client.configure(location="francecentral")
    olds = {"location": "swedencentral", "resourceGroupName": "thing01234567"}

    assert client.checked(GROUP, {}, olds=olds)["location"] == "swedencentral"
    assert client.checked(GROUP, {"location": "westeurope"}, olds=olds)["location"] == "westeurope"


def test_a_type_without_a_location_gets_none(client: Client) -> None:
    client.configure(location="swedencentral")
    inputs = {"resourceGroupName": "rg", "serviceName": "apim", "displayName": "key", "value": "x"}

    assert "location" not in client.checked(NAMED_VALUE, inputs)
