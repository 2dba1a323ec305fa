"""The environment that `make` works in, with Pythons made up for these tests on a PATH of their own."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.deployed import ROOT

pytestmark = pytest.mark.slow

COMMANDS = ("bash", "cp", "dirname", "mkdir", "rm", "touch")
"""What the script and the Pythons here need of a machine."""

PYTHON = """#!{bash}
case "$*" in
*base_prefix*) echo "{version} {prefix}" ;;
*ensurepip*) exit {without_venv:d} ;;
"-c import pip") ;;
"-m venv .venv") mkdir -p .venv/bin && touch .venv/pyvenv.cfg && cp "$0" .venv/bin/python ;;
"-m pip install "*) echo "$0 $*" >>pip.log; exit {without_network:d} ;;
*) exit 9 ;;
esac
"""


@dataclass(frozen=True)
class Machine:
    """A checkout, and a PATH with the Pythons that a test puts there."""

    folder: Path

    @property
    def path(self) -> Path:
        return self.folder / "bin"

    @property
    def checkout(self) -> Path:
        return self.folder / "checkout"

    def add_python(self, name: str, version: str, *, without_venv: bool = False, without_network: bool = False) -> Path:
        python = self.path / name
        python.write_text(
            PYTHON.format(
                bash=shutil.which("bash"),
                version=version,
                prefix=f"/opt/python{version}",
                without_venv=without_venv,
                without_network=without_network,
            ),
            encoding="utf-8",
        )
        python.chmod(0o755)
        return python

    def run(self, python: str | Path = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - a script of this repository
            [self.path / "bash", "scripts/environment.sh"],
            cwd=self.checkout,
            env={"PATH": str(self.path), "PYTHON": str(python)},
            capture_output=True,
            text=True,
            check=False,
        )

    def installed(self) -> list[str]:
        """Commands with which packages were installed."""
        log = self.checkout / "pip.log"
        return log.read_text(encoding="utf-8").splitlines() if log.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    machine = Machine(tmp_path)
    machine.path.mkdir()
    for command in COMMANDS:
        found = shutil.which(command)
        assert found
        (machine.path / command).symlink_to(found)
    for file in ("scripts/environment.sh", "requirements.txt", "requirements-dev.txt", "emulator/pyproject.toml"):
        copy = machine.checkout / file
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, copy)
        os.utime(copy, (1_000_000_000, 1_000_000_000))
    return machine


INSTALL = ".venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt"


@pytest.mark.parametrize("version", ["3.11.0", "3.12.4", "3.13.1"])
def test_any_supported_python_on_the_path_is_taken_and_named(machine: Machine, version: str) -> None:
    python = machine.add_python("python" + version.rpartition(".")[0], version)

    done = machine.run()

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        f"making .venv with Python {version}, {python}",
        "installing requirements-dev.txt into .venv",
    ]
    assert machine.installed() == [INSTALL]


def test_the_python_that_is_called_python3_comes_first(machine: Machine) -> None:
    machine.add_python("python3.13", "3.13.1")
    python = machine.add_python("python3", "3.12.4")

    assert machine.run().stdout.startswith(f"making .venv with Python 3.12.4, {python}\n")


@pytest.mark.parametrize("version", ["3.9.18", "3.10.13", "3.14.0", "3.110.0", "2.7.18"])
def test_a_python_that_does_not_fit_is_passed_over(machine: Machine, version: str) -> None:
    machine.add_python("python3", version)
    python = machine.add_python("python3.11", "3.11.9")

    assert machine.run().stdout.startswith(f"making .venv with Python 3.11.9, {python}\n")


def test_a_python_without_its_module_for_environments_is_passed_over(machine: Machine) -> None:
    machine.add_python("python3", "3.12.4", without_venv=True)
    python = machine.add_python("python3.11", "3.11.9")

    assert machine.run().stdout.startswith(f"making .venv with Python 3.11.9, {python}\n")


def test_one_message_tells_what_is_needed_where_no_python_is(machine: Machine) -> None:
    done = machine.run()

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: Python 3.11, 3.12 or 3.13 is needed, and none is on the PATH: install one "
        "(https://www.python.org/downloads), or name one, as in make PYTHON=/opt/python3.12/bin/python3\n"
    )
    assert not (machine.checkout / ".venv").exists()


def test_the_message_tells_why_each_python_on_the_path_does_not_fit(machine: Machine) -> None:
    machine.add_python("python3", "3.10.13")
    machine.add_python("python3.12", "3.12.4", without_venv=True)
    (machine.path / "python3.13").write_text("#!/nowhere\n", encoding="utf-8")
    (machine.path / "python3.13").chmod(0o755)

    done = machine.run()

    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert (
        "none is on the PATH; python3 is Python 3.10.13; python3.13 does not run; python3.12 is Python 3.12.4 without "
        "ensurepip (on Debian and Ubuntu: the package python3-venv): install one"
    ) in done.stderr


def test_a_python_that_is_named_is_taken_before_those_on_the_path(machine: Machine) -> None:
    machine.add_python("python3", "3.12.4")
    named = machine.add_python("mine", "3.13.1")

    assert machine.run(named).stdout.startswith(f"making .venv with Python 3.13.1, {named}\n")
    assert machine.installed() == [INSTALL]


@pytest.mark.parametrize(
    ("named", "reason"),
    [
        pytest.param("python3.10", "is Python 3.10.13", id="too old"),
        pytest.param("python3.14", "is Python 3.14.0", id="too new"),
        pytest.param("python3.11", "does not run", id="not there"),
    ],
)
def test_a_python_that_is_named_and_does_not_fit_is_refused_with_one_message(
    machine: Machine, named: str, reason: str
) -> None:
    machine.add_python("python3.10", "3.10.13")
    machine.add_python("python3.14", "3.14.0")
    machine.add_python("python3", "3.12.4")

    done = machine.run(named)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: PYTHON={named} {reason}: name Python 3.11, 3.12 or 3.13, "
        "or leave PYTHON out to take one from the PATH\n"
    )
    assert not (machine.checkout / ".venv").exists()


def test_nothing_is_said_or_done_where_all_is_there(machine: Machine) -> None:
    machine.add_python("python3", "3.12.4")
    machine.run()

    done = machine.run()

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len(machine.installed()) == 1


def test_the_environment_keeps_its_python_when_the_path_changes(machine: Machine) -> None:
    machine.add_python("python3", "3.12.4")
    machine.run()
    machine.add_python("python3", "3.13.1")

    assert machine.run().stdout == ""


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt", "emulator/pyproject.toml"])
def test_packages_are_installed_anew_when_what_names_them_changes(machine: Machine, file: str) -> None:
    machine.add_python("python3", "3.12.4")
    machine.run()
    newer = (machine.checkout / ".venv/installed").stat().st_mtime + 10
    os.utime(machine.checkout / file, (newer, newer))

    assert machine.run().stdout == "installing requirements-dev.txt into .venv\n"
    assert machine.installed() == [INSTALL, INSTALL]


def test_a_failed_installation_is_told_and_tried_again(machine: Machine) -> None:
    machine.add_python("python3", "3.12.4", without_network=True)

    for _ in range(2):
        done = machine.run()
        assert (done.returncode, done.stderr) == (
            2,
            "error: the packages could not be installed; pip says why above\n",
        )
    assert machine.installed() == [INSTALL, INSTALL]


def test_another_python_makes_the_environment_anew(machine: Machine) -> None:
    machine.add_python("python3", "3.12.4")
    machine.run()
    named = machine.add_python("mine", "3.13.1")

    assert machine.run(named).stdout.splitlines() == [
        "removing .venv, since it has another Python, 3.12.4 of /opt/python3.12.4",
        f"making .venv with Python 3.13.1, {named}",
        "installing requirements-dev.txt into .venv",
    ]
    assert machine.run(named).stdout == ""


def test_an_environment_of_a_python_that_does_not_fit_is_made_anew(machine: Machine) -> None:
    python = machine.add_python("python3", "3.12.4")
    machine.run()
    shutil.copy(machine.add_python("old", "3.10.13"), machine.checkout / ".venv/bin/python")

    assert machine.run().stdout.splitlines()[:2] == [
        "removing .venv, since it has Python 3.10.13",
        f"making .venv with Python 3.12.4, {python}",
    ]


def test_an_environment_whose_python_is_gone_is_made_anew(machine: Machine) -> None:
    machine.add_python("python3", "3.12.4")
    machine.run()
    (machine.checkout / ".venv/bin/python").unlink()

    assert machine.run().stdout.startswith("removing .venv, since it does not run\nmaking .venv with Python 3.12.4, ")


def test_an_environment_stays_where_no_python_could_make_it_anew(machine: Machine) -> None:
    python = machine.add_python("python3", "3.12.4")
    machine.run()
    (machine.checkout / ".venv/bin/python").unlink()
    python.unlink()

    done = machine.run()

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: Python 3.11, 3.12 or 3.13 is needed, and none is on the PATH: ")
    assert (machine.checkout / ".venv/pyvenv.cfg").exists()


@pytest.mark.parametrize("kind", ["a folder", "a link"])
def test_what_is_no_environment_of_ours_is_left_alone(machine: Machine, kind: str) -> None:
    machine.add_python("python3", "3.12.4")
    other = machine.folder / "other"
    other.mkdir()
    (other / "pyvenv.cfg").touch()
    if kind == "a link":
        (machine.checkout / ".venv").symlink_to(other)
    else:
        (machine.checkout / ".venv").mkdir()

    done = machine.run()

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: .venv cannot be used, since it does not run, and make did not make it: "
        "move it away, and run make again\n"
    )
    assert (machine.checkout / ".venv").exists()
    assert (other / "pyvenv.cfg").exists()
