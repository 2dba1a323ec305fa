"""The stacks that come with the project, and the workflows that deploy them."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from apim_emulator.pulumi.deploy import load_stack
from options import retirements
from tests.deployed import ROOT, Deployed, deploy_program

pytestmark = pytest.mark.slow

STACKS = sorted(path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml"))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
EVERY_WORKFLOW = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)

ACTIONS = {"actions/checkout", "actions/setup-python", "azure/login", "pulumi/actions"}
WRITES = {"check": set(), "preview": {"id-token", "pull-requests"}, "deploy": {"id-token"}, "drift": {"id-token"}}


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_deploys_without_a_warning(stack: str) -> None:
    deployed = deploy_program(load_stack(ROOT, stack))

    assert deployed.deployment.messages == ()
    assert deployed.outputs["gatewayUrl"].startswith("https://")


@pytest.fixture(scope="module")
def prod() -> Deployed:
    return deploy_program(load_stack(ROOT, "prod"))


def test_prod_demands_a_role_from_entra(prod: Deployed) -> None:
    policy = ET.fromstring(prod.policy("openai"))

    claims = policy.findall("inbound/validate-azure-ad-token/required-claims/claim")
    assert [(claim.get("name"), claim.findtext("value")) for claim in claims] == [("roles", "Chat.User")]
    assert policy.find("inbound/authentication-managed-identity") is not None
    assert prod.one("ServicePrincipal").inputs["appRoleAssignmentRequired"] is True


def test_prod_has_no_keys_but_its_callers(prod: Deployed) -> None:
    assert prod.all("NamedValue") == prod.all("Secret") == prod.all("Vault") == []
    assert {entry.inputs["properties"]["disableLocalAuth"] for entry in prod.all("Account")} == {True}
    assert prod.deployment.secret_outputs == {"toolsSubscriptionKey", "toolsSecondarySubscriptionKey"}
    assert "authentication-managed-identity" in prod.policy("tools")


@pytest.mark.parametrize("stack", STACKS)
def test_a_stacks_models_live_longer_than_a_year(stack: str) -> None:
    openai = load_stack(ROOT, stack)["openai-gateway:openai"]
    days = [retirements.retirement(found["model"], found["version"]) for found in openai["deployments"]]

    assert days
    assert all(day and day - retirements.AS_OF > timedelta(days=365) for day in days)


def test_prod_has_two_regions(prod: Deployed) -> None:
    assert {entry.inputs["location"] for entry in prod.all("Account")} == {"swedencentral", "francecentral"}


def workflow(path: Path) -> dict[Any, Any]:
    document: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return document


def steps(path: Path) -> Iterator[dict[str, Any]]:
    for job in workflow(path)["jobs"].values():
        yield from job["steps"]


def test_the_workflows_are_the_documented_ones() -> None:
    documented = re.findall(
        r"^\| `(\w+)` \|", (ROOT / "docs" / "environments.md").read_text(encoding="utf-8"), re.MULTILINE
    )

    assert {path.stem for path in WORKFLOWS} == set(WRITES) <= set(documented)


@EVERY_WORKFLOW
def test_a_workflow_may_do_no_more_than_it_must(path: Path) -> None:
    document = workflow(path)

    assert {name for name, access in document["permissions"].items() if access == "write"} == WRITES[path.stem]
    assert document["permissions"]["contents"] == "read"
    assert not any("permissions" in job for job in document["jobs"].values())


@EVERY_WORKFLOW
def test_a_workflow_uses_no_stored_secret(path: Path) -> None:
    assert "secrets." not in path.read_text(encoding="utf-8")
    logins = [step["with"] for step in steps(path) if step.get("uses", "").startswith("azure/login")]
    assert all(login.keys() == {"client-id", "tenant-id", "subscription-id"} for login in logins)
    assert bool(logins) == ("id-token" in WRITES[path.stem])


@EVERY_WORKFLOW
def test_actions_are_known_and_pinned(path: Path) -> None:
    for uses in (step["uses"] for step in steps(path) if "uses" in step):
        name, _, version = uses.partition("@")
        assert name in ACTIONS
        assert re.fullmatch(r"v\d+(\.\d+)*", version), uses


@EVERY_WORKFLOW
def test_a_checkout_leaves_no_credential_behind(path: Path) -> None:
    (checkout,) = (step for step in steps(path) if step.get("uses", "").startswith("actions/checkout"))

    assert checkout["with"]["persist-credentials"] is False


@EVERY_WORKFLOW
def test_no_command_is_made_of_what_a_stranger_wrote(path: Path) -> None:
    for run in (step["run"] for step in steps(path) if "run" in step):
        assert set(re.findall(r"\$\{\{\s*(.*?)\s*\}\}", run)) <= {"matrix.stack"}


@EVERY_WORKFLOW
def test_a_job_cannot_run_for_ever(path: Path) -> None:
    assert all(0 < job["timeout-minutes"] <= 90 for job in workflow(path)["jobs"].values())


def test_updates_of_a_stack_wait_for_each_other() -> None:
    deploy, drift = (workflow(ROOT / ".github" / "workflows" / f"{name}.yml") for name in ("deploy", "drift"))
    groups = (deploy["concurrency"], drift["jobs"]["drift"]["concurrency"])

    assert [re.sub(r"\$\{\{.*?\}\}", "STACK", entry["group"]) for entry in groups] == ["stack-STACK"] * 2
    assert [entry["cancel-in-progress"] for entry in groups] == [False, False]


def test_a_fork_gets_no_login() -> None:
    job = workflow(ROOT / ".github" / "workflows" / "preview.yml")["jobs"]["preview"]

    assert job["if"] == "github.event.pull_request.head.repo.full_name == github.repository"


def test_the_stacks_of_the_workflows_exist() -> None:
    named = {
        stack
        for path in WORKFLOWS
        for job in workflow(path)["jobs"].values()
        for stack in job.get("strategy", {}).get("matrix", {}).get("stack", [])
    }
    # YAML reads the key `on` as true.
    named |= set(
        workflow(ROOT / ".github" / "workflows" / "deploy.yml")[True]["workflow_dispatch"]["inputs"]["stack"]["options"]
    )

    assert named == {"dev", "prod"} <= set(STACKS)


def test_actionlint_has_no_complaint() -> None:
    actionlint = shutil.which("actionlint")
    if actionlint is None:
        pytest.skip("actionlint is not on the PATH")
    done = subprocess.run([actionlint, *map(str, WORKFLOWS)], capture_output=True, text=True, check=False)  # noqa: S603

    assert done.stdout == ""
    assert done.returncode == 0
