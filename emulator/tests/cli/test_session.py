"""The file that says how to call what runs: its owner's alone, and nobody else's."""

import os
import shlex
import stat
import subprocess
from pathlib import Path

import pytest

from apim_emulator.cli.instructions import token_header
from apim_emulator.cli.session import Api, Session, SessionFile
from apim_emulator.errors import EmulatorError

SESSION = Session(stack="s", url="http://127.0.0.1:1", model=None, apis=[])


def where(folder: Path) -> Path:
    (found,) = folder.glob(".*/s.json")
    return found


def test_folder_and_file_are_their_owners_alone(tmp_path: Path) -> None:
    with SessionFile(tmp_path, "s").owned() as write:
        write(SESSION)

        assert stat.S_IMODE(where(tmp_path).stat().st_mode) == 0o600
        assert stat.S_IMODE(where(tmp_path).parent.stat().st_mode) == 0o700


def test_a_folder_that_others_may_read_is_closed_to_them(tmp_path: Path) -> None:
    with SessionFile(tmp_path, "s").owned():
        folder = where(tmp_path).parent
    folder.chmod(0o755)

    with SessionFile(tmp_path, "s").owned():
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    with SessionFile(tmp_path, "s").owned():
        path = where(tmp_path)
    elsewhere = tmp_path / "mine"
    elsewhere.write_text("kept", encoding="utf-8")
    path.symlink_to(elsewhere)

    with pytest.raises(EmulatorError, match="what runs keeps its keys there"), SessionFile(tmp_path, "s").owned():
        pass

    assert elsewhere.read_text(encoding="utf-8") == "kept"


def test_one_that_was_left_behind_is_replaced_and_not_written_to(tmp_path: Path) -> None:
    with SessionFile(tmp_path, "s").owned():
        path = where(tmp_path)
    path.write_text("left behind", encoding="utf-8")
    other = tmp_path / "other"
    os.link(path, other)

    with SessionFile(tmp_path, "s").owned() as write:
        write(SESSION)
        assert SessionFile(tmp_path, "s").read() == SESSION

    assert other.read_text(encoding="utf-8") == "left behind"
    assert not path.exists()


def test_one_that_runs_stays(tmp_path: Path) -> None:
    with SessionFile(tmp_path, "s").owned() as write:
        write(SESSION)
        with pytest.raises(EmulatorError, match="is running already"), SessionFile(tmp_path, "s").owned():
            pass

        assert SessionFile(tmp_path, "s").read() == SESSION


@pytest.mark.parametrize("name", ["X-Token", "X-$(touch made)", "X-`touch made`", "X-'\"; touch made"])
def test_a_shell_takes_a_header_as_it_is(tmp_path: Path, name: str) -> None:
    api = Api(name="a", url="http://127.0.0.1:1", key=None, callers=[], needs_token=True)
    word = token_header(name, api, "s").partition('"$(')[0]

    done = subprocess.run(  # noqa: S602 - a shell is what is tested
        f"printf %s {word}", shell=True, cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert done.stdout == f"{name}: Bearer "
    assert shlex.split(word) == [f"{name}: Bearer "]
    assert list(tmp_path.iterdir()) == []
