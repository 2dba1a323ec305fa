"""The examples: what they say exists in the schema, and all of them deploy the same gateway."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
import yaml
from semver import Version

from apim_emulator.azure import Cloud
from apim_emulator.pulumi.deploy import deploy, load_stack
from apim_emulator.pulumi.mocks import Registration
from apim_emulator.pulumi.property_values import is_secret, plain
from sandbox.__main__ import main as sandbox
from tests.deployed import ROOT
from tests.host import Checkout, Host, copy_checkout, output, running_host

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
    assert deployment.outputs["gatewayUrl"].endswith(".azure-api.net")
    assert deployment.outputs["url"] == f"{deployment.outputs['gatewayUrl']}/chat/openai"
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


@pytest.mark.slow
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


BLOCKS = {
    (str(path.relative_to(EXAMPLES)), number): block
    for path in (EXAMPLES / "README.md", *EXAMPLES.glob("*/*.md"))
    for number, block in enumerate(
        re.findall(r"^```sh\n(.*?)^```$", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    )
}
"""What the documents tell to run, by document and place in it."""

ON_AZURE, ON_THIS_MACHINE, SERVE, CALL, EXPORTS = (BLOCKS["README.md", number] for number in range(5))
UP, CALL_UP, PYTEST = (BLOCKS["python/README.md", number] for number in range(3))

RUN_BY: dict[tuple[str, int], str] = {
    **{("README.md", number): "test_an_example_is_deployed_served_and_called" for number in range(5)},
    ("python/README.md", 0): "test_the_python_example_is_served_and_called_without_the_engine",
    ("python/README.md", 1): "test_the_python_example_is_served_and_called_without_the_engine",
    ("python/README.md", 2): "test_the_unit_tests_of_the_python_example_pass",
    ("typescript/README.md", 0): "test_an_example_is_deployed_served_and_called",
}


def test_every_command_of_the_documents_is_run() -> None:
    assert RUN_BY.keys() == BLOCKS.keys()
    assert {name for name in RUN_BY.values() if name not in globals()} == set()


def shell(script: str, folder: Path, **environment: str) -> str:
    """Run commands of a document in a folder, and return what they print."""
    done = subprocess.run(  # noqa: S603 - commands of our own documents
        ["bash", "-euo", "pipefail", "-c", script],  # noqa: S607
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def serving(script: str, folder: Path) -> Iterator[str]:
    """Run commands of a document, the last of which serves on a free port until it is ended; yield what it says."""
    *before, last = script.strip().splitlines()
    command = ["bash", "-euo", "pipefail", "-c", "\n".join([*before, f"exec {last} --port 0"])]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        try:
            assert process.stdout
            said = list(takewhile(lambda line: "chat.completions.create" not in line, process.stdout))
            assert process.poll() is None, said
            yield "".join(said)
        finally:
            process.terminate()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the checkout with its `.venv`."""
    folder = tmp_path / "checkout"
    copy_checkout(folder)
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


@pytest.mark.slow
def test_the_python_example_is_served_and_called_without_the_engine(checkout: Path) -> None:
    with serving(UP, checkout / "examples" / "python") as said:
        answer = shell(CALL_UP, checkout / "examples" / "python")

    assert re.search(r"API chat: http://127\.0\.0\.1:\d+/chat/openai\n", said)
    assert answer == "You said: Hello\n"


@pytest.mark.parametrize("example", ["yaml", "typescript"])
def test_an_example_in_another_language_is_left_to_the_engine(
    example: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(EXAMPLES / example)

    assert sandbox(["policies", "--stack", "dev"]) == 2
    assert "Python programs alone run: use the engine" in capsys.readouterr().err


@pytest.mark.slow
def test_the_unit_tests_of_the_python_example_pass(checkout: Path) -> None:
    tests = (PYTHON / "tests" / "test_infra.py").read_text(encoding="utf-8").count("\ndef test_")

    said = shell(PYTEST, checkout / "examples" / "python")

    assert f"{tests} passed" in said


@pytest.mark.slow
def test_the_mocks_of_the_documentation_answer(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "components.md").read_text(encoding="utf-8")
    program = "".join(re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL))
    asked = "pulumi.runtime.MockResourceArgs('aws:s3/bucket:Bucket', 'logs', {'acl': 'private'})"
    (tmp_path / "mocks.py").write_text(f"{program}\nprint(Mocks().new_resource({asked}))\n", encoding="utf-8")

    assert shell(f"{sys.executable} mocks.py", tmp_path) == "('logs-1', {'acl': 'private'})\n"


PINS = dict(
    line.split("==")
    for name in ("requirements.txt", "requirements-dev.txt")
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines()
    if "==" in line
)


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_the_python_example_has_the_versions_of_the_program(name: str) -> None:
    lines = (PYTHON / name).read_text(encoding="utf-8").splitlines()
    pinned = dict(line.split("==") for line in lines if not line.startswith("-"))

    assert pinned
    assert pinned == {package: PINS.get(package) for package in pinned}


def test_the_typescript_example_takes_the_versions_of_the_program() -> None:
    """In npm's ranges: the program's version and the next ones, up to the next major."""
    package = json.loads((EXAMPLES / "typescript" / "package.json").read_text(encoding="utf-8"))
    own = {name.removeprefix("@pulumi/"): version for name, version in package["dependencies"].items()}

    assert own.pop("openai-gateway") == "file:sdks/openai-gateway"
    assert own.keys() == {"pulumi", "azure-native"}
    for name, accepted in own.items():
        least = Version.parse(accepted.removeprefix("^"))
        program = Version.parse(PINS["pulumi" if name == "pulumi" else f"pulumi-{name}"])
        assert accepted == f"^{least}"
        assert least <= program < least.bump_major()


def test_the_index_names_every_example() -> None:
    index = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    folders = {path.name for path in EXAMPLES.iterdir() if (path / "Pulumi.yaml").is_file()}

    assert set(re.findall(r"^\| \[`(\w+)/`\]", index, re.MULTILINE)) == folders


def missing_packages() -> str:
    """Tell why the packages of the TypeScript example cannot be had; empty if they can."""
    if (npm := shutil.which("npm")) is None:
        return "npm is not on the PATH"
    package = json.loads((EXAMPLES / "typescript" / "package.json").read_text(encoding="utf-8"))
    for name, accepted in package["dependencies"].items():
        if not accepted.startswith("file:"):
            command = [npm, "view", f"{name}@{accepted}", "version", "--fetch-retries=0"]
            if not subprocess.run(command, capture_output=True, check=False).stdout:  # noqa: S603
                return f"npm has no {name}@{accepted} here"
    return ""


@pytest.mark.engine
@pytest.mark.parametrize(
    ("example", "host"),
    [("python", "pulumi-language-python"), ("yaml", "pulumi-language-yaml"), ("typescript", "pulumi-language-nodejs")],
    ids=["python", "yaml", "typescript"],
)
def test_an_example_is_deployed_served_and_called(example: str, host: str, tmp_path: Path) -> None:
    if shutil.which(host) is None:
        pytest.skip(f"{host} is not on the PATH")
    if example == "typescript" and (missing := missing_packages()):
        pytest.skip(missing)
    folder = Checkout(tmp_path).folder / "examples" / example
    environment, unasked = "\n".join(ON_THIS_MACHINE.splitlines()[:2]), {"PULUMI_SKIP_CONFIRMATIONS": "true"}

    def run(commands: str) -> str:
        return shell(f"{environment}\n{commands}", folder, **unasked)

    shell(ON_THIS_MACHINE, folder, **unasked)
    url, key = run(EXPORTS).splitlines()
    outputs = json.loads(run("pulumi stack output --json"))
    if example == "typescript":
        run(BLOCKS["typescript/README.md", 0])
        installed = json.loads((folder / "node_modules/@pulumi/azure-native/package.json").read_text(encoding="utf-8"))
        state = json.loads(run("pulumi stack export"))["deployment"]["resources"]
        providers = [found for found in state if found["type"] == "pulumi:providers:azure-native"]
        asked = {found["inputs"]["version"] for found in providers}
        assert asked == {installed["version"], PINS["pulumi-azure-native"]}  # the program's and the components'
    with serving(f"{environment}\n{SERVE}", folder) as said:
        answer = shell(CALL, folder)
    run("pulumi preview --expect-no-changes")
    run("pulumi destroy")

    assert ON_THIS_MACHINE.endswith(ON_AZURE)
    assert url == f"{outputs['gatewayUrl']}/chat/openai"
    assert outputs["gatewayUrl"].endswith(".azure-api.net")
    assert outputs["subscriptionKey"] == "[secret]"
    assert f"subscription key: {key}" in said
    assert answer == "You said: Hello\n"
