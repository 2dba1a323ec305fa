"""Cases run on a `PolicyBench`, each on one of its own."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from pathlib import Path
from time import perf_counter
from typing import Any

from apim_emulator.gateway import PolicyLoadError
from apim_emulator.gateway.loading.document import GLOBAL
from apim_emulator.gateway.loading.placeholders import with_placeholders
from apim_emulator.gateway.standalone import API, OPERATIONS, format_of
from apim_emulator.model import Backend, Gateway, PoolMember, Product, Subscription
from apim_emulator.testing.bench import BACKEND_HOST, PolicyBench
from apim_emulator.testing.cases import certificates
from apim_emulator.testing.cases.comparing import Comparison, Difference
from apim_emulator.testing.cases.format import Answer, Answers, Backends, Call, CaseFile, Token
from apim_emulator.testing.cases.reading import CaseFileError, Cases, Runnable, key_of
from apim_emulator.testing.tokens import CLIENT
from apim_emulator.testing.values import BackendFunction, Reply, Response, event_stream
from apim_emulator.testing.values import Request as Received
from apim_emulator.tracing import CallTrace
from apim_emulator.tracing.mask import Mask, gateway_mask

_FAILURES = {"connection": ConnectionRefusedError, "timeout": TimeoutError}
_KEY = "Ocp-Apim-Subscription-Key"
_OPEN = "open"
"""Product of a policy at product scope where there are no subscriptions."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Failed:
    """A call that did not do what its case expects."""

    number: int
    """Counted from 1 in its case."""
    differences: tuple[Difference, ...]
    error: str | None
    """`context.LastError`, masked; None where nothing failed."""
    trace: CallTrace | None = field(repr=False)

    @property
    def lines(self) -> list[str]:
        """What is different, a line each."""
        lines = [str(one) for one in self.differences]
        return lines if self.error is None else [*lines, f"the call failed in {self.error}"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What became of a case."""

    name: str
    path: Path
    line: int
    calls: int
    seconds: float
    failed: tuple[Failed, ...]

    @property
    def passed(self) -> bool:
        """Tell whether all was as expected."""
        return not self.failed


def run_case(cases: Cases, one: Runnable) -> Result:
    """Run a case. Raises `CaseFileError` where its policy cannot be loaded."""
    started = perf_counter()
    try:
        bench = make_bench(cases, one.case)
    except PolicyLoadError as error:
        files = _documents(cases)
        texts = cases.service.texts if cases.service else {label: cases.document(path) for label, path in files.items()}
        problems, _ = with_placeholders(error.problems, texts)
        lines = dict.fromkeys(problem.in_file(files) for problem in problems)
        raise CaseFileError("\n".join(lines)) from None
    known = () if cases.service is None else (gateway_mask(cases.service.gateway),)
    mask = Mask([*_secrets(cases), *map(key_of, _subscriptions_of(cases))], [_KEY], within=known)
    names = certificates.names(cases.content, cases.path.parent)
    failed = []
    for number, call in enumerate(one.calls, 1):
        bench.clock.advance(call.wait)
        response = _send(cases, bench, call, mask)
        differences = Comparison(mask, names).differences(call, response)
        if differences:
            failed.append(
                Failed(
                    number=number, differences=tuple(differences), trace=response.trace,
                    error=_error(response, mask),
                )
            )  # fmt: skip
    return Result(
        name=one.name, path=cases.path, line=one.line, calls=len(one.calls), seconds=perf_counter() - started,
        failed=tuple(failed),
    )  # fmt: skip


def make_bench(cases: Cases, case: Backends | None = None) -> PolicyBench:
    """Load the policy of a file; `case` has backends of its own. Raises `PolicyLoadError`."""
    content = cases.content
    own = case or Backends()
    backends = {name: _function(answers) for name, answers in {**content.backends, **own.backends}.items()}
    hosts = {name: _function(answers) for name, answers in {**content.hosts, **own.hosts}.items()}
    default = own.backend or content.backend or [Answer()]
    pools = tuple(
        Backend(id=name, members=tuple(PoolMember(backend_id=member) for member in members))
        for name, members in content.pools.items()
    )
    if cases.service is None:
        text = cases.document(cases.policy)
        documents = {
            "policy": text if content.scope == "api" else None,
            "global_policy": text if content.scope == "global" else None,
            "fragments": {name: cases.document(cases.beside(file)) for name, file in content.fragments.items()},
            **_subscriptions(content, text),
        }
    else:
        service = cases.service.gateway
        pools = (*pools, *(_entity(one, backends) for one in service.backends))
        documents = _whole(service, content)
    return PolicyBench(
        backend=_function(default),
        backends=backends,
        hosts=hosts,
        entities=pools,
        start=datetime.fromisoformat(content.start).timestamp(),
        sku=content.sku,
        named_values=cases.named_values,
        secret_names=cases.secret_names,
        certificates=certificates.kept(content, cases.path.parent),
        ca_certificates=tuple(certificates.data_of(one, cases.path.parent) for one in content.ca_certificates),
        connections=certificates.connections(content),
        **documents,
    )


def _entity(backend: Backend, answered: Mapping[str, BackendFunction]) -> Backend:
    """Let a backend of a folder lead to its own answers, where the cases have some, else to those of the API's."""
    if backend.members:
        return backend
    return replace(backend, url=None if backend.id in answered else f"https://{BACKEND_HOST}")


def _whole(service: Gateway, content: CaseFile) -> dict[str, Any]:
    """Take a folder's service, with the subscriptions of the case file."""
    own = tuple(
        Subscription(
            id=name, scope="/apis" if product is None else f"/products/{product}", primary_key=key_of(name),
            secondary_key=f"2{key_of(name)}",
        )
        for name, product in content.subscriptions.items()
    )  # fmt: skip
    others = tuple(one for one in service.subscriptions if one.id not in content.subscriptions)
    return {
        "apis": tuple(replace(api, service_url=f"https://{BACKEND_HOST}") for api in service.apis),
        "products": service.products,
        "subscriptions": (*own, *others),
        "fragments": service.fragments,
        "global_policy": service.policy,
    }


def _subscriptions_of(cases: Cases) -> Iterable[str]:
    others = () if cases.service is None else cases.service.gateway.subscriptions
    return (*cases.content.subscriptions, *(one.id for one in others))


def _documents(cases: Cases) -> dict[str, Path]:
    """Name the file of each document that problems speak of."""
    if cases.service is not None:
        return dict(cases.service.files)
    products = (f"product {name}" for name in (*cases.content.subscriptions.values(), _OPEN))
    operations = (f"operation {API}/{one.name}" for one in OPERATIONS)
    fragments = {f"fragment {name}": cases.beside(file) for name, file in cases.content.fragments.items()}
    return {**dict.fromkeys((GLOBAL, f"api {API}", *products, *operations), cases.policy), **fragments}


def _subscriptions(content: CaseFile, text: str) -> Mapping[str, Any]:
    """Make the products and subscriptions. Calls need one where there are any; else a product is open to all."""
    policy = text if content.scope == "product" else None
    api: dict[str, Any] = {}
    if content.scope == "operation":
        own = {"policy": text, "policy_format": format_of(text)}
        api["operations"] = tuple(replace(one, **own) for one in OPERATIONS)
    names = dict.fromkeys(filter(None, content.subscriptions.values()))
    if not names and policy is not None:
        names = {_OPEN: None}
    if not names and not content.subscriptions:
        return {"api": api}
    return {
        "products": tuple(
            Product(id=name, api_ids=frozenset({API}), policy=policy, subscription_required=bool(content.subscriptions))
            for name in names
        ),
        "subscriptions": tuple(
            Subscription(
                id=name,
                scope="/apis" if product is None else f"/products/{product}",
                primary_key=key_of(name),
                secondary_key=f"2{key_of(name)}",
            )
            for name, product in content.subscriptions.items()
        ),
        "api": {**api, "subscription_required": True},
    }


def _error(response: Response, mask: Mask) -> str | None:
    error = response.error
    return None if error is None else mask.text(f"{error.source}: {error.reason}: {error.message}")


def _secrets(cases: Cases) -> Iterable[str]:
    yield from (cases.named_values[name] for name in cases.secret_names)
    yield from (one.access_token for one in cases.content.connections.values())
    yield from (one.password for one in cases.content.certificates.values() if one.password)


def _send(cases: Cases, bench: PolicyBench, call: Call, mask: Mask) -> Response:
    request = call.request
    headers = dict(request.headers)
    if request.subscription is not None:
        headers[_KEY] = key_of(request.subscription)
    if request.token is not None:
        token = _token(bench, request.token)
        mask.add([token])
        scheme = "Bearer " if request.token.header.lower() == "authorization" else ""
        headers[request.token.header] = f"{scheme}{token}"
    presented = certificates.presented(request.certificate, cases.path.parent)
    return bench.send(
        request.method.upper(), request.path, params=request.query or None, headers=headers, json=request.json_,
        data=request.body if request.form is None else request.form, remote=request.ip,
        certificate=presented,
    )  # fmt: skip


def _token(bench: PolicyBench, token: Token) -> str:
    client = token.client_id or CLIENT
    if token.issuer is None:
        return bench.entra.token(
            token.audience, client_id=client, roles=token.roles, age=token.age, **dict(token.claims)
        )
    claims = {**({"roles": token.roles} if token.roles else {}), **token.claims}
    return bench.issuer(token.issuer).issue(audience=token.audience, subject=client, age=token.age, claims=claims)


def _function(answers: Answers) -> BackendFunction:
    """Make a backend that gives one answer after the other and then the last."""
    following = chain(answers, iter(lambda: answers[-1], None))

    def answer(_: Received) -> Reply:
        given: Answer = next(following)
        if given.fails is not None:
            raise _FAILURES[given.fails]
        headers = dict(given.headers)
        if given.events is not None:
            stream = event_stream(*given.events)
            return Reply(status_code=given.status, content=stream.content, headers={**dict(stream.headers), **headers})
        return Reply(status_code=given.status, json=given.json_, content=given.body or b"", headers=headers)

    return answer
