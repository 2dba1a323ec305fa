"""Pulumi's mocks, asked by Pulumi's own monitor, as in a unit test, rather than by the one of `deploy`."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pulumi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pulumi.runtime import rpc

from apim_emulator.azure import Cloud, CloudError
from apim_emulator.pulumi import AzureMocks
from apim_emulator.pulumi.property_values import UNKNOWN, decode, encode, has_unknown, is_secret, plain

UNIT_TESTS = Path(__file__).parent / "programs" / "unit_tests.py"
SECRET = rpc.wrap_rpc_secret("s3cr3t")


def resource(inputs: dict[str, Any], **options: Any) -> pulumi.runtime.MockResourceArgs:
    return pulumi.runtime.MockResourceArgs(
        typ=options.pop("typ", "azure-native:resources:ResourceGroup"), name="group", inputs=inputs, **options
    )


def test_a_resource_is_created_and_recorded() -> None:
    mocks = AzureMocks(Cloud(), location="swedencentral")

    resource_id, outputs = mocks.new_resource(resource({"tags": rpc.wrap_rpc_secret({"a": "b"})}))

    assert resource_id
    assert outputs["location"] == "swedencentral"
    assert outputs["tags"] == rpc.wrap_rpc_secret({"a": "b"})
    (recorded,) = mocks.registrations
    assert recorded.inputs == {"tags": {"a": "b"}}
    assert recorded.secret_inputs == {"tags"}


def test_components_and_providers_are_recorded_and_not_created() -> None:
    mocks = AzureMocks(Cloud())

    component, _ = mocks.new_resource(resource({}, typ="p:index:Part", custom=False))
    provider, _ = mocks.new_resource(resource({}, typ="pulumi:providers:azure-native"))

    assert component == ""
    assert provider
    assert [found.custom for found in mocks.registrations] == [False, True]


def test_a_call_reaches_the_cloud() -> None:
    cloud = Cloud()

    result, failures = AzureMocks(cloud).call(
        pulumi.runtime.MockCallArgs("azure-native:authorization:getClientConfig", {}, "")
    )

    assert result["tenantId"] == cloud.tenant_id
    assert failures == []  # Pulumi's monitor counts them


def test_a_refusal_is_recorded() -> None:
    mocks = AzureMocks(Cloud())

    with pytest.raises(CloudError, match="LocationRequired"):
        mocks.new_resource(resource({}))

    assert [failure.name for failure in mocks.failures] == ["group"]
    assert mocks.registrations == []


def test_an_unknown_input_outside_a_preview_is_refused() -> None:
    with pytest.raises(CloudError, match="unknown"):
        AzureMocks(Cloud()).new_resource(resource({"location": rpc.UNKNOWN}))


@pytest.mark.parametrize(
    ("wired", "value", "secret"),
    [
        pytest.param(SECRET, "s3cr3t", True, id="secret"),
        pytest.param({"a": [SECRET]}, {"a": ["s3cr3t"]}, True, id="inner-secret"),
        pytest.param(rpc.wrap_rpc_secret({"a": SECRET}), {"a": "s3cr3t"}, True, id="secret-in-a-secret"),
        pytest.param(10.0, 10, False, id="whole-number"),
        pytest.param(0.5, 0.5, False, id="fraction"),
        pytest.param(True, True, False, id="boolean"),
        pytest.param({"a": None}, {}, False, id="null"),
        pytest.param(
            {rpc._special_sig_key: rpc._special_output_value_sig, "value": "v", "secret": True}, "v", True, id="output"
        ),
        pytest.param(
            {rpc._special_sig_key: rpc._special_resource_sig, "urn": "u", "id": "i"}, "i", False, id="resource"
        ),
    ],
)
def test_a_value_is_read_from_the_wire(wired: Any, value: Any, secret: bool) -> None:
    assert plain(wired) == value
    assert type(plain(wired)) is type(value)
    assert is_secret(wired) is secret


@pytest.mark.parametrize(
    "wired",
    [rpc.UNKNOWN, {"a": [rpc.UNKNOWN]}, {rpc._special_sig_key: rpc._special_output_value_sig}],
    ids=["value", "inner", "output"],
)
def test_an_unknown_value_is_read_from_the_wire(wired: Any) -> None:
    assert has_unknown(plain(wired))


@pytest.mark.slow
def test_a_programs_unit_tests_pass_on_pulumis_own_monitor() -> None:
    """In a process of their own, as Pulumi's monitor leaves event loops open in every thread."""
    # From Python 3.12 on set_mocks warns: it makes its stack where no event loop runs yet.
    quiet = ["-W", "ignore:There is no current event loop:DeprecationWarning"]
    done = subprocess.run(  # noqa: S603 - our own tests
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            *quiet,
            "--rootdir",
            UNIT_TESTS.parent,
            UNIT_TESTS,
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 passed" in done.stdout


def test_a_type_whose_ids_are_unknown_is_refused_and_a_subclass_may_answer_it() -> None:
    class Mocks(AzureMocks):
        def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
            if args.typ == "aws:s3/bucket:Bucket":
                return "bucket-1", dict(args.inputs)
            return super().new_resource(args)

    bucket = resource({"acl": "private"}, typ="aws:s3/bucket:Bucket")

    with pytest.raises(CloudError, match=r"aws:s3/bucket:Bucket belongs to none of .* override new_resource"):
        AzureMocks().new_resource(bucket)
    assert Mocks().new_resource(bucket) == ("bucket-1", {"acl": "private"})


def test_a_type_that_azure_does_not_have_is_refused() -> None:
    with pytest.raises(CloudError, match="'azure-native:storage:Storehouse' does not exist"):
        AzureMocks().new_resource(resource({}, typ="azure-native:storage:Storehouse"))


LEAVES = st.text() | st.booleans() | st.integers(-(2**53), 2**53) | st.just(UNKNOWN)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)


@settings(deadline=None, database=None)
@given(properties=st.dictionaries(st.text(), VALUES), secret=st.booleans())
def test_properties_survive_the_wire(properties: dict[str, Any], secret: bool) -> None:
    names = frozenset(properties) if secret else frozenset()

    wired = decode(encode(properties, names))

    assert plain(wired) == properties
    assert all(is_secret(value) is secret for value in wired.values())
