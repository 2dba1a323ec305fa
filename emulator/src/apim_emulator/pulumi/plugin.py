"""Provider plugins as the engine finds and starts them, and the environment in which it finds these."""

import shlex
import shutil
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path

import grpc  # type: ignore[import-untyped]
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, provider_pb2_grpc

from apim_emulator import environment
from apim_emulator.azure import Cloud, Deployer
from apim_emulator.azure.faults import Faults
from apim_emulator.azure.registry import resource_types
from apim_emulator.azure.resource_types.sdk import PACKAGES
from apim_emulator.errors import EmulatorError
from apim_emulator.pulumi.provider import NEWEST, Provider

__all__ = ["create_pulumi_home", "shell_exports"]

_PASSPHRASE = "sandbox"  # noqa: S105 - protects no more than the file beside the state, and is the same in every clone
"""Encrypts the state of stacks; another word would not open what earlier versions wrote."""
_PARALLEL = 256
"""Requests at a time; the engine sends one for each resource that can go ahead."""

_PATIENCE = 1.0
"""Seconds between two checks that the engine is still running."""

_MAIN = '''\
"""Stand-in for the provider plugin {package} {version}."""

import sys

from apim_emulator.pulumi.plugin import serve

serve({package!r}, {version!r}, sys.argv[1:])
'''

_MANIFEST = """\
runtime:
  name: python
  options:
    toolchain: pip
    virtualenv: {virtualenv}
"""


def create_pulumi_home(folder: Path) -> dict[str, str]:
    """Make a `PULUMI_HOME` with the stand-ins below `folder` and return the environment that selects it.

    A stand-in has the types of the provider's SDK that is installed here, and answers for every version: a program and
    the packages that it uses may each ask for their own. It runs in the virtual environment that this runs in. Laying
    out again changes nothing. Raises `EmulatorError` where an SDK is missing.
    """
    home, state = folder.resolve() / "pulumi", folder.resolve() / "state"
    state.mkdir(parents=True, exist_ok=True)
    for package in PACKAGES:
        version = _installed(package)
        # The engine starts the newest. `pulumi install` wants the very version that a package in Python requires.
        plugins = {_plugin(home, package, NEWEST), _plugin(home, package, version)}
        for found in home.glob(f"plugins/resource-{package}-v*"):  # and the engine's own notes beside them
            if found.is_dir() and found not in plugins:
                shutil.rmtree(found)
        for plugin in plugins:
            plugin.mkdir(parents=True, exist_ok=True)
            _write(plugin / "PulumiPlugin.yaml", _MANIFEST.format(virtualenv=_yaml(sys.prefix)))
            _write(plugin / "__main__.py", _MAIN.format(package=package, version=version))
    return {
        "PULUMI_HOME": str(home),
        # Without sidecar files for attributes, which a killed engine leaves empty and then fails to read.
        "PULUMI_BACKEND_URL": f"file://{state}?metadata=skip",
        "PULUMI_CONFIG_PASSPHRASE": _PASSPHRASE,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        # A real provider must never answer here: none is downloaded, and none on the PATH is used.
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_IGNORE_AMBIENT_PLUGINS": "true",
        "PULUMI_OPTION_NO_PLUGINS": "true",  # nor does `pulumi install` download any
        # The newest plugin answers for all older versions, as it did in the engine's first releases.
        "PULUMI_ENABLE_LEGACY_PLUGIN_SEARCH": "true",
        environment.STORE: str(folder.resolve() / "cloud.db"),
    }


def shell_exports(env: Mapping[str, str]) -> str:
    """Lines for a POSIX shell to evaluate."""
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in env.items())


def serve(package: str, version: str, arguments: Sequence[str]) -> None:
    """Serve a provider on a free port of 127.0.0.1, print the port, and stay until the engine is gone.

    `arguments` end with the engine's address; without one it stays until it is ended.
    """
    try:
        cloud = _cloud()
    except EmulatorError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(2) from None
    server = grpc.server(ThreadPoolExecutor(_PARALLEL), options=_GRPC_CHANNEL_OPTIONS)
    provider = Provider(package, version, cloud, _warning(arguments[-1]) if arguments else _ignore)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    if not arguments:
        server.wait_for_termination()
        return
    host, _, engine_port = arguments[-1].rpartition(":")
    while server.wait_for_termination(timeout=_PATIENCE):  # true: the time is up, and it still serves
        if not _is_listening(host, int(engine_port)):
            server.stop(grace=None)
            return


def _warning(engine: str) -> Callable[[str, str], None]:
    """Log at the engine, which shows it with the resource."""
    stub = engine_pb2_grpc.EngineStub(grpc.insecure_channel(engine))

    def warn(urn: str, text: str) -> None:
        try:
            stub.Log(engine_pb2.LogRequest(severity=engine_pb2.WARNING, message=text, urn=urn), timeout=_PATIENCE)
        except grpc.RpcError:
            return  # The engine is going; a warning is no reason to fail.

    return warn


def _ignore(_urn: str, _text: str) -> None:
    """Drop a warning: there is no engine to show it."""


def _cloud() -> Cloud:
    store = environment.read(environment.STORE)
    if not store:
        raise EmulatorError(f"{environment.STORE} is not set; first evaluate what the command env prints")
    faults = Faults.from_environment(resource_types())
    return Cloud(Path(store), faults=faults, deployer=Deployer.from_environment())


def _is_listening(host: str, port: int) -> bool:
    """Whether the engine still listens: one that was killed closes no plugins."""
    try:
        socket.create_connection((host, port), timeout=_PATIENCE).close()
    except OSError:
        return False
    return True


def _plugin(home: Path, package: str, version: str) -> Path:
    """Folder in which the engine looks for a provider at a version."""
    return home / "plugins" / f"resource-{package}-v{version}"


def _installed(package: str) -> str:
    try:
        return metadata.version(f"pulumi-{package}")
    except metadata.PackageNotFoundError:
        raise EmulatorError(
            f"pulumi-{package} is not installed beside apim-emulator; install it, for the types of its stand-in"
        ) from None


def _write(path: Path, text: str) -> None:
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def _yaml(text: str) -> str:
    return "'{}'".format(text.replace("'", "''"))
