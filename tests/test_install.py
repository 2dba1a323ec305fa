import subprocess
import sys
from pathlib import Path

import pytest

from tests.deployed import ROOT


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["."], ["--editable", "."]], ids=["wheel", "editable"])
def test_installing_the_program_is_refused_with_what_to_do_instead(arguments: list[str], tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--no-index", "--disable-pip-version-check"]

    done = subprocess.run(  # noqa: S603 - pip
        [*pip, "--target", tmp_path, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode != 0
    assert "Pulumi program, not a distribution" in done.stdout + done.stderr
    assert "pip install ./emulator" in done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []
