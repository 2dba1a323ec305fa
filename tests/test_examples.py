"""The examples: what they say exists in the schema, and all of them deploy the same gateway."""

import json
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from apim_emulator.azure import Cloud
from apim_emulator.pulumi.deploy import deploy, load_stack
from apim_emulator.pulumi.mocks import Registration
from apim_emulator.pulumi.property_values import is_secret, plain
from tests.deployed import ROOT
from tests.host import Checkout, Host, output, running_host

EXAMPLES = ROOT / "examples"
SCHEMA: dict[str, Any] = json.loads((ROOT / "tests" / "snapshots" / "schema.json").read_text(encoding="utf-8"))
YAML: dict[str, Any] = yaml.safe_load((EXAMPLES / "yaml" / "Pulumi.yaml").read_text(encoding="utf-8"))
TYPESCRIPT = (EXAMPLES / "typescript" / "index.ts").read_text(encoding="utf-8")
PYTHON = EXAMPLES / "python"


def yaml_components() -> dict[str, dict[str, Any]]:
    """Inputs of each component by its name."""
    return {
        resource["type"].split(":")[1]: resource["properties"]
        for resource in YAML["resources"].values()
        if resource["type"].startswith("openai-gateway:")
    }


def typescript_components() -> dict[str, dict[str, Any]]:
    """Inputs of each component by its name: but for indexing, its object literals are YAML."""
    literals = re.findall(r'new (\w+)\("\w+", (\{.*?\n\})\);', TYPESCRIPT, re.DOTALL)
    return {name: yaml.safe_load(literal.replace("[0]", "")) for name, literal in literals}


COMPONENTS = pytest.mark.parametrize(
    "components", [pytest.param(yaml_components(), id="yaml"), pytest.param(typescript_components(), id="typescript")]
)


def unknown(path: str, definition: Mapping[str, Any], value: Any) -> Iterator[str]:
    """Paths of the properties that are not in the schema, and of the choices that are none."""
    if "$ref" in definition:
        definition = SCHEMA["types"][definition["$ref"].removeprefix("#/types/")]
    if "enum" in definition and value not in [entry["value"] for entry in definition["enum"]]:
        yield path
    if isinstance(value, Mapping):
        for name, item in value.items():
            known = definition.get("properties", {}).get(name, definition.get("additionalProperties"))
            yield from unknown(f"{path}.{name}", known, item) if known else [f"{path}.{name}"]
        yield from (f"{path}.{name}" for name in definition.get("required", []) if name not in value)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from unknown(f"{path}[{index}]", definition["items"], item)


@COMPONENTS
def test_every_property_is_in_the_schema(components: dict[str, dict[str, Any]]) -> None:
    wrong: list[str] = []
    for name, properties in components.items():
        resource = SCHEMA["resources"][f"openai-gateway:index:{name}"]
        accepts = {"properties": resource["inputProperties"], "required": resource["requiredInputs"]}
        wrong += unknown(name, accepts, properties)

    assert set(components) == {"ApiGateway", "OpenAIBackend", "ManagedIdentityApi"}
    assert wrong == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("paht", "chat/openai"), ("accounts", [{"key": "a", "id": "i"}]), ("accounts", [{"kye": "a"}])],
    ids=["misspelt", "missing", "misspelt-inside"],
)
def test_a_property_that_is_not_in_the_schema_is_found(name: str, value: Any) -> None:
    resource = SCHEMA["resources"]["openai-gateway:index:ManagedIdentityApi"]

    assert list(unknown("chat", {"properties": resource["inputProperties"]}, {name: value}))


def python_registrations() -> tuple[Registration, ...]:
    config = load_stack(PYTHON, "dev")
    deployment = deploy(PYTHON / "__main__.py", config, Cloud(), project="openai-gateway-python", stack="dev")

    assert deployment.messages == ()
    assert deployment.outputs["url"].endswith(".azure-api.net/chat/openai")
    assert deployment.secret_outputs == {"subscriptionKey"}
    return deployment.registrations


def evaluate(value: Any, known: Mapping[str, Any]) -> Any:
    """Value with its `${...}` filled in; what is a resource's is an Output."""
    if isinstance(value, Mapping):
        return {name: evaluate(item, known) for name, item in value.items()}
    if isinstance(value, list):
        return [evaluate(item, known) for item in value]
    reference = re.fullmatch(r"\$\{(\w+)(?:\.(\w+))?(?:\[(\d+)\])?\}", str(value))
    if reference is None:
        return value
    name, attribute, index = reference.groups()
    if attribute is None:
        return known[name]
    found = known[name][attribute]
    return output(found[int(index)] if index else found)


def yaml_registrations(host: Host, group: str) -> list[Registration]:
    """Deploy the YAML program, its components by the package and with a name for its resource group."""
    cloud = Cloud()
    config = load_stack(EXAMPLES / "yaml", "dev")
    known: dict[str, Any] = {name: config[f"{YAML['name']}:{name}"] for name in YAML["config"]}
    registrations: list[Registration] = []
    for name, resource in YAML["resources"].items():
        kind = resource["type"].split(":")[1]
        if kind == "resources":
            location = {"resourceGroupName": group, "location": config["azure-native:location"]}
            known[name] = cloud.create(resource["type"], name, location)[1]
        else:
            made = host.construct(kind, name, evaluate(resource["properties"], known), cloud)
            registrations += made.registrations
            known[name] = plain(made.wire)
            assert is_secret(made.wire.get("subscriptionKey")) == (kind == "ManagedIdentityApi")
    assert all(evaluate(part, known) for text in YAML["outputs"].values() for part in re.findall(r"\$\{[^}]*\}", text))
    return registrations


def test_yaml_and_python_deploy_the_same_gateway(tmp_path: Path) -> None:
    from_python = python_registrations()
    (group,) = (entry.outputs["name"] for entry in from_python if entry.type.endswith(":ResourceGroup"))
    with running_host(tmp_path) as host:
        from_yaml = yaml_registrations(host, group)

    def resources(registrations: Iterable[Registration]) -> dict[tuple[str, str], Mapping[str, Any]]:
        return {
            (entry.type, entry.name): entry.inputs
            for entry in registrations
            if not entry.type.endswith(":ResourceGroup")
        }

    assert resources(from_yaml) == resources(from_python)


def test_typescript_says_what_yaml_says() -> None:
    def literals(value: Any) -> Any:
        """What is given in so many words, in either language."""
        if isinstance(value, Mapping):
            return {name: literals(item) for name, item in value.items()}
        if isinstance(value, list):
            return [literals(item) for item in value]
        return "reference" if re.search(r"\$\{|^\w+\.\w+", str(value)) else value

    assert literals(typescript_components()) == literals(yaml_components())


@pytest.mark.engine
def test_the_yaml_program_runs_under_the_engine(tmp_path: Path) -> None:
    if shutil.which("pulumi-language-yaml") is None:
        pytest.skip("pulumi-language-yaml is not on the PATH")
    checkout = Checkout(tmp_path)
    example = "examples/yaml"
    checkout.pulumi("stack", "init", "dev", cwd=example)
    checkout.pulumi("install", cwd=example)

    checkout.pulumi("up", "--yes", "--stack", "dev", cwd=example)

    outputs = json.loads(checkout.pulumi("stack", "output", "--json", "--stack", "dev", cwd=example))
    assert outputs["url"].endswith(".azure-api.net/chat/openai")
    assert outputs["subscriptionKey"] == "[secret]"
    checkout.pulumi("preview", "--expect-no-changes", "--stack", "dev", cwd=example)
    checkout.pulumi("destroy", "--yes", "--stack", "dev", cwd=example)
