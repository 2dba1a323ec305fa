import os
from pathlib import Path

import pytest

from apim_emulator.errors import EmulatorError
from apim_emulator.pulumi.recovery import recover
from emulator.tests.pulumi.interrupted import ENDED, held_by, lock, noting_engine


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return noting_engine(tmp_path)


def test_a_stack_that_was_not_interrupted_is_left_alone(tmp_path: Path, environment: dict[str, str]) -> None:
    lock(tmp_path, held_by(ENDED), stack="other")

    assert not recover(tmp_path, "sandbox", environment)
    assert not (tmp_path / "said").exists()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(held_by(ENDED), id="process ended"),
        pytest.param(held_by(os.getpid(), "elsewhere.example.com"), id="another machine's process"),
        pytest.param("", id="lock cut off"),
    ],
)
def test_an_interrupted_stack_is_unlocked_and_refreshed(
    tmp_path: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    monkeypatch.setenv("PATH", environment["PATH"])
    lock(tmp_path, content)

    assert recover(tmp_path, "sandbox", environment)
    assert (tmp_path / "said").read_text().split() == ["cancel", "refresh"]


def test_a_running_update_is_not_disturbed(tmp_path: Path, environment: dict[str, str]) -> None:
    lock(tmp_path, held_by(os.getpid()))

    with pytest.raises(EmulatorError, match=f"being updated by process {os.getpid()}"):
        recover(tmp_path, "sandbox", environment)
    assert not (tmp_path / "said").exists()


def test_what_the_engine_says_against_it_is_told(
    tmp_path: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", environment["PATH"])
    lock(tmp_path, held_by(ENDED))
    (tmp_path / "broken").touch()

    with pytest.raises(EmulatorError, match="pulumi cancel --stack sandbox failed: no"):
        recover(tmp_path, "sandbox", environment)
