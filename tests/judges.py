"""Microsoft's own schemas and rules, kept outside this repository: whoever asks one that is absent is skipped.

What the product does is held by tests that need none of them; a test that asks one asserts nothing else.
"""

import importlib.util
import json
import os
import sys
import warnings
from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

JUDGES = Path(os.environ.get("APIM_JUDGES") or Path(__file__).parents[2] / "shared" / "judges")


def errors_of(document: str, gateway: str | None = None) -> list[str]:
    """Return what the policy schemas, and the rules of the service, find wrong with a document.

    `gateway`: `classic`, `v2` or `consumption`, whose policies alone may be used.
    """
    found: list[str] = _module("validate_policy").check_text(document, fmt="xml", gateway=gateway)["errors"]
    return found


def remarks_of(document: str) -> list[str]:
    """Return the errors and the warnings."""
    found = _module("validate_policy").check_text(document, fmt="xml")
    remarks: list[str] = found["errors"] + found["warnings"]
    return remarks


def policies_that_a_gateway_lacks(gateway: str) -> set[str]:
    """Return element names."""
    return {tag for tag, gateways in _module("validate_policy").UNSUPPORTED.items() if gateway in gateways}


def sections() -> dict[str, set[str]]:
    """Return the sections where each policy may stand, for the policies whose sections are known."""
    policies: dict[str, dict[str, Any]] = official("policy-sections.json")["policies"]
    return {name: set(policy["sections"]) - {"fragment"} for name, policy in policies.items() if policy["sections"]}


def errors_of_resource(token: str, inputs: Mapping[str, Any]) -> list[str]:
    """Return what Azure Resource Manager's types find wrong with a resource, as it was registered.

    There are none of template deployments and of log search alerts: what they hold is the sandbox's to refuse.
    """
    if token in {"azure-native:resources:Deployment", "azure-native:monitor:ScheduledQueryRule"}:
        return []
    _module("validate_policy")  # which the other imports
    token, inputs = _typed(inputs) if token == "azure-native:resources:Resource" else (token, inputs)
    problems = _module("check_arm").check({"type": token, "inputs": dict(inputs)})
    return [f"{problem['path']}: {problem['message']}" for problem in problems if problem["level"] == "error"]


def _typed(inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return a generic resource as one of its own type, without the one property that no type has."""
    parent, kind = inputs["parentResourcePath"].split("/"), inputs["resourceType"]
    assert (inputs["resourceProviderNamespace"], parent[0]) == ("Microsoft.ApiManagement", "service")
    properties = deepcopy(inputs["properties"])
    place = {"resourceGroupName": inputs["resourceGroupName"], "serviceName": parent[1]}
    if kind == "backends":
        del properties["credentials"]["managedIdentity"]
        return "azure-native:apimanagement:Backend", {**place, "backendId": inputs["resourceName"], **properties}
    assert (parent[2], kind) == ("apis", "diagnostics")
    del properties["largeLanguageModel"]
    place |= {"apiId": parent[3], "diagnosticId": inputs["resourceName"]}
    return "azure-native:apimanagement:ApiDiagnostic", {**place, **properties}


def official(name: str) -> Any:
    """Read a JSON document."""
    return json.loads(_file(name).read_text(encoding="utf-8"))


def _file(name: str) -> Path:
    path = JUDGES / name
    if not path.is_file():
        pytest.skip(f"no official {name} in {JUDGES}")
    return path


@cache
def _module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, _file(f"{name}.py"))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the judge's own code is not under test
        spec.loader.exec_module(module)
    return module
