"""The judge: Microsoft's policy schemas and the rules of the service, kept outside this repository."""

import importlib.util
import json
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

JUDGES = Path(os.environ.get("APIM_JUDGES", Path(__file__).parents[3] / "shared" / "judges"))


@pytest.fixture(scope="session")
def judging() -> ModuleType:
    """Return the judge's module."""
    path = JUDGES / "validate_policy.py"
    if not path.exists():
        pytest.skip(f"no policy schemas at {JUDGES}")
    spec = importlib.util.spec_from_file_location("validate_policy", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the judge's own code is not under test
        spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def judge(judging: ModuleType) -> Callable[[str], list[str]]:
    """Return what is wrong with a policy document."""

    def errors(text: str) -> list[str]:
        found: list[str] = judging.check_text(text, fmt="xml")["errors"]
        return found

    return errors


@pytest.fixture(scope="session")
def judged_sections() -> dict[str, set[str]]:
    """Return the sections where each policy may stand, for the policies whose sections are known."""
    path = JUDGES / "policy-sections.json"
    if not path.exists():
        pytest.skip(f"no policy sections at {JUDGES}")
    policies: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["policies"]
    return {name: set(policy["sections"]) - {"fragment"} for name, policy in policies.items() if policy["sections"]}
