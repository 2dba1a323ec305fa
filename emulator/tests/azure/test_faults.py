"""Faults on demand."""

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from apim_emulator.azure import Cloud, CloudError
from apim_emulator.azure.faults import AZURE, CRASHED, Faults
from apim_emulator.azure.registry import resource_types
from apim_emulator.environment import FAULTS
from apim_emulator.errors import EmulatorError
from emulator.tests.azure.azure import Azure

GROUP = "azure-native:resources:ResourceGroup"
NAMED_VALUE = "azure-native:apimanagement:NamedValue"
SERVICE = "azure-native:apimanagement:ApiManagementService"


def azure(**faults: Any) -> Azure:
    return Azure(Cloud(faults=Faults(**faults)))


def test_nothing_goes_wrong_by_default() -> None:
    assert Faults.from_environment(resource_types(), {}) == Faults()
    assert Azure(Cloud(faults=Faults())).service()[0]


def test_a_type_fails_when_created_and_when_updated() -> None:
    faults = Faults()
    failing = Azure(Cloud(faults=faults))
    failing.service()
    named_value, _ = failing.named_value()
    faults.fail = {NAMED_VALUE: "InternalServerError"}

    with pytest.raises(CloudError) as created:
        failing.named_value("other")
    with pytest.raises(CloudError) as updated:
        failing.change("apimanagement:NamedValue", named_value, value="new")

    assert (created.value.code, updated.value.code) == ("InternalServerError", "InternalServerError")
    assert failing.cloud.gateways()[0].named_values == {"openai-api-key": "something"}
    failing.cloud.delete(named_value)


def test_a_creation_takes_its_time_and_nobody_else_waits() -> None:
    entered, release, waited = threading.Event(), threading.Event(), list[float]()

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        entered.set()
        assert release.wait(30)

    slow = azure(delay={SERVICE: 1800.0}, time_scale=0.5, sleep=sleep)
    creation = threading.Thread(target=slow.service)
    creation.start()
    assert entered.wait(30)

    slow.account()
    assert slow.cloud.gateways() == ()
    release.set()
    creation.join(30)

    assert waited == [900.0]
    assert len(slow.cloud.gateways()) == 1


def test_the_first_calls_are_throttled() -> None:
    throttled = azure(throttle={SERVICE: 2}, time_scale=0.1)

    for _ in range(2):
        with pytest.raises(CloudError) as refusal:
            throttled.service()
        assert (refusal.value.code, refusal.value.retry_after) == ("TooManyRequests", 1.0)

    assert throttled.service()[0]


def test_the_process_crashes_after_a_number_of_changes() -> None:
    left: list[int] = []
    crashing = azure(crash_after=3, leave=left.append)

    crashing.service()
    with pytest.raises(CloudError):
        crashing.service()
    assert left == []
    crashing.account()

    assert left == [CRASHED]
    crashing.identity()
    assert left == [CRASHED]


@pytest.mark.slow
def test_what_was_changed_before_a_crash_is_there(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom pathlib import Path\n"
        "from apim_emulator.azure import Cloud\nfrom apim_emulator.azure.faults import Faults\n"
        "cloud = Cloud(Path(sys.argv[1]), faults=Faults(crash_after=2))\n"
        f"for _ in range(3): cloud.create({GROUP!r}, 'group', {{'location': 'swedencentral'}}, owner='urn')\n"
        "print('survived')\n"
    )

    done = subprocess.run(  # noqa: S603 - program of this test
        [sys.executable, "-c", program, str(tmp_path / "cloud.db")],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (CRASHED, "", "")
    cloud = Cloud(tmp_path / "cloud.db")
    assert cloud.version == 2
    assert len(list(cloud._store.state.of(GROUP))) == 2
    cloud.close()


def test_faults_are_read_from_the_environment() -> None:
    text = (
        '{"fail": {"azure-native:apimanagement:NamedValue": "InternalServerError"}, '
        '"delay": {"azure-native:apimanagement:ApiManagementService": 1800}, '
        '"time_scale": 0.001, "throttle": {"azure-native:resources:ResourceGroup": 2}, "crash_after": 5, '
        '"role_delay": 60}'
    )

    assert Faults.from_environment(resource_types(), {FAULTS: text}) == Faults(
        fail={NAMED_VALUE: "InternalServerError"},
        delay={SERVICE: 1800},
        time_scale=0.001,
        throttle={GROUP: 2},
        crash_after=5,
        role_delay=60,
    )


def test_creations_can_take_as_long_as_on_azure() -> None:
    assert Faults.parse({"delay": "azure"}, resource_types()).delay == AZURE
    assert AZURE.keys() <= resource_types().keys()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("{", "not JSON", id="no-json"),
        pytest.param("[]", "must be an object with some of fail, delay", id="no-object"),
        pytest.param('{"slow": 1}', "'slow' is not a fault; it takes fail, delay", id="unknown-fault"),
        pytest.param('{"_lock": 1}', "'_lock' is not a fault", id="private"),
        pytest.param('{"sleep": 1}', "'sleep' is not a fault", id="not-for-users"),
        pytest.param('{"fail": "x"}', "fail is 'x'; it must be an object by type token", id="no-types"),
        pytest.param('{"fail": {"x": "y"}}', "fail: 'x' is not a type that is modelled", id="unknown-type"),
        pytest.param(f'{{"fail": {{"{GROUP}": 1}}}}', f"fail: {GROUP} is 1; fail takes an error code", id="no-code"),
        pytest.param(f'{{"delay": {{"{GROUP}": -1}}}}', "is -1; .* delay seconds", id="negative-delay"),
        pytest.param(f'{{"delay": {{"{GROUP}": true}}}}', "is True", id="boolean-delay"),
        pytest.param(f'{{"throttle": {{"{GROUP}": 1.5}}}}', "is 1.5; .* throttle calls", id="half-a-call"),
        pytest.param('{"crash_after": 0}', "crash_after is 0; it must be a whole number from 1", id="no-change"),
        pytest.param('{"time_scale": "x"}', "time_scale is 'x'; it must be a number", id="no-number"),
        pytest.param('{"role_delay": -1}', "role_delay is -1; it must be a number from 0", id="negative-role-delay"),
    ],
)
def test_bad_faults_are_told_in_one_line(text: str, message: str) -> None:
    with pytest.raises(EmulatorError, match=message) as refusal:
        Faults.from_environment(resource_types(), {FAULTS: text})

    assert str(refusal.value).startswith(FAULTS)
    assert "\n" not in str(refusal.value)
