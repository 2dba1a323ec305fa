"""What `make` runs and says, and that hooks, workflow and bot agree with it."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.deployed import ROOT

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)[1].split()  # type: ignore[index]
MADE_BY_NAME = set(TARGETS) - {"help"}
INHERITED = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PYTHON", "STACK"}

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not on the PATH")


def make(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run make as from a shell, whether or not a make runs these tests."""
    command = [shutil.which("make") or "", *arguments]
    own = {name: value for name, value in os.environ.items() if name not in INHERITED}
    return subprocess.run(command, cwd=folder, env=own, capture_output=True, text=True, check=False)  # noqa: S603


def commands(target: str, *arguments: str) -> list[str]:
    """What a target runs, without running it."""
    return make("--dry-run", target, *arguments).stdout.splitlines()


def test_make_alone_lists_every_target() -> None:
    done = make()

    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[1] for line in done.stdout.splitlines()] == TARGETS
    assert all(len(line.split(maxsplit=2)) == 3 for line in done.stdout.splitlines())


@pytest.mark.parametrize("target", sorted(MADE_BY_NAME))
def test_every_target_makes_the_environment_first(target: str) -> None:
    first = commands(target)[0]

    assert first == "bash scripts/environment.sh" or first.startswith(f"bash scripts/pulumi.sh {target} ")


def test_the_whole_test_runs_every_check_and_both_suites() -> None:
    run = commands("test")

    assert run[: len(commands("check"))] == commands("check")
    assert [line.split(" -m pytest ")[1] for line in run if "pytest" in line] == [
        "-n auto --dist worksteal -p scripts.measured tests",
        "-n auto --dist worksteal -p scripts.measured emulator/tests",
    ]


def test_the_quick_test_runs_every_check_and_leaves_out_what_it_says(request: pytest.FixtureRequest) -> None:
    run = commands("quick")
    told, tests = run[len(commands("check")) :]

    assert run[: len(commands("check"))] == commands("check")
    [markers] = re.findall(r' -m "not \((.*)\)"$', tests)
    assert told == f'echo "left to make test: what is marked {markers}"'
    known = {line.partition(":")[0].partition("(")[0] for line in request.config.getini("markers")}
    assert set(markers.split(" or ")) <= known


def test_a_target_whose_environment_is_there_says_nothing_of_it(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "scripts" / "environment.sh").write_text("exit 0\n", encoding="utf-8")

    done = make("environment", folder=tmp_path)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_what_python_compiles_is_kept_whatever_the_shell_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "scripts" / "environment.sh").write_text('echo "${PYTHONDONTWRITEBYTECODE-kept}"\n', encoding="utf-8")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")

    assert make("environment", folder=tmp_path).stdout == "kept\n"


def test_the_python_of_the_command_line_reaches_the_environment(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "scripts" / "environment.sh").write_text('echo "PYTHON is $PYTHON"\n', encoding="utf-8")

    assert make("environment", "PYTHON=/opt/python3.12", folder=tmp_path).stdout == "PYTHON is /opt/python3.12\n"


@pytest.mark.parametrize("target", sorted(MADE_BY_NAME))
def test_a_mistake_is_told_once_and_nothing_else_runs(tmp_path: Path, target: str) -> None:
    (tmp_path / "scripts").mkdir()
    for file in ("Makefile", "scripts/pulumi.sh"):
        shutil.copy(ROOT / file, tmp_path / file)
    (tmp_path / "scripts" / "environment.sh").write_text("echo 'error: no Python' >&2; exit 2\n", encoding="utf-8")

    done = make(target, folder=tmp_path)

    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGPIPE, "", "error: no Python\n")


def test_the_hooks_run_what_make_runs() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    hooks = [hook for repository in config["repos"] for hook in repository["hooks"]]

    assert {repository["repo"] for repository in config["repos"]} == {"local"}
    assert {hook["stages"][0]: hook["entry"] for hook in hooks} == {
        "pre-commit": "make check",
        "pre-push": "make quick",
    }
    assert config["default_install_hook_types"] == [hook["stages"][0] for hook in hooks]


def test_pre_commit_takes_its_configuration() -> None:
    command = [sys.executable, "-m", "pre_commit", "validate-config", ".pre-commit-config.yaml"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_workflow_tests_and_tries_every_python_that_the_environment_takes() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "check.yml").read_text(encoding="utf-8"))
    [job] = workflow["jobs"].values()
    [taken] = re.findall(
        r"^needed='(.*)'$", (ROOT / "scripts/environment.sh").read_text(encoding="utf-8"), re.MULTILINE
    )

    assert job["strategy"]["matrix"]["python"] == re.findall(r"3\.\d+", taken)
    assert [step["run"] for step in job["steps"] if "run" in step] == [
        "make judges",
        "make test",
        "make trial",
    ]


def test_the_emulator_says_which_pythons_it_is_tested_on() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "check.yml").read_text(encoding="utf-8"))
    pyproject = tomllib.loads((ROOT / "emulator" / "pyproject.toml").read_text(encoding="utf-8"))

    versions = workflow["jobs"]["test"]["strategy"]["matrix"]["python"]
    told = [text.rpartition(" :: ")[2] for text in pyproject["project"]["classifiers"] if "Python :: 3." in text]
    assert told == versions
    assert pyproject["project"]["requires-python"] == f">={versions[0]}"


def test_a_bot_updates_every_folder_that_names_versions() -> None:
    updates = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text(encoding="utf-8"))["updates"]
    found = {
        (update["package-ecosystem"], folder)
        for update in updates
        for folder in update.get("directories", [update.get("directory")])
    }

    manifests = {("pip", ROOT / "requirements.txt"), ("pip", ROOT / "emulator" / "pyproject.toml")}
    manifests |= {("npm", path) for path in ROOT.glob("examples/*/package.json")}
    manifests |= {("npm", ROOT / "tests" / folder / "package.json") for folder in ("queries/official", "onboarding")}
    manifests |= {("pip", path) for path in ROOT.glob("examples/*/requirements.txt")}
    folders = {(kind, f"/{path.parent.relative_to(ROOT).as_posix().removeprefix('.')}") for kind, path in manifests}
    assert found == folders | {("github-actions", "/")}
    assert all(update["groups"] for update in updates)
