"""`serve`: any policy document, or a folder with a service, in front of any backend."""

import asyncio
import re
import shlex
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from yarl import URL

from apim_emulator.cli.access import Access, keys_of
from apim_emulator.cli.credentials import Credentials
from apim_emulator.cli.documents import DocumentFiles, explained, pairs, terms, unfilled
from apim_emulator.cli.instructions import token_command, token_header
from apim_emulator.cli.program import command
from apim_emulator.cli.session import Api, Session, SessionFile, to_json
from apim_emulator.cli.terminal import note, stop_signal
from apim_emulator.clock import Clock
from apim_emulator.errors import EmulatorError
from apim_emulator.gateway import GatewayServer
from apim_emulator.gateway.backends.targets import endpoint
from apim_emulator.gateway.loading.policy import SCOPES
from apim_emulator.gateway.standalone import SKUS
from apim_emulator.listening import freeze_heap, serve
from apim_emulator.model import Api as Model
from apim_emulator.model import Backend, Gateway
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
    """A document, or a folder with a service."""
    backend: str
    backends: Sequence[str] = ()
    """`ID=URL`: backends that the document names, where they are not all the same."""
    named_values: Path | None = None
    fragments: Sequence[str] = ()
    """`NAME=FILE`."""
    fillings: Sequence[str] = field(default=(), repr=False)
    """`NAME=VALUE`, or `NAME` of the environment: what fills placeholders of other tools."""
    fillings_file: Path | None = None
    allowed_hosts: Sequence[str] = ()
    blocklists: Sequence[str] = ()
    """`NAME=TERM`, several of which may have a name."""
    scope: str = "api"
    """Scope of a document by itself."""
    apis: Sequence[str] = ()
    """APIs of a folder that are served; none: all."""
    subscriptions: Sequence[str] = field(default=(), repr=False)
    """`NAME=KEY`, or `NAME`, whose key is made up."""
    product: str | None = None
    """Product of the subscriptions, which one document is put in."""
    certificates: Sequence[str] = ()
    """`ID=FILE`."""
    ca_certificates: Sequence[Path] = ()
    client_certificate: Path | None = None
    """What every caller presents."""
    connections: Sequence[str] = ()
    """`PROVIDER/CONNECTION=FILE`, where the file holds the access token."""
    sku: str = "BasicV2"
    watch: bool = True
    """Whether what changes is loaded anew."""
    port: int = 8080
    trace: bool = True


def run(options: ServeOptions, as_json: bool) -> int:
    """Serve until Ctrl-C or SIGTERM."""
    asyncio.run(_until_signalled(options, as_json))
    return 0


async def _until_signalled(options: ServeOptions, as_json: bool) -> None:
    stop = stop_signal()
    async with serving(options, note) as served:
        freeze_heap()
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
            for one in served.notes:
                tell(one)
            for url in await _without_listener(served.urls):
                tell(f"nothing listens on {url} yet: calls that are forwarded there fail until something does")

            def loaded(before: Session) -> None:
                if served.session != before:
                    write(served.session)
                tell(f"{options.policy} is loaded anew; counters and caches start from nothing")
                for one in served.notes:
                    tell(one)

            following = asyncio.create_task(served.follow(loaded, tell)) if options.watch else None
            try:
                yield served
            finally:
                if following is not None:
                    following.cancel()


class ServedDocument:
    """A document with its gateway."""

    session: Session
    """How to call it."""
    notes: Sequence[str] = ()
    """What a person should know of what is served: placeholders that nothing fills, and what is left out."""

    def __init__(self, options: ServeOptions, stack: AsyncExitStack) -> None:
        """Check the options; raises `EmulatorError`."""
        if options.sku not in SKUS:
            raise EmulatorError(f"--sku {options.sku}: no pricing tier; there are {', '.join(SKUS)}")
        self._network, clock = Network(), Clock()
        network = self._network
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
        if options.scope not in SCOPES:
            raise EmulatorError(f"--scope {options.scope}: must be {', '.join(SCOPES[:-1])} or {SCOPES[-1]}")
        self._access = Access(options.subscriptions, options.product)
        self._options = options
        self._stack = stack
        self._files = DocumentFiles(
            policy=options.policy,
            named_values=options.named_values,
            fragments={name: Path(path) for name, path in pairs("--fragment", options.fragments).items()},
            fillings=options.fillings,
            fillings_file=options.fillings_file,
            apis=frozenset(options.apis),
            scope=options.scope,
            product=options.product,
        )
        self._state = self._files.state()
        self._stand_ins = DependencyStandIns(
            network, clock, options.allowed_hosts, terms("--blocklist", options.blocklists)
        )
        self._recorder = TraceRecorder() if options.trace else None
        self._credentials = Credentials(
            options.certificates, options.ca_certificates, options.client_certificate, options.connections
        )
        self._gateway = GatewayServer(
            network, self._stand_ins, clock, tracer=self._recorder, certificate=self._credentials.caller
        )

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
            state = await asyncio.to_thread(self._files.state)
            if state == self._state:
                continue
            self._state, before = state, self.session
            try:
                self.session = self._described(self.session, await self._load())
            except EmulatorError as error:
                tell(f"error: {error}\nWhat was loaded before is still served.")
            else:
                loaded(before)

    @property
    def urls(self) -> set[str]:
        """Where calls may be forwarded to, as they are given."""
        return {self._options.backend, *self.backend_urls.values()}

    def text(self) -> str:
        """Say how to call it."""
        options, session = self._options, self.session
        lines = [f"{options.policy} listens on {session.url} in front of {options.backend}; Ctrl-C stops it."]
        if options.watch:
            lines.append("It is loaded anew when a file changes.")
        if session.trace_url is not None:
            lines.append(f"What each policy did with the last calls: {session.trace_url}, or {command()} trace")
        if options.policy.is_dir():
            lines += [f"API {api.name}: {api.url}" for api in session.apis]
        lines += [f"Backend {name}: {url}" for name, url in self._named_backends.items()]
        lines += [f"Subscription {name}: its key is {key}" for name, key in self._keys.items()]
        told = set()
        for api in session.apis:
            names = " or ".join(caller.name for caller in api.callers)
            if names and names not in told:
                lines.append(f"A caller's token, for {names}: {token_command(api, session.stack)} --caller NAME")
                told.add(names)
        if any(api.needs_token and not api.callers for api in session.apis):
            lines.append("It demands tokens that nobody here issues; get one from its provider.")
        return "\n".join([*lines, "", *(api.curl for api in session.apis[:1])])

    async def _load(self) -> Gateway:
        """Read the files and load what they hold; raises `EmulatorError`, and what was loaded before stays."""
        options, access = self._options, self._access
        found = await asyncio.to_thread(
            self._files.read, options.backend, options.sku, keys=access.key, keyed=access.keyed
        )
        service = self._credentials.applied(access.applied(found.gateway, folder=options.policy.is_dir()))
        with explained(found):
            wanted = references(service)
            known = {one.id: self._reached(one) for one in service.backends} if found.has_backends else None
            backends = self._stand_ins.backends(wanted, self.backend_urls, options.backend, known)
            service = replace(
                service, backends=backends, identities=managed_identities(wanted.client_ids),
                apis=tuple(replace(api, service_url=self._url(api.service_url)) for api in service.apis),
            )  # fmt: skip
            self._gateway.load(service)
        await self._stand_ins.serve_providers(service, self._stack)
        self.notes = [*found.notes, *unfilled(found)]
        self._named_backends = {one.id: self._stand_ins.describe(one) for one in backends if not one.members}
        self._keys = {one.id: one.primary_key for one in service.subscriptions}
        return service

    def _reached(self, backend: Backend) -> Backend:
        """Let a backend lead to the default one, unless its own URL may be called."""
        return backend if backend.members else replace(backend, url=self._url(backend.url))

    def _url(self, url: str | None) -> str:
        """Return this URL if it is on this machine or on an allowed host, else the default one."""
        if url is None or endpoint(url) is None:
            return self._options.backend
        try:
            self._network.target(URL(url))
        except HostRefusedError:
            return self._options.backend
        return url

    def _described(self, session: Session, service: Gateway) -> Session:
        return replace(session, apis=[self._api(session, service, api) for api in service.apis])

    def _api(self, session: Session, service: Gateway, api: Model) -> Api:
        requirements = self._stand_ins.token_requirements(service, api.id)
        direct, in_product = keys_of(service, api.id)
        found = Api(
            name=api.id,
            url=f"{session.url}/{api.path}".rstrip("/"),
            key=next(iter(direct.values()), None),
            callers=self._stand_ins.callers(service, api.id),
            needs_token=bool(requirements),
            product_keys=in_product,
        )
        words = ["curl", "-i", shlex.quote(f"{found.url}{_example(api)}")]
        key = next(iter(in_product.values()), found.key)
        if key is not None and api.subscription_required:
            words += ["-H", shlex.quote(f"{api.key_header}: {key}")]
        if found.callers and requirements[0].header is not None:
            words += ["-H", token_header(requirements[0].header, found, session.stack)]
        return replace(found, curl=" ".join(words))


def _example(api: Model) -> str:
    """Return a path below an API's that a GET may be sent to."""
    paths = (one.path for one in api.operations if one.method == "GET" and "{" not in one.url_template)
    return next(paths, "/")


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
