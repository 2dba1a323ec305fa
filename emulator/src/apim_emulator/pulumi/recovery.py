"""What a person does after an update that was killed: release its lock, settle what it had begun, and refresh.

The engine notes each operation in the state before it asks a provider, and the result afterwards. Killed in between, it
knows that something was being created, but not what became of it. `pulumi refresh --import-pending-creates` should take
that into the state; it forgets it instead, so the state is exported, completed and imported. Sources: "Interrupted
updates" and "Editing state files" (Pulumi); its `refresh.go`, `snapshot.go` and `diy/lock.go`.
"""

import json
import os
import re
import socket
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from apim_emulator import environment
from apim_emulator.azure import Cloud
from apim_emulator.azure.exceptions import CloudError
from apim_emulator.errors import EmulatorError

__all__ = ["recover"]

_State = dict[str, Any]
"""A resource as the state has it."""


def recover(project: Path, stack: str, env: Mapping[str, str]) -> bool:
    """Make a stack ready for its next update if the engine was killed during one, and tell whether it was.

    What exists because of that update is in the state afterwards. Where it was to replace another resource it is
    deleted instead, so that the next update replaces that one. `env` is the environment from `create_pulumi_home`.
    Killed itself, this can be called again. Raises `EmulatorError` where an update is still running, where several
    resources could be what was being created, or where the engine cannot recover.
    """
    locks, pending = list(_locks(stack, env)), _pending(stack, env)
    if not locks and not pending:
        return False
    for lock in locks:
        if lock.get("hostname") == socket.gethostname() and _is_running(lock["pid"]):
            raise EmulatorError(f"stack {stack} is being updated by process {lock['pid']}; wait for it, or end it")

    def pulumi(*command: str, given: str = "") -> str:
        done = subprocess.run(  # noqa: S603 - the engine
            ["pulumi", *command, "--stack", stack, "--non-interactive", "--color", "never"],  # noqa: S607
            cwd=project,
            env={**os.environ, **env},
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            name = " ".join(word for word in command if not word.startswith("-"))
            raise EmulatorError(f"pulumi {name} --stack {stack} failed: {(done.stderr or done.stdout).strip()}")
        return done.stdout

    pulumi("cancel", "--yes")
    if any(operation["type"] == "creating" for operation in pending):
        exported = json.loads(pulumi("stack", "export"))
        try:
            changed = _settle(exported["deployment"], Cloud(Path(env[environment.STORE])))
        except CloudError as error:
            raise EmulatorError(f"stack {stack}: {error}") from None
        if changed:
            pulumi("stack", "import", given=json.dumps(exported))
    pulumi("refresh", "--yes", "--skip-preview", "--clear-pending-creates")
    return True


def _settle(deployment: dict[str, Any], cloud: Cloud) -> bool:
    """Complete a state by what the cloud has of what was being created, and tell whether it changed."""
    resources: list[_State] = deployment.get("resources") or []
    deployment["resources"] = resources
    noted = {resource["id"].lower() for resource in resources if "id" in resource}
    creating = {
        operation["resource"]["urn"]: operation["resource"]
        for operation in deployment["pending_operations"]
        if operation["type"] == "creating"
    }
    changed = False
    for urn, interrupted in creating.items():
        found = [resource_id for resource_id in cloud.owned_by(urn) if resource_id.lower() not in noted]
        if len(found) > 1:
            raise EmulatorError(
                f"the creation of {urn} was interrupted, and {' and '.join(found)} exist but are not in the state; "
                "take the right one into it with pulumi import"
            )
        for resource_id in found:
            if any(resource["urn"] == urn and not _is_on_its_way_out(resource) for resource in resources):
                cloud.delete(resource_id)
            else:
                _note(resources, _created(interrupted, resource_id))
                changed = True
    return changed


def _created(interrupted: _State, resource_id: str) -> _State:
    """Resource whose outputs are yet to be read, at the latest by the next update."""
    return {**interrupted, "id": resource_id, "outputs": interrupted["inputs"], "refreshBeforeUpdate": True}


def _note(resources: list[_State], created: _State) -> None:
    """Put a resource into a state: after all that it needs, and before what needs the one that it replaces."""
    for place, resource in enumerate(resources):
        if resource["urn"] == created["urn"] and resource.get("pendingReplacement"):
            resources[place] = created
            return
    resources.append(created)


def _is_on_its_way_out(resource: _State) -> bool:
    """Whether a resource of the state is deleted already, or about to be."""
    return bool(resource.get("delete") or resource.get("pendingReplacement"))


def _locks(stack: str, env: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    """Locks of a stack in a file backend. One that was cut off when it was written holds nothing, yet locks."""
    for path in _state(env).glob(f"locks/organization/*/{stack}/*"):
        try:
            yield json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            yield {}


def _pending(stack: str, env: Mapping[str, str]) -> list[Mapping[str, Any]]:
    """Operations of a stack in a file backend that were begun, and of whose end nothing is known."""
    paths = _state(env).glob(f"stacks/*/{stack}.json")
    states = [json.loads(path.read_text(encoding="utf-8"))["checkpoint"].get("latest") or {} for path in paths]
    return [operation for state in states for operation in state.get("pending_operations") or ()]


def _state(env: Mapping[str, str]) -> Path:
    return Path(urlsplit(env["PULUMI_BACKEND_URL"]).path) / ".pulumi"


def _is_running(pid: int) -> bool:
    """Whether a process is there and is the engine. The number of one that ended may be somebody else's by now."""
    try:
        os.kill(pid, 0)
        found = re.fullmatch(r"\d+ \((.*)\) (.).*", Path(f"/proc/{pid}/stat").read_text(), re.DOTALL)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's, or there are no such files
        return True
    return found is None or (found[1].startswith("pulumi") and found[2] != "Z")
