"""`python -m sandbox serve`: any policy document in front of any backend."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import yaml
from pydantic import ConfigDict, StrictStr, TypeAdapter, ValidationError
from yarl import URL

from sandbox.clock import Clock
from sandbox.commands.terminal import stop_signal
from sandbox.errors import SandboxError
from sandbox.gateway import GatewayServer, PolicyLoadError, Problem
from sandbox.gateway.backends import endpoint
from sandbox.gateway.document import NAMED_VALUE
from sandbox.listening import serve
from sandbox.model import Backend, Gateway
from sandbox.network import HostRefusedError, Network
from sandbox.session import Api, Session, SessionFile, to_json
from sandbox.standalone import API, standalone
from sandbox.tracing import TraceRecorder
from sandbox.tracing.server import TraceServer

_LARGEST = 4 * 1024 * 1024
"""Bytes of a file that are read; what the service takes is less and checked later."""
_BACKEND_ID = re.compile(r"""backend-id\s*=\s*(["'])([A-Za-z0-9._-]+)\1""")


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedValue:
    """An entry of a file of named values that says more than the value."""

    __pydantic_config__: ClassVar[ConfigDict] = {"extra": "forbid"}

    value: StrictStr = field(repr=False)
    secret: bool = True


_NAMED_VALUES = TypeAdapter(dict[str, StrictStr | NamedValue])


@dataclass(frozen=True, kw_only=True, slots=True)
class ServeOptions:
    """What the command line asks for."""

    policy: Path
    backend: str
    backends: Sequence[str] = ()
    """`ID=URL`: backends that the document names, where they are not all the same."""
    named_values: Path | None = None
    fragments: Sequence[str] = ()
    """`NAME=FILE`."""
    allowed_hosts: Sequence[str] = ()
    sku: str = "BasicV2"
    port: int = 8080
    trace: bool = True


def run(options: ServeOptions, as_json: bool) -> int:
    """Serve until Ctrl-C or SIGTERM."""
    asyncio.run(_until_signalled(options, as_json))
    return 0


async def _until_signalled(options: ServeOptions, as_json: bool) -> None:
    stop = stop_signal()
    async with serving(options) as session:
        sys.stdout.write(f"{to_json(session) if as_json else _text(options, session)}\n")
        sys.stdout.flush()
        await stop.wait()


@asynccontextmanager
async def serving(options: ServeOptions) -> AsyncIterator[Session]:
    """Load a policy and serve it; `trace` finds it meanwhile."""
    network = Network()
    for host in options.allowed_hosts:
        network.allow(host)
    recorder = TraceRecorder() if options.trace else None
    gateway = GatewayServer(network, _Identity(), Clock(), tracer=recorder)
    with _explained(options):
        gateway.load(_service(options, network))
    async with AsyncExitStack() as stack:
        url = await serve(stack, await stack.enter_async_context(gateway.running()), options.port)
        trace_url = None
        if recorder is not None:
            traces = TraceServer(recorder)
            trace_url = f"{await serve(stack, traces.app)}{traces.path}"
        name = f"serve-{URL(url).port}"
        api = Api(name=API, url=url, key=None, callers=[], needs_token=False, curl=f"curl -i {url}/")
        session = Session(stack=name, url=url, model=None, apis=[api], trace_url=trace_url)
        with SessionFile(Path.cwd(), name).owned() as write:
            write(session)
            yield session


class _Identity:
    """Stands in for the gateway's identity; its tokens are of no use elsewhere."""

    def managed_identity_token(self, principal_id: str, resource: str) -> tuple[str, float]:
        """Issue a token that is only text."""
        return f"identity-token.{principal_id}.{resource}", float("inf")


def _service(options: ServeOptions, network: Network) -> Gateway:
    policy = _read(options.policy)
    fragments = {name: _read(Path(path)) for name, path in _pairs("--fragment", options.fragments)}
    values, secrets = _named_values(options.named_values)
    _check_named_values(options, {options.policy: policy, **_fragment_files(options, fragments)}, values)
    given = dict(_pairs("--backend-id", options.backends))
    for option, url in (
        ("--backend", options.backend),
        *((f"--backend-id {name}", url) for name, url in given.items()),
    ):
        _check_url(option, url, network)
    named = {found[2] for text in (policy, *fragments.values()) for found in _BACKEND_ID.finditer(text)}
    backends = tuple(Backend(id=name, url=given.get(name, options.backend)) for name in sorted(named | given.keys()))
    return standalone(
        policy, options.backend, named_values=values, secret_names=secrets, fragments=fragments, backends=backends,
        sku=options.sku,
    )  # fmt: skip


def _fragment_files(options: ServeOptions, fragments: Mapping[str, str]) -> dict[Path, str]:
    return {Path(path): fragments[name] for name, path in _pairs("--fragment", options.fragments)}


def _check_url(option: str, url: str, network: Network) -> None:
    if endpoint(url) is None:
        raise SandboxError(f"{option} {url}: not an http or https URL without query and user")
    try:
        network.target(URL(url))
    except HostRefusedError:
        host = URL(url).host
        raise SandboxError(f"{option} {url}: {host} is not this machine; allow it with --allow-host {host}") from None


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise SandboxError(f"{path}: {error.strerror}") from None
    if len(data) > _LARGEST:
        raise SandboxError(f"{path}: larger than {_LARGEST} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SandboxError(f"{path}: byte {error.start} is not UTF-8") from None


def _pairs(option: str, texts: Iterable[str]) -> Iterator[tuple[str, str]]:
    for text in texts:
        name, sign, value = text.partition("=")
        if not (name and sign and value):
            raise SandboxError(f"{option} {text}: must be a name, = and a value")
        yield name, value


def _named_values(path: Path | None) -> tuple[dict[str, str], frozenset[str]]:
    """Read a YAML or JSON file of names and values; all are secret but those that say otherwise."""
    if path is None:
        return {}, frozenset()
    try:
        content: Any = yaml.safe_load(_read(path))
        found = _NAMED_VALUES.validate_python(content or {})
    except yaml.MarkedYAMLError as error:
        line = "" if error.problem_mark is None else f":{error.problem_mark.line + 1}"
        raise SandboxError(f"{path}{line}: {error.problem or 'not YAML'}") from None
    except (yaml.YAMLError, ValidationError, RecursionError):
        raise SandboxError(
            f"{path}: must be names with their values, as text in quotes or as {{value: text, secret: false}}"
        ) from None
    values = {name: one if isinstance(one, str) else one.value for name, one in found.items()}
    public = {name for name, one in found.items() if isinstance(one, NamedValue) and not one.secret}
    return values, frozenset(values) - public


def _check_named_values(options: ServeOptions, files: Mapping[Path, str], values: Mapping[str, str]) -> None:
    """Tell every named value that is missing at once, where it is first used."""
    remedy = "give a file with --named-values" if options.named_values is None else f"add it to {options.named_values}"
    missing: dict[str, str] = {}
    for path, text in files.items():
        for found in NAMED_VALUE.finditer(text):
            if found[1] not in values:
                line, column = (
                    text.count("\n", 0, found.start()) + 1,
                    found.start() - text.rfind("\n", 0, found.start()),
                )
                missing.setdefault(found[1], f"{path}:{line}:{column}: named value {found[1]} has no value; {remedy}")
    if missing:
        raise SandboxError("\n".join(missing.values()))


@contextmanager
def _explained(options: ServeOptions) -> Iterator[None]:
    """Tell what prevents a document from being loaded by file, line and column."""
    files = {f"api {API}": str(options.policy)}
    files |= {f"fragment {name}": path for name, path in _pairs("--fragment", options.fragments)}
    try:
        yield
    except PolicyLoadError as error:
        raise SandboxError("\n".join(_line(problem, files) for problem in error.problems)) from None


def _line(problem: Problem, files: Mapping[str, str]) -> str:
    place = ":".join(
        str(part) for part in (files.get(problem.document, problem.document), problem.line, problem.column) if part
    )
    subject = problem.policy if problem.attribute is None else f"{problem.policy}, {problem.attribute}"
    return f"{place}: {subject}: {problem.reason}"


def _text(options: ServeOptions, session: Session) -> str:
    lines = [f"{options.policy} listens on {session.url} in front of {options.backend}; Ctrl-C stops it."]
    if session.trace_url is not None:
        lines.append(f"What each policy did with the last calls: {session.trace_url}, or python -m sandbox trace")
    return "\n".join([*lines, "", session.apis[0].curl])
