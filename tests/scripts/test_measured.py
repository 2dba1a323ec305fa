"""What tests reach is measured, over all workers, and too little of it fails the run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deployed import ROOT

PROJECT = """
[tool.pytest.ini_options]
pythonpath = ["."]

[tool.slipcover]
source = ["product"]
fail-under = 90
"""
PRODUCT = """
def sign(number):
    if number < 0:
        return "-"
    return "+"
"""
TEST = """
from product.signs import sign


def test_it():
    assert sign({}) == {!r}
"""

pytestmark = pytest.mark.slow


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "product").mkdir()
    (tmp_path / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
    (tmp_path / "product" / "signs.py").write_text(PRODUCT, encoding="utf-8")
    (tmp_path / "test_below.py").write_text(TEST.format(-1, "-"), encoding="utf-8")
    (tmp_path / "test_above.py").write_text(TEST.format(1, "+"), encoding="utf-8")
    return tmp_path


def measured(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the project's tests as from a shell, whether or not a worker runs these."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    path = os.pathsep.join(filter(None, [str(ROOT), own.get("PYTHONPATH")]))
    command = [sys.executable, "-m", "pytest", "-p", "scripts.measured", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(  # noqa: S603
        command, cwd=project, env={**own, "PYTHONPATH": path}, capture_output=True, text=True, check=False
    )


def test_what_any_worker_reaches_counts(project: Path) -> None:
    done = measured(project, "-n", "2", "--dist", "loadfile")

    assert "2 passed" in done.stdout
    assert "100.00 % of lines and branches reached, 90 % required" in done.stdout
    assert done.returncode == 0


def test_too_little_fails_the_run_and_what_was_not_reached_is_listed(project: Path) -> None:
    (project / "product" / "forgotten.py").write_text("FORGOTTEN = 1\n", encoding="utf-8")

    done = measured(project, "test_above.py")

    assert "1 passed" in done.stdout
    rows = {cells[0]: cells[-1] for line in done.stdout.splitlines() if (cells := line.split())}
    assert (rows["product/signs.py"], rows["product/forgotten.py"]) == ("4", "1")
    assert "% of lines and branches reached, 90 % required" in done.stdout
    assert done.returncode == 1
