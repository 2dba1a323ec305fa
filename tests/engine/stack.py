"""The project's own program, deployed by the real engine to a cloud of its own."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from apim_emulator.azure import Cloud, Deployer
from apim_emulator.environment import DEPLOYER, FAULTS, STORE
from apim_emulator.pulumi.plugin import create_pulumi_home
from tests.deployed import ROOT
from tests.modes import mode_config, shared_cloud

_PROGRAM = (
    "__main__.py",
    "deployment.py",
    "Pulumi.yaml",
    "requirements.txt",
    "components",
    "definitions",
    "queries",
    "options",
    "policies",
    "settings",
)
_TIMEOUT = 300.0


class Stack:
    """A copy of the project in a folder, with a stack that the engine keeps there too."""

    def __init__(self, folder: Path, mode: str, name: str = "sandbox") -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.name = name
        for part in _PROGRAM:
            if (ROOT / part).is_dir():
                shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / part, folder / part)
        (folder / ".venv").symlink_to(sys.prefix)
        laid_out = create_pulumi_home(folder / ".sandbox")
        self.environment = {**os.environ, **laid_out, "NO_COLOR": "1"}
        for variable in (FAULTS, DEPLOYER):
            self.environment.pop(variable, None)
        self.store = Path(laid_out[STORE])
        self.said: list[str] = []
        """Everything that the engine printed."""
        self.configure(mode)
        self.run("stack", "init", self.name)

    def neighbour(self, name: str, mode: str) -> "Stack":
        """Make another stack, of somebody who deploys to the same cloud."""
        other = Stack(self.folder / name, mode, name)
        other.environment[STORE] = str(self.store)
        other.store = self.store
        return other

    def sign_in(self, deployer: Deployer) -> None:
        """Deploy as somebody else from now on."""
        self.environment[DEPLOYER] = deployer

    def configure(self, mode: str, **more: Any) -> None:
        """Select the config of a mode, with the salt of the stack's secrets where there is one."""
        path = self.folder / f"Pulumi.{self.name}.yaml"
        document: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}
        document["config"] = mode_config(mode, **more)
        path.write_text(yaml.safe_dump(document), encoding="utf-8")

    def command(self, *arguments: str) -> list[str]:
        stack = [] if arguments[:2] == ("stack", "init") else ["--stack", self.name]
        return ["pulumi", *arguments, *stack, "--non-interactive", "--color", "never"]

    def run(self, *arguments: str, fails: bool = False, faults: Mapping[str, Any] | None = None) -> str:
        """Output of a command, which succeeds, or else `fails`."""
        environment = {**self.environment, **({FAULTS: json.dumps(faults)} if faults else {})}
        done = subprocess.run(  # noqa: S603 - the engine
            self.command(*arguments),
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )
        self.said.append(done.stdout)
        assert (done.returncode != 0) is fails, f"pulumi {' '.join(arguments)}:\n{done.stdout}"
        return done.stdout

    def up(self, *arguments: str, fails: bool = False, faults: Mapping[str, Any] | None = None) -> str:
        return self.run("up", "--yes", *arguments, fails=fails, faults=faults)

    def expect_no_changes(self) -> None:
        """Neither the program nor the cloud differs from the state."""
        self.run("preview", "--refresh", "--expect-no-changes")

    def state(self) -> dict[str, Any]:
        """The deployment as `pulumi stack export` prints it, without decrypting."""
        exported = json.loads(self.run("stack", "export"))
        return dict(exported["deployment"])

    def resources(self) -> dict[str, dict[str, Any]]:
        """Custom resources in the state by URN, providers excepted."""
        return {
            found["urn"]: found
            for found in self.state().get("resources", [])
            if found["custom"] and not found["type"].startswith("pulumi:")
        }

    def cloud(self) -> Cloud:
        return Cloud(self.store)

    def provide_shared(self) -> None:
        """Make in the cloud what the modes with existing resources adopt."""
        shared_cloud(self.cloud())

    def kept(self) -> dict[str, dict[str, Any]]:
        """Everything that exists in the cloud, by ID, as its file has it; nothing before a plugin has made one."""
        if not self.store.exists():
            return {}
        connection = sqlite3.connect(self.store)
        try:
            bodies = [json.loads(body) for (body,) in connection.execute("SELECT body FROM resource")]
        finally:
            connection.close()
        return {body["id"]: body for body in bodies if body["purge_at"] is None}

    def assert_in_step(self) -> None:
        """Nothing is lost and nothing doubled: the state has what was made in the cloud for the stack, and no more."""
        state = {found["id"].lower() for found in self.resources().values() if not found["type"].startswith("random:")}
        own = f"urn:pulumi:{self.name}::"
        cloud = {key.lower() for key, body in self.kept().items() if body["owner"].startswith(own)}
        assert state == cloud

    def urn(self, name: str) -> str:
        """URN of the only custom resource with a name."""
        (found,) = [urn for urn in self.resources() if urn.endswith(f"::{name}")]
        return found

    def secrets(self) -> set[str]:
        """Every secret text in the cloud: keys, client secrets, values of secrets and of secret named values."""
        return {text for body in self.kept().values() for text in _secret_texts(body["private"])}


_SECRET = {"keys", "value", "versions"}
"""What holds the secrets that a service knows of a resource."""


def _secret_texts(value: Any, *, inside: bool = False) -> list[str]:
    if isinstance(value, dict):
        return [text for key, item in value.items() for text in _secret_texts(item, inside=inside or key in _SECRET)]
    if isinstance(value, list):
        return [text for item in value for text in _secret_texts(item, inside=inside)]
    return [value] if inside and isinstance(value, str) else []
