import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit

import grpc  # type: ignore[import-untyped]
import pytest
import yaml
from google.protobuf import empty_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import provider_pb2_grpc

from apim_emulator.azure.resource_types.sdk import PACKAGES
from apim_emulator.errors import EmulatorError
from apim_emulator.pulumi.plugin import create_pulumi_home, shell_exports
from apim_emulator.pulumi.provider import NEWEST
from emulator.tests.pulumi.client import GROUP, Client

pytestmark = pytest.mark.slow

DEADLINE = 60.0


@contextmanager
def started(
    plugin: Path, environment: dict[str, str], *arguments: str
) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """Run a plugin's folder as the engine does, and read the port that it prints."""
    command = [sys.executable, str(plugin), *arguments]
    with subprocess.Popen(  # noqa: S603 - the plugin
        command, env=os.environ | environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            yield process, int(process.stdout.readline())
        finally:
            process.kill()


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return create_pulumi_home(tmp_path / ".sandbox")


def plugins(environment: dict[str, str]) -> list[Path]:
    """Folders that the engine starts, one for each package."""
    folder = Path(environment["PULUMI_HOME"]) / "plugins"
    return [folder / f"resource-{package}-v{NEWEST}" for package in PACKAGES]


def all_plugins(environment: dict[str, str]) -> list[Path]:
    return sorted((Path(environment["PULUMI_HOME"]) / "plugins").iterdir())


def test_there_is_a_stand_in_for_each_provider_at_the_installed_version_and_at_the_newest(
    environment: dict[str, str],
) -> None:
    assert {plugin.name for plugin in all_plugins(environment)} == {
        f"resource-{package}-v{version}"
        for package in PACKAGES
        for version in (metadata.version(f"pulumi-{package}"), NEWEST)
    }


def test_the_engine_takes_the_newest_stand_in_for_every_version_and_downloads_none(environment: dict[str, str]) -> None:
    assert environment["PULUMI_ENABLE_LEGACY_PLUGIN_SEARCH"] == "true"
    assert environment["PULUMI_OPTION_NO_PLUGINS"] == "true"


def test_a_plugin_runs_in_this_virtual_environment(environment: dict[str, str]) -> None:
    for plugin in all_plugins(environment):
        runtime = yaml.safe_load((plugin / "PulumiPlugin.yaml").read_text(encoding="utf-8"))["runtime"]

        assert runtime == {"name": "python", "options": {"toolchain": "pip", "virtualenv": sys.prefix}}


def test_the_environment_is_all_below_the_folder(environment: dict[str, str], tmp_path: Path) -> None:
    places = ("PULUMI_HOME", "PULUMI_BACKEND_URL", "APIM_EMULATOR_STORE")

    assert all(environment[name].removeprefix("file://").startswith(str(tmp_path)) for name in places)
    assert Path(urlsplit(environment["PULUMI_BACKEND_URL"]).path).is_dir()
    assert environment["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] == "true"
    assert environment["PULUMI_IGNORE_AMBIENT_PLUGINS"] == "true"


def test_laying_out_again_changes_nothing(environment: dict[str, str], tmp_path: Path) -> None:
    files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}

    assert create_pulumi_home(tmp_path / ".sandbox") == environment
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()} == files


def test_a_plugin_of_another_version_goes(environment: dict[str, str], tmp_path: Path) -> None:
    expected = all_plugins(environment)
    real = expected[0].with_name("resource-azure-native-v3.28.0")
    real.mkdir()

    create_pulumi_home(tmp_path / ".sandbox")

    assert all_plugins(environment) == expected


def test_a_plugin_that_has_no_stand_in_stays(environment: dict[str, str], tmp_path: Path) -> None:
    other = all_plugins(environment)[0].with_name("resource-openai-gateway-v0.2.0")
    other.mkdir()

    create_pulumi_home(tmp_path / ".sandbox")

    assert other in all_plugins(environment)


def test_without_the_sdk_of_a_provider_there_is_no_stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", absent)

    with pytest.raises(EmulatorError, match="pulumi-azure-native is not installed"):
        create_pulumi_home(tmp_path / ".sandbox")


def test_a_shell_reads_the_environment_back() -> None:
    lines = shell_exports({"A": "plain", "B": "with 'quotes' and $blanks"})

    script = 'eval "$1"; printf "%s|%s" "$A" "$B"'
    said = subprocess.run(["/bin/sh", "-c", script, "sh", lines], capture_output=True, text=True, check=True)  # noqa: S603

    assert said.stdout == "plain|with 'quotes' and $blanks"


@pytest.mark.parametrize("index", range(len(PACKAGES)), ids=PACKAGES)
def test_a_plugin_prints_its_port_and_serves_as_the_newest_version(environment: dict[str, str], index: int) -> None:
    plugin = plugins(environment)[index]
    with started(plugin, environment) as (_, port), grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = provider_pb2_grpc.ResourceProviderStub(channel)

        assert stub.GetPluginInfo(empty_pb2.Empty(), timeout=DEADLINE).version == NEWEST


def test_what_a_killed_plugin_created_is_there_for_the_next(environment: dict[str, str]) -> None:
    plugin = plugins(environment)[0]
    with started(plugin, environment) as (process, port), grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        made = Client(provider_pb2_grpc.ResourceProviderStub(channel)).group()
        process.send_signal(signal.SIGKILL)

    with started(plugin, environment) as (_, port), grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        assert Client(provider_pb2_grpc.ResourceProviderStub(channel)).read(GROUP, made)[0] == made


def test_a_plugin_ends_when_the_engine_is_gone(environment: dict[str, str]) -> None:
    engine = grpc.server(ThreadPoolExecutor(1))
    port = engine.add_insecure_port("127.0.0.1:0")
    engine.start()
    with started(plugins(environment)[0], environment, "-v=9", f"127.0.0.1:{port}") as (process, own):
        with grpc.insecure_channel(f"127.0.0.1:{own}") as channel:
            provider_pb2_grpc.ResourceProviderStub(channel).GetPluginInfo(empty_pb2.Empty(), timeout=DEADLINE)
        engine.stop(grace=None).wait()

        assert process.wait(DEADLINE) == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"APIM_EMULATOR_STORE": ""}, "APIM_EMULATOR_STORE is not set", id="no store"),
        pytest.param({"APIM_EMULATOR_FAULTS": "{"}, "APIM_EMULATOR_FAULTS: not JSON", id="bad faults"),
    ],
)
def test_a_mistake_in_the_environment_is_one_line(
    environment: dict[str, str], changes: dict[str, str], message: str
) -> None:
    done = subprocess.run(  # noqa: S603 - the plugin
        [sys.executable, str(plugins(environment)[0])],
        env=os.environ | environment | changes,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
