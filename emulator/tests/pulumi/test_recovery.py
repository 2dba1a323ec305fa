import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from apim_emulator.azure import Cloud
from apim_emulator.environment import STORE
from apim_emulator.errors import EmulatorError
from apim_emulator.pulumi.recovery import recover
from emulator.tests.pulumi.interrupted import ENDED, held_by, lock, noting_engine, state

ON_LINUX = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the system tells no name of a process")
GROUP = "azure-native:resources:ResourceGroup"
URN = f"urn:pulumi:sandbox::openai-gateway::{GROUP}::group"
STACK = {"urn": "urn:pulumi:sandbox::openai-gateway::pulumi:pulumi:Stack::stack"}
LATER = {"urn": "urn:pulumi:sandbox::openai-gateway::pulumi:pulumi:Component::later"}


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    made = noting_engine(tmp_path)
    monkeypatch.setenv("PATH", made["PATH"])
    return {**made, STORE: str(tmp_path / "cloud.db")}


@pytest.fixture
def cloud(environment: dict[str, str]) -> Iterator[Cloud]:
    made = Cloud(Path(environment[STORE]))
    yield made
    made.close()


@contextmanager
def running(program: Path) -> Iterator[int]:
    """Process ID of a program of that name, which waits."""
    program.write_text("#!/bin/sh\nread line\n")
    program.chmod(0o755)
    with subprocess.Popen([program], stdin=subprocess.PIPE) as process:  # noqa: S603 - the lines above
        yield process.pid


def create(cloud: Cloud, name: str) -> str:
    resource_id, _ = cloud.create(GROUP, "group", inputs(name), owner=URN)
    return resource_id


def inputs(name: str) -> dict[str, Any]:
    return {"resourceGroupName": name, "location": "swedencentral"}


def operation(kind: str, name: str) -> dict[str, Any]:
    return {"type": kind, "resource": {"urn": URN, "custom": True, "inputs": inputs(name), "parent": STACK["urn"]}}


def imported(folder: Path) -> list[dict[str, Any]] | None:
    """Resources that the engine was given, if any."""
    path = folder / "imported.json"
    return json.loads(path.read_text())["deployment"]["resources"] if path.exists() else None


def test_a_stack_that_was_not_interrupted_is_left_alone(tmp_path: Path, environment: dict[str, str]) -> None:
    lock(tmp_path, held_by(ENDED), stack="other")

    assert not recover(tmp_path, "sandbox", environment)
    assert not (tmp_path / "said").exists()


@pytest.mark.parametrize(
    ("content", "name"),
    [
        pytest.param(held_by(ENDED), "1.json", id="process ended"),
        pytest.param(held_by(os.getpid()), "1.json", id="its number is another program's now", marks=ON_LINUX),
        pytest.param(held_by(os.getpid(), "elsewhere.example.com"), "1.json", id="another machine's process"),
        pytest.param("", "1.json", id="lock cut off"),
        pytest.param("", "1.json.18c1a2b3c4d5e6f7.tmp", id="lock not yet in its place"),
    ],
)
def test_an_interrupted_stack_is_unlocked_and_refreshed(
    tmp_path: Path, environment: dict[str, str], content: str, name: str
) -> None:
    lock(tmp_path, content, name=name)

    assert recover(tmp_path, "sandbox", environment)
    assert (tmp_path / "said").read_text().split() == ["cancel", "refresh"]


def test_a_running_update_is_not_disturbed(tmp_path: Path, environment: dict[str, str]) -> None:
    with running(tmp_path / "pulumi") as process:
        lock(tmp_path, held_by(process))

        with pytest.raises(EmulatorError, match=f"being updated by process {process}"):
            recover(tmp_path, "sandbox", environment)
    assert not (tmp_path / "said").exists()


@pytest.mark.parametrize("kind", ["creating", "updating", "deleting"])
def test_an_operation_without_an_end_is_settled_though_the_lock_is_gone(
    tmp_path: Path, environment: dict[str, str], kind: str
) -> None:
    state(tmp_path, [STACK], [operation(kind, "group1")])

    assert recover(tmp_path, "sandbox", environment)
    assert (tmp_path / "said").read_text().split() == ["cancel", *["stack"] * (kind == "creating"), "refresh"]
    assert imported(tmp_path) is None


def test_a_stack_whose_operations_all_ended_is_left_alone(tmp_path: Path, environment: dict[str, str]) -> None:
    state(tmp_path, [STACK], [])

    assert not recover(tmp_path, "sandbox", environment)


def test_what_was_created_is_noted_by_its_id_to_be_read_before_the_next_update(
    tmp_path: Path, environment: dict[str, str], cloud: Cloud
) -> None:
    made = create(cloud, "group1")
    state(tmp_path, [STACK, LATER], [operation("creating", "group1")])

    assert recover(tmp_path, "sandbox", environment)
    assert imported(tmp_path) == [
        STACK,
        LATER,
        {
            "urn": URN,
            "custom": True,
            "parent": STACK["urn"],
            "id": made,
            "inputs": inputs("group1"),
            "outputs": inputs("group1"),
            "refreshBeforeUpdate": True,
        },
    ]


def test_what_was_created_in_place_of_a_deleted_one_is_noted_in_its_place(
    tmp_path: Path, environment: dict[str, str], cloud: Cloud
) -> None:
    made = create(cloud, "group1")
    deleted = {"urn": URN, "id": made.replace("group1", "group0"), "pendingReplacement": True}
    state(tmp_path, [STACK, deleted, LATER], [operation("creating", "group1")])

    assert recover(tmp_path, "sandbox", environment)
    assert [(found["urn"], found.get("id")) for found in imported(tmp_path) or ()] == [
        (STACK["urn"], None),
        (URN, made),
        (LATER["urn"], None),
    ]


def test_what_was_created_to_replace_another_is_deleted_and_left_to_the_next_update(
    tmp_path: Path, environment: dict[str, str], cloud: Cloud
) -> None:
    old, new = create(cloud, "group0"), create(cloud, "group1")
    state(tmp_path, [STACK, {"urn": URN, "id": old}], [operation("creating", "group1")])

    assert recover(tmp_path, "sandbox", environment)
    assert imported(tmp_path) is None
    assert new not in cloud.owned_by(URN)
    assert old in cloud.owned_by(URN)


def test_what_was_created_and_noted_is_left_alone(tmp_path: Path, environment: dict[str, str], cloud: Cloud) -> None:
    made = create(cloud, "group1")
    state(tmp_path, [{"urn": URN, "id": made.upper()}], [operation("creating", "group1")])

    assert recover(tmp_path, "sandbox", environment)
    assert imported(tmp_path) is None
    assert cloud.owned_by(URN) == [made]


def test_nothing_is_guessed_where_several_could_be_what_was_created(
    tmp_path: Path, environment: dict[str, str], cloud: Cloud
) -> None:
    made = [create(cloud, "group1"), create(cloud, "group2")]
    state(tmp_path, [STACK], [operation("creating", "group1")])

    with pytest.raises(EmulatorError, match="take the right one into it with pulumi import") as refusal:
        recover(tmp_path, "sandbox", environment)
    assert " and ".join(made) in str(refusal.value)
    assert cloud.owned_by(URN) == made
    assert imported(tmp_path) is None


def test_what_the_engine_says_against_it_is_told(tmp_path: Path, environment: dict[str, str]) -> None:
    lock(tmp_path, held_by(ENDED))
    (tmp_path / "broken").touch()

    with pytest.raises(EmulatorError, match="pulumi cancel --stack sandbox failed: no"):
        recover(tmp_path, "sandbox", environment)
