"""`serve`: any policy document in front of any backend."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from yarl import URL

from apim_emulator.cli.documents import DocumentFiles, pairs, terms
from apim_emulator.cli.instructions import token_command, token_header
from apim_emulator.cli.program import command
from apim_emulator.cli.session import Api, Session, SessionFile, to_json
from apim_emulator.cli.terminal import note, stop_signal
from apim_emulator.clock import Clock
from apim_emulator.errors import EmulatorError
from apim_emulator.gateway import GatewayServer
from apim_emulator.gateway.backends.targets import endpoint
from apim_emulator.gateway.standalone import API, SKUS, standalone
from apim_emulator.listening import serve
from apim_emulator.model import Gateway
from apim_emulator.network import HostRefusedError, Network, is_loopback
from apim_emulator.services.dependencies import DependencyStandIns, managed_identities, references
from apim_emulator.tracing import TraceRecorder
from apim_emulator.tracing.server import TraceServer

_POLL = 0.3
"""Seconds between two looks at the files."""
_CONNECT = 1.0
"""Seconds in which a backend on this machine accepts a connection if it is up."""
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")

Tell = Callable[[str], None]
"""Is told what a person should know meanwhile."""


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
    fillings: Sequence[str] = ()
    """`NAME=VALUE`, or `NAME` of the environment: what fills placeholders of other tools."""
    fillings_file: Path | None = None
    allowed_hosts: Sequence[str] = ()
    blocklists: Sequence[str] = ()
    """`NAME=TERM`, several of which may have a name."""
    sku: str = "BasicV2"
    port: int = 8080
    trace: bool = True


def run(options: ServeOptions, as_json: bool) -> int:
    """Serve until Ctrl-C or SIGTERM."""
    asyncio.run(_until_signalled(options, as_json))
    return 0


async def _until_signalled(options: ServeOptions, as_json: bool) -> None:
    stop = stop_signal()
    async with serving(options, note) as served:
        sys.stdout.write(f"{to_json(served.session) if as_json else served.text()}\n")
        sys.stdout.flush()
        await stop.wait()


@asynccontextmanager
async def serving(options: ServeOptions, tell: Tell = lambda _: None) -> AsyncIterator["ServedDocument"]:
    """Load a policy and serve it, anew whenever one of its files changes; `trace` and `token` find it meanwhile."""
    async with AsyncExitStack() as stack:
        served = ServedDocument(options, stack)
        await served.start()
        with SessionFile(Path.cwd(), served.session.stack).owned() as write:
            write(served.session)
            for one in served.unfilled:
                tell(one)
            for url in await _without_listener({options.backend, *served.backend_urls.values()}):
                tell(f"nothing listens on {url} yet: calls that are forwarded there fail until something does")

            def loaded(before: Session) -> None:
                if served.session != before:
                    write(served.session)
                tell(f"{options.policy} is loaded anew; counters and caches start from nothing")
                for one in served.unfilled:
                    tell(one)

            following = asyncio.create_task(served.follow(loaded, tell))
            try:
                yield served
            finally:
                following.cancel()


class ServedDocument:
    """A document with its gateway."""

    session: Session
    """How to call it."""
    unfilled: Sequence[str] = ()
    """Placeholders of other tools in what is served, as they are told to a person."""

    def __init__(self, options: ServeOptions, stack: AsyncExitStack) -> None:
        """Check the options; raises `EmulatorError`."""
        if options.sku not in SKUS:
            raise EmulatorError(f"--sku {options.sku}: no pricing tier; there are {', '.join(SKUS)}")
        network, clock = Network(), Clock()
        for host in options.allowed_hosts:
            if not _HOST.fullmatch(host):
                raise EmulatorError(
                    f"--allow-host {host}: must be the name of a host, such as contoso.openai.azure.com"
                )
            network.allow(host)
        self.backend_urls = pairs("--backend-id", options.backends)
        """URLs by backend ID, as they are given."""
        _check_url("--backend ", options.backend, network, options.port)
        for name, url in self.backend_urls.items():
            _check_url(f"--backend-id {name}=", url, network, options.port)
        self._options = options
        self._stack = stack
        self._files = DocumentFiles(
            policy=options.policy,
            named_values=options.named_values,
            fragments={name: Path(path) for name, path in pairs("--fragment", options.fragments).items()},
            fillings=options.fillings,
            fillings_file=options.fillings_file,
        )
        self._state = self._files.state()
        self._stand_ins = DependencyStandIns(
            network, clock, options.allowed_hosts, terms("--blocklist", options.blocklists)
        )
        self._recorder = TraceRecorder() if options.trace else None
        self._gateway = GatewayServer(network, self._stand_ins, clock, tracer=self._recorder)

    async def start(self) -> None:
        """Load and serve the document; raises `EmulatorError`."""
        await self._stand_ins.start(self._stack)
        service = await self._load()
        gateway = await self._stack.enter_async_context(self._gateway.running())
        url = await serve(self._stack, gateway, self._options.port)
        trace_url = None
        if self._recorder is not None:
            traces = TraceServer(self._recorder)
            trace_url = f"{await serve(self._stack, traces.app)}{traces.path}"
        session = Session(stack=f"serve-{URL(url).port}", url=url, model=None, apis=[], trace_url=trace_url)
        self.session = self._described(session, service)

    async def follow(self, loaded: Callable[[Session], None], tell: Tell) -> None:
        """Load the document anew after each change of its files, until cancelled; `loaded` gets the session before."""
        while True:
            await asyncio.sleep(_POLL)
            state = self._files.state()
            if state == self._state:
                continue
            self._state, before = state, self.session
            try:
                self.session = self._described(self.session, await self._load())
            except EmulatorError as error:
                tell(f"error: {error}\nWhat was loaded before is still served.")
            else:
                loaded(before)

    def text(self) -> str:
        """Say how to call it."""
        options, session, (api,) = self._options, self.session, self.session.apis
        lines = [
            f"{options.policy} listens on {session.url} in front of {options.backend}; Ctrl-C stops it.",
            "It is loaded anew when a file changes.",
        ]
        if session.trace_url is not None:
            lines.append(f"What each policy did with the last calls: {session.trace_url}, or {command()} trace")
        lines += [f"Backend {name}: {url}" for name, url in self._named_backends.items()]
        if api.callers:
            names = " or ".join(caller.name for caller in api.callers)
            lines.append(f"A caller's token, for {names}: {token_command(api, session.stack)} --caller NAME")
        elif api.needs_token:
            lines.append("It demands tokens that nobody here issues; get one from its provider.")
        return "\n".join([*lines, "", api.curl])

    async def _load(self) -> Gateway:
        """Read the files and load what they hold; raises `EmulatorError`, and what was loaded before stays."""
        options, texts = self._options, self._files.read()
        with self._files.explained(texts):
            service = standalone(
                texts.policy, options.backend, named_values=texts.named_values, secret_names=texts.secret_names,
                fragments=texts.fragments, sku=options.sku,
            )  # fmt: skip
            wanted = references(service)
            backends = self._stand_ins.backends(wanted, self.backend_urls, options.backend)
            service = replace(service, backends=backends, identities=managed_identities(wanted.client_ids))
            self._gateway.load(service)
        await self._stand_ins.serve_providers(service, self._stack)
        self.unfilled = self._files.unfilled(texts)
        self._named_backends = {one.id: self._stand_ins.describe(one) for one in backends}
        return service

    def _described(self, session: Session, service: Gateway) -> Session:
        requirements = self._stand_ins.token_requirements(service)
        callers = self._stand_ins.callers(service)
        api = Api(name=API, url=session.url, key=None, callers=callers, needs_token=bool(requirements))
        curl = f"curl -i {session.url}/"
        if callers and requirements[0].header is not None:
            curl += f" -H {token_header(requirements[0].header, api, session.stack)}"
        return replace(session, apis=[replace(api, curl=curl)])


def _check_url(option: str, url: str, network: Network, port: int) -> None:
    if endpoint(url) is None:
        shown = "" if "@" in url else url
        raise EmulatorError(
            f"{option}{shown}: must be an http or https URL without query and user, such as http://127.0.0.1:9000"
        )
    if URL(url).port == port and is_loopback(URL(url)):
        raise EmulatorError(
            f"{option}{url}: is the address on which the gateway itself listens; choose another port with --port"
        )
    try:
        network.target(URL(url))
    except HostRefusedError:
        host = URL(url).host
        raise EmulatorError(f"{option}{url}: {host} is not this machine; allow it with --allow-host {host}") from None


async def _without_listener(urls: Iterable[str]) -> list[str]:
    """List the URLs of this machine on which nothing accepts a connection."""
    local = [url for url in sorted(urls) if is_loopback(URL(url))]
    up = await asyncio.gather(*(_accepts(URL(url)) for url in local))
    return [url for url, accepts in zip(local, up, strict=True) if not accepts]


async def _accepts(url: URL) -> bool:
    try:
        async with asyncio.timeout(_CONNECT):
            _, writer = await asyncio.open_connection(url.host, url.port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
