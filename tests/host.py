"""Runs the component package: as the engine does, over gRPC and with the sandbox's cloud, or under the engine."""

import json
import os
import shutil
import site
import subprocess
import sys
import venv
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]
import pytest
from google.protobuf import empty_pb2, json_format, struct_pb2  # type: ignore[import-untyped]
from pulumi.runtime import rpc
from pulumi.runtime.proto import (
    engine_pb2_grpc,
    errors_pb2,
    provider_pb2,
    provider_pb2_grpc,
    resource_pb2_grpc,
    status_pb2,
)

import apim_emulator
from apim_emulator.azure import Cloud
from apim_emulator.pulumi.mocks import AzureMockMonitor, AzureMocks, Registration
from apim_emulator.pulumi.plugin import create_pulumi_home
from tests.deployed import ROOT

PACKAGE = ROOT / "components"


def output(value: Any = rpc.UNKNOWN, *, secret: bool = False) -> dict[str, Any]:
    """Another language's Output as it crosses the wire; without a value it is not known yet."""
    known = {} if value == rpc.UNKNOWN else {"value": value}
    return {rpc._special_sig_key: rpc._special_output_value_sig, "secret": secret, "dependencies": [], **known}


class RefusedError(Exception):
    """What the package had against a component's inputs, as the engine would show it."""


class Constructed:
    """A component that the package constructed for a program in another language."""

    def __init__(self, state: struct_pb2.Struct, registrations: list[Registration]) -> None:
        self.wire: dict[str, Any] = json_format.MessageToDict(state)
        self.registrations = registrations

    def all(self, type_name: str) -> list[Registration]:
        """Resources whose type token ends in `:type_name`."""
        return [entry for entry in self.registrations if entry.type.endswith(f":{type_name}")]

    def one(self, type_name: str) -> Registration:
        (found,) = self.all(type_name)
        return found


class Host:
    """The running component package."""

    def __init__(self, port: int) -> None:
        self._provider = provider_pb2_grpc.ResourceProviderStub(grpc.insecure_channel(f"127.0.0.1:{port}"))

    def schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = json.loads(self._provider.GetSchema(provider_pb2.GetSchemaRequest()).schema)
        return schema

    def construct(
        self, component: str, name: str, inputs: Mapping[str, Any], cloud: Cloud, *, preview: bool = False
    ) -> Constructed:
        """Ask for a component with inputs as they are on the wire: camelCase keys, every number a float."""
        mocks = AzureMocks(cloud, location="swedencentral", preview=preview)
        # A monitor of its own: what a refused component leaves under way never meets the next one.
        with _served(_Monitor(mocks)) as monitor:
            request = provider_pb2.ConstructRequest(
                project="consumer",
                stack="test",
                monitorEndpoint=monitor,
                dryRun=preview,
                type=f"openai-gateway:index:{component}",
                name=name,
                inputs=json_format.ParseDict(dict(inputs), struct_pb2.Struct()),
            )
            try:
                response = self._provider.Construct(request, timeout=30)
            except grpc.RpcError as error:
                raise RefusedError(_text(error)) from None
        return Constructed(response.state, mocks.registrations)


@contextmanager
def running_host(cwd: Path) -> Iterator[Host]:
    """Start the package from a folder that is not its own, as the engine does from a consumer's."""
    with _served() as engine:
        command = [sys.executable, str(PACKAGE), engine]
        with subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - own code
            try:
                assert process.stdout
                yield Host(int(process.stdout.readline()))
            finally:
                process.terminate()


def _text(error: grpc.RpcError) -> str:
    """Text of a refusal, and where the engine is told apart which property it is about, that of each property."""
    found = [str(error.details())]
    for key, value in error.trailing_metadata():
        if key == "grpc-status-details-bin":
            for detail in status_pb2.Status.FromString(value).details:
                properties = errors_pb2.InputPropertiesError()
                detail.Unpack(properties)
                found += [entry.reason for entry in properties.errors]
    return "; ".join(filter(None, found))


class _Monitor(AzureMockMonitor):
    """The monitor of a consumer's stack."""

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        if parent:
            type_ = f"{parent.split('::')[2]}${type_}"
        return f"urn:pulumi:test::consumer::{type_}::{name}"


class _Engine(engine_pb2_grpc.EngineServicer):
    """The engine, for log messages."""

    def Log(self, request: Any, context: Any) -> Any:  # noqa: N802
        return empty_pb2.Empty()


class _MonitorService(resource_pb2_grpc.ResourceMonitorServicer):
    """A monitor behind gRPC."""

    def __init__(self, monitor: _Monitor) -> None:
        self._monitor = monitor

    def RegisterResource(self, request: Any, context: Any) -> Any:  # noqa: N802
        return self._monitor.RegisterResource(request)

    def ReadResource(self, request: Any, context: Any) -> Any:  # noqa: N802
        return self._monitor.ReadResource(request)

    def RegisterResourceOutputs(self, request: Any, context: Any) -> Any:  # noqa: N802
        return self._monitor.RegisterResourceOutputs(request)

    def RegisterErrorHook(self, request: Any, context: Any) -> Any:  # noqa: N802
        return self._monitor.RegisterErrorHook(request)

    def Invoke(self, request: Any, context: Any) -> Any:  # noqa: N802
        return self._monitor.Invoke(request)

    def GetDeploymentInfo(self, request: Any, context: Any) -> Any:  # noqa: N802
        return self._monitor.GetDeploymentInfo(request)  # type: ignore[no-untyped-call]

    def RegisterPackage(self, request: Any, context: Any) -> Any:  # noqa: N802
        return self._monitor.RegisterPackage(request)  # type: ignore[no-untyped-call]


@contextmanager
def _served(monitor: _Monitor | None = None) -> Iterator[str]:
    """Serve a monitor, or else the engine, and yield the address."""
    server = grpc.server(ThreadPoolExecutor(4))
    if monitor is None:
        engine_pb2_grpc.add_EngineServicer_to_server(_Engine(), server)
    else:
        resource_pb2_grpc.add_ResourceMonitorServicer_to_server(_MonitorService(monitor), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(0).wait()


class Checkout:
    """A copy of the checkout, and the real engine with the sandbox's stand-ins for Azure."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "checkout"
        self._pulumi = shutil.which("pulumi") or pytest.skip("the Pulumi CLI is not on the PATH")
        copy_checkout(self.folder)
        # What the engine would install is there already, by way of this environment.
        for environment in (self.folder / ".venv", self.folder / "examples" / "python" / ".venv"):
            venv.create(environment, with_pip=True)
            (packages,) = environment.glob("lib/python*/site-packages")
            found = [*site.getsitepackages(), str(Path(apim_emulator.__file__).parents[1])]
            (packages / "tests.pth").write_text("\n".join(found), encoding="utf-8")
        self._env = {**os.environ, **create_pulumi_home(folder / "sandbox")}

    def pulumi(self, *arguments: str, cwd: str = ".") -> str:
        """Run the Pulumi CLI and return what it prints."""
        done = subprocess.run(  # noqa: S603 - arguments of the tests
            [self._pulumi, *arguments, "--non-interactive"],
            cwd=self.folder / cwd,
            env=self._env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def copy_checkout(folder: Path) -> None:
    """Copy what the examples are made of, as a clone has it."""
    for name in ("components", "definitions", "queries", "options", "policies", "sandbox", "examples"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".*", "sdks"))
    shutil.copy(ROOT / "requirements.txt", folder)
