"""Deploys components and the program on the sandbox's model of Azure, and asks what was registered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apim_emulator.azure import Cloud
from apim_emulator.pulumi.deploy import Deployment, deploy
from apim_emulator.pulumi.mocks import Registration

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Deployed:
    """A deployment and the cloud that it went to."""

    deployment: Deployment
    cloud: Cloud

    @property
    def outputs(self) -> Mapping[str, Any]:
        return self.deployment.outputs

    @property
    def registrations(self) -> tuple[Registration, ...]:
        return self.deployment.registrations

    def all(self, type_name: str) -> list[Registration]:
        """Resources whose type token ends in `:type_name`, in order of their names."""
        found = [entry for entry in self.registrations if entry.type.endswith(f":{type_name}")]
        return sorted(found, key=lambda entry: entry.name)

    def one(self, type_name: str, name: str | None = None) -> Registration:
        found = [entry for entry in self.all(type_name) if name in (None, entry.name)]
        assert len(found) == 1, f"{type_name} {name or ''}: {[entry.name for entry in found]}"
        return found[0]

    def waits_for(self, entry: Registration) -> set[str]:
        """Names of all resources that `entry` waits for, directly or through others."""
        by_urn = {found.urn: found for found in self.registrations}
        seen: set[str] = set()
        pending = list(entry.dependencies)
        while pending:
            urn = pending.pop()
            if urn not in seen:
                seen.add(urn)
                pending += by_urn[urn].dependencies
        return {by_urn[urn].name for urn in seen}

    def policy(self, name: str) -> str:
        return str(self.one("ApiPolicy", f"{name}-policy").inputs["value"])


def deploy_component(
    build: Callable[[], Any], cloud: Cloud | None = None, *, preview: bool = False, after: Deployed | None = None
) -> Deployed:
    """Run `build`, which makes components and exports what the test wants to see."""
    return _deploy(build, {"azure-native:location": "swedencentral"}, cloud, preview, after)


def deploy_program(
    config: Mapping[str, Any], cloud: Cloud | None = None, *, preview: bool = False, after: Deployed | None = None
) -> Deployed:
    """Run the project's `__main__.py` on a config with full keys."""
    return _deploy(ROOT / "__main__.py", config, cloud, preview, after)


def destroy(deployed: Deployed) -> Deployed:
    """Delete everything that was deployed."""
    return deploy_component(lambda: None, after=deployed)


def _deploy(
    program: Path | Callable[[], Any],
    config: Mapping[str, Any],
    cloud: Cloud | None,
    preview: bool,
    after: Deployed | None,
) -> Deployed:
    """Run a program on an empty stack, or on one as `after` left it."""
    cloud = after.cloud if after else cloud or Cloud()
    before = after.deployment if after else None
    made = deploy(program, config, cloud, project="openai-gateway", stack="test", preview=preview, after=before)
    return Deployed(made, cloud)
