"""Runs a Pulumi program against the emulator's cloud, in this process and without the engine."""

import asyncio
import contextvars
import json
import runpy
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
import yaml
from pulumi.runtime.proto import engine_pb2
from pulumi.runtime.settings import Settings
from pulumi.runtime.stack import run_in_stack

from apim_emulator.azure import Cloud
from apim_emulator.errors import EmulatorError
from apim_emulator.pulumi import project_yaml
from apim_emulator.pulumi.error_hooks import LocalCallbacks
from apim_emulator.pulumi.mocks import AzureMockMonitor, AzureMocks, Registration

__all__ = ["DeployError", "Deployment", "Message", "Project", "deploy", "load_project", "load_stack"]

_GRACE = 5.0
"""Seconds that what is under way gets after a failure."""

_SEVERITIES = {engine_pb2.INFO: "info", engine_pb2.WARNING: "warning", engine_pb2.ERROR: "error"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """What a program logged with `pulumi.log`."""

    severity: str
    """`info`, `warning` or `error`."""
    text: str
    urn: str = ""
    """Resource that it is about."""


class DeployError(EmulatorError):
    """A deployment that failed for a reason its author can act on; the message says which."""

    messages: tuple[Message, ...] = ()
    """What the program logged before, such as a warning of the word that Azure then refused."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployment:
    """What a program exported, registered and logged."""

    outputs: Mapping[str, Any] = field(repr=False)
    """Exports, plain; at preview some are `UNKNOWN`."""
    secret_outputs: frozenset[str]
    """Exports that are secret."""
    registrations: tuple[Registration, ...]
    """Resources in the order in which they were done."""
    messages: tuple[Message, ...]


def deploy(
    program: Path | Callable[[], Any],
    config: Mapping[str, Any],
    cloud: Cloud,
    *,
    project: str,
    stack: str,
    preview: bool = False,
    after: Deployment | None = None,
) -> Deployment:
    """Run `program`, a `__main__.py` or a function, as the engine would on a stack that is empty.

    Or on a stack as the deployment `after` left it: what the program names again changes in place, and the rest goes.

    `config` has full keys (`namespace:key`) and the values of a stack's config file. The program runs in a thread
    and a context of its own, so nothing of it is left behind but the modules it imported. Raises `DeployError` with
    every resource that the cloud refused, or with the program's own `pulumi.RunError` or `ValueError`; other
    exceptions of the program are its bugs and pass unchanged.
    """
    mocks = AzureMocks(
        cloud,
        location=config.get("azure-native:location"),
        subscription_id=config.get("azure-native:subscriptionId"),
        preview=preview,
        before=after.registrations if after else (),
    )
    monitor = AzureMockMonitor(mocks)
    engine = _Engine()

    def run() -> None:
        settings = Settings(
            project=project,
            stack=stack,
            monitor=monitor,
            engine=engine,
            dry_run=preview,
            organization="organization",
            root_directory=str(program.resolve().parent if isinstance(program, Path) else Path.cwd()),
        )
        settings.callbacks = LocalCallbacks(monitor.hooks)
        pulumi.runtime.set_all_config({key: _config_text(value) for key, value in config.items()}, [])
        with asyncio.Runner() as runner:
            runner.run(_run(program))

    try:
        _carry_out(run, mocks)
    except DeployError as error:
        error.messages = _messages(engine, mocks)
        raise
    return Deployment(
        outputs=monitor.exports,
        secret_outputs=monitor.secret_exports,
        registrations=tuple(mocks.registrations),
        messages=_messages(engine, mocks),
    )


def _carry_out(run: Callable[[], None], mocks: AzureMocks) -> None:
    """Run a program in a thread and a context of its own, then let go of what it no longer registers."""
    try:
        with ThreadPoolExecutor(1) as executor:
            executor.submit(contextvars.Context().run, run).result()
    except (Exception, SystemExit) as error:
        _explain(mocks, error)
        raise
    if not mocks.failures:
        mocks.finish()
    if mocks.failures:
        _explain(mocks, None)


async def _run(program: Path | Callable[[], Any]) -> None:
    """Run to the end, and after a failure let all that does not depend on it finish too."""
    loop = asyncio.get_running_loop()
    # Outputs of what failed carry its exception; those that nobody awaits would be reported one by one.
    loop.set_exception_handler(lambda _loop, _context: None)
    try:
        await run_in_stack(lambda: _run_program(program))
    finally:
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            _, stuck = await asyncio.wait(others, timeout=_GRACE)
            if stuck:
                break


def _run_program(program: Path | Callable[[], Any]) -> None:
    pulumi.runtime.register_stack_transformation(_without_versions)
    if callable(program):
        program()
    else:
        _run_file(program)


def _without_versions(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
    """Leave out the aliases that azure-native gives a resource for its type in other API versions.

    There are dozens, and to make a URN of each takes Pulumi most of a deployment's time; none is followed here.
    """
    if not args.type_.startswith("azure-native:") or not args.opts.aliases:
        return None
    opts = pulumi.ResourceOptions.merge(None, args.opts)
    opts.aliases = [alias for alias in args.opts.aliases if not _is_version(alias)]
    return pulumi.ResourceTransformationResult(args.props, opts)


def _is_version(alias: Any) -> bool:
    """Tell whether an alias gives another type of azure-native and no other name."""
    if not isinstance(alias, pulumi.Alias) or isinstance(alias.name, str):
        return False
    return str(alias.type_).startswith("azure-native:")


def _run_file(program: Path) -> None:
    if not program.is_file():
        raise DeployError(
            f"{program}: there is no such program; without the Pulumi engine, Python programs alone run: use the engine"
        )
    folder = str(program.resolve().parent)
    added = folder not in sys.path
    if added:
        sys.path.insert(0, folder)
    try:
        runpy.run_path(str(program), run_name="__main__")
    finally:
        if added:
            sys.path.remove(folder)


def _explain(mocks: AzureMocks, error: BaseException | None) -> None:
    """Raise the one error that says what to do about a failed deployment, if it is not a bug of the program."""
    said = _messages_of_causes(error)
    if failures := [*mocks.failures, *(call for call in mocks.refused_invokes if str(call.error) in said)]:
        lines = [f"{failure.type} {failure.name}: {failure.error}" for failure in failures]
        if len(lines) == 1:
            raise DeployError(lines[0]) from None
        raise DeployError("\n  ".join([f"{len(lines)} resources could not be deployed:", *lines])) from None
    if isinstance(error, pulumi.RunError):
        raise DeployError(str(error)) from None
    if isinstance(error, ValueError):
        raise DeployError(_root_message(error)) from error
    if isinstance(error, SystemExit):
        raise DeployError(f"the program ended itself with exit code {error.code}") from None


def _messages_of_causes(error: BaseException | None) -> str:
    """Messages of an error and of those that it came from, which may come from each other."""
    chain: list[BaseException] = []
    while error is not None and error not in chain:
        chain.append(error)
        error = error.__cause__ or error.__context__
    return "\n".join(map(str, chain))


def _root_message(error: ValueError) -> str:
    """Message as it was raised, before Pulumi wrapped it."""
    while isinstance(error.__cause__, ValueError) and error.__cause__ is not error:
        error = error.__cause__
    return str(error)


def _config_text(value: Any) -> str:
    """Value as the engine hands it to a program: text as it is, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def _messages(engine: "_Engine", mocks: AzureMocks) -> tuple[Message, ...]:
    """List what the program logged, then what the cloud has to say of it."""
    warnings = (Message(severity="warning", text=text, urn=urn) for urn, text in mocks.warnings.items())
    return (*engine.messages, *warnings)


class _Engine:
    """The part of the engine that takes log messages."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._lock = threading.Lock()

    def Log(self, request: engine_pb2.LogRequest) -> None:  # noqa: N802 - gRPC's name
        severity = _SEVERITIES.get(request.severity)
        if severity is not None:
            with self._lock:
                self.messages.append(Message(severity=severity, text=request.message, urn=request.urn))


@dataclass(frozen=True, kw_only=True, slots=True)
class Project:
    """A Pulumi project on disk."""

    name: str
    program: Path
    defaults: Mapping[str, Any]
    """Config that the project file gives, with full keys."""
    required: tuple[str, ...]
    """Keys that it declares without a default."""


def load_project(folder: Path) -> Project:
    """Read `Pulumi.yaml` ("Pulumi project file reference"). Raises `DeployError` with file and line."""
    path = folder / "Pulumi.yaml"
    if not path.is_file():
        raise DeployError(f"{path}: there is no Pulumi project here; run this from the project's folder")
    document = _read(path)
    name = document.get("name")
    if not isinstance(name, str):
        raise DeployError(f"{path}: name is missing; a project needs it")
    defaults: dict[str, Any] = {}
    required = []
    for key, declared in _config_of(path, document).items():
        full = key if ":" in key else f"{name}:{key}"
        if not isinstance(declared, dict) or not declared.keys() & {"type", "default", "description", "value"}:
            defaults[full] = declared
        elif "value" in declared or "default" in declared:
            defaults[full] = declared.get("value", declared.get("default"))
        elif "type" in declared:
            required.append(full)
    main = folder / str(document.get("main", ""))
    return Project(
        name=name,
        program=main / "__main__.py" if main.is_dir() else main,
        defaults=defaults,
        required=tuple(required),
    )


def load_stack(folder: Path, stack: str) -> dict[str, Any]:
    """Read a stack's config: the project's defaults, then `Pulumi.<stack>.yaml`, all with full keys.

    Raises `DeployError` with the file, and the line where there is one.
    """
    project = load_project(folder)
    path = folder / f"Pulumi.{stack}.yaml"
    if not path.is_file():
        stacks = sorted(found.name.split(".")[1] for found in folder.glob("Pulumi.*.yaml"))
        raise DeployError(f"{path}: stack {stack!r} does not exist; there are {', '.join(stacks) or 'none'}")
    config = dict(project.defaults)
    for key, value in _config_of(path, _read(path)).items():
        if isinstance(value, dict) and value.keys() == {"secure"}:
            raise DeployError(f"{path}: {key} is encrypted, and the emulator has no key; give it in clear here")
        config[key if ":" in key else f"{project.name}:{key}"] = value
    missing = [key for key in project.required if key not in config]
    if missing:
        raise DeployError(f"{path}: {', '.join(missing)} missing; Pulumi.yaml has no default for it: set it here")
    return config


def _config_of(path: Path, document: Mapping[str, Any]) -> Mapping[str, Any]:
    config = document.get("config") or {}
    if not isinstance(config, dict):
        raise DeployError(f"{path}: config must be a mapping of keys to values")
    return config


def _read(path: Path) -> dict[str, Any]:
    try:
        document = project_yaml.read(path.read_text(encoding="utf-8"))
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise DeployError(f"{path}{line}: {error.problem or 'not YAML'}; correct the file") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DeployError(f"{path}: not YAML in UTF-8; correct the file") from error
    if not isinstance(document, dict):
        raise DeployError(f"{path}: the file must be a mapping of keys to values")
    return document
