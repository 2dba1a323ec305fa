"""Each attack reaches what it attacks; how long it takes is for people to read."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.bench import bystanders

ROOT = Path(__file__).resolve().parents[3]


def run(*options: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "emulator.bench.bystanders", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - ours


@pytest.mark.slow
def test_the_command_measures_an_attack_and_who_stands_by() -> None:
    done = run("--only", "int.TryParse", "--seconds", "0.2", "--json")

    quiet, attacked = json.loads(done.stdout)["now"]
    assert (quiet["attack"], quiet["answer"]) == ("nothing", "-")
    assert (attacked["attack"], attacked["answer"]) == ("int.TryParse of 16,000 zeros", "200")
    assert attacked["work_ms"] > 0
    assert 0 < attacked["p50_ms"] <= attacked["p99_ms"] <= attacked["longest_ms"]


@pytest.mark.slow
def test_a_checkout_that_is_none_is_told() -> None:
    done = run("--before", "docs")

    assert done.returncode == 2
    assert done.stderr == f"bench: --before {ROOT / 'docs'}: must be a checkout of this repository\n"


ANSWERS = {"trace: 4,000": {"404"}, "prompt": {"413"}, "a backend": {"508"}}
"""What answers where it is no 200, which says that it was done, and no 500, which says that it was given up."""


@pytest.fixture(scope="module")
def attacked() -> Iterator[str]:
    with bystanders._gateway(ROOT) as (_, url):
        yield url


@pytest.mark.slow
@pytest.mark.attack
@pytest.mark.parametrize("name", bystanders.ATTACKS)
async def test_every_attack_is_answered(attacked: str, name: str) -> None:
    answer = await bystanders._attack(attacked, bystanders.ATTACKS[name]().sent(), 60)

    assert answer in next((each for start, each in ANSWERS.items() if name.startswith(start)), {"200", "500"})
