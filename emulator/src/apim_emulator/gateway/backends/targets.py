"""Backends: one URL with its credentials and circuit breaker, or a pool that shares calls among several."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Protocol

from yarl import URL

from apim_emulator.csharp.runtime.certificates import Certificate
from apim_emulator.gateway.backends.breaker import Breaker
from apim_emulator.gateway.certificates import Store
from apim_emulator.gateway.failures import Problem, RefusedError
from apim_emulator.gateway.http.headers import is_header_name, is_header_value
from apim_emulator.gateway.loading.document import Node, Reader
from apim_emulator.model import Backend, BackendIdentity, CircuitBreaker, PoolMember


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One URL to forward to."""

    origin: str
    """Scheme, host and port."""
    path: str
    """Base path, percent-encoded, without a slash at its end."""
    id: str | None = None
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    breaker: Breaker | None = field(default=None, repr=False, compare=False)
    identity: BackendIdentity | None = None
    certificate: Certificate | None = field(default=None, repr=False)
    """What is presented to it where no policy presents another one (inferred: the policy's is preferred)."""

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"Backend {self.id}"

    def pick(self, now: float) -> "Endpoint | None":
        """Choose itself, unless its breaker is tripped."""
        return None if self.breaker is not None and self.breaker.is_tripped(now) else self

    def retry_after(self, _now: float) -> int | None:
        """None: no source says that a backend outside a pool tells callers when to come back."""
        return None


class Target(Protocol):
    """What a call is sent to."""

    @property
    def name(self) -> str:
        """What messages call it."""

    def pick(self, now: float) -> Endpoint | None:
        """Choose the endpoint of one call; None where all are out of service."""

    def retry_after(self, now: float) -> int | None:
        """Seconds that a refusal tells the caller to wait while all are out of service; None: it tells nothing."""


class _Group:
    """Members of one priority: they share calls by weight, in equal shares where all weights are 0 (inferred)."""

    def __init__(self, members: list[tuple[int, Endpoint]]) -> None:
        self._members = members if any(weight for weight, _ in members) else [(1, one) for _, one in members]
        self._credit = [0] * len(members)

    def pick(self, now: float) -> Endpoint | None:
        """Choose among those in service: weighted round robin without bursts."""
        ready = [index for index, (weight, one) in enumerate(self._members) if weight and one.pick(now) is not None]
        if not ready:
            return None
        for index in ready:
            self._credit[index] += self._members[index][0]
        best = max(ready, key=self._credit.__getitem__)
        self._credit[best] -= sum(self._members[index][0] for index in ready)
        return self._members[best][1]


class Pool:
    """Spreads calls by weight among the members of the lowest priority number that has one in service.

    Higher numbers are for when every member before them is out of service.
    """

    def __init__(self, pool_id: str, members: list[tuple[PoolMember, Endpoint]]) -> None:
        """Group the members by priority."""
        self.id = pool_id
        self.name = f"Backend pool {pool_id}"
        groups: dict[int, list[tuple[int, Endpoint]]] = {}
        for member, one in members:
            groups.setdefault(member.priority, []).append((member.weight, one))
        self._groups = [_Group(groups[priority]) for priority in sorted(groups)]
        self._endpoints = [one for _, one in members]
        self._breakers = [one.breaker for _, one in members if one.breaker is not None]

    def pick(self, now: float) -> Endpoint | None:
        """Choose the next member."""
        return next((found for group in self._groups if (found := group.pick(now)) is not None), None)

    def out_of_service(self, now: float) -> list[tuple[str | None, Breaker]]:
        """List the members that get no calls now, with their breakers."""
        return [
            (one.id, one.breaker) for one in self._endpoints if one.breaker is not None and one.breaker.is_tripped(now)
        ]

    def retry_after(self, now: float) -> int | None:
        """Seconds until the first member is back; that a pool tells it is in Apim-Samples, load balancing with 429."""
        return ceil(min((breaker.seconds_left(now) for breaker in self._breakers), default=0.0)) or None


def endpoint(url: str) -> Endpoint | None:
    """Make the endpoint of a base URL; None where it is no plain http(s) URL."""
    try:
        parsed = URL(url)
        extra = parsed.query_string or parsed.fragment or parsed.user or parsed.password
        # The host is decoded here: one that cannot be is none.
        if parsed.scheme not in {"http", "https"} or not parsed.host or extra:
            return None
        return Endpoint(str(parsed.origin()), parsed.raw_path.rstrip("/"))
    except ValueError:
        return None


def compile_backends(
    backends: tuple[Backend, ...], reader: Reader, problems: list[Problem], store: Store
) -> dict[str, Target]:
    """Make the targets that policies name by `backend-id`; problems are collected."""
    single: dict[str, Endpoint] = {}
    pools: dict[str, Target] = {}
    for backend in backends:
        try:
            if not backend.members:
                single[backend.id] = _endpoint(backend, reader, store)
        except RefusedError as refused:
            problems.append(refused.problem)
    for backend in backends:
        missing = [member.backend_id for member in backend.members if member.backend_id not in single]
        if missing:
            reason = f"pool member {', '.join(missing)} is not a backend with a URL"
            problems.append(Problem(f"backend {backend.id}", 1, "pool", reason))
        elif backend.members:
            members = [(member, single[member.backend_id]) for member in backend.members]
            pools[backend.id] = Pool(backend.id, members)
    return {**single, **pools}


def _endpoint(backend: Backend, reader: Reader, store: Store) -> Endpoint:
    node = Node("backend", {}, (), "", f"backend {backend.id}", 1)
    found = endpoint(backend.url or "")
    if found is None:
        raise node.refused("needs an http or https URL without query and user", "url")
    headers = _pairs(backend.header, reader, node)
    query = _pairs(backend.query, reader, node)
    if not all(is_header_name(name) and is_header_value(value) for name, value in headers):
        raise node.refused("a credential is no valid header name or value", "credentials.header")
    rule = backend.circuit_breaker
    if rule is not None and not _is_rule(rule):
        reason = "needs count or percentage, an interval above 0 and status codes or error reasons"
        raise node.refused(reason, "circuitBreaker")
    breaker = None if rule is None else Breaker(rule)
    certificate = next(filter(None, map(store.named, backend.certificates)), None)
    return Endpoint(found.origin, found.path, backend.id, headers, query, breaker, backend.identity, certificate)


def _is_rule(rule: CircuitBreaker) -> bool:
    given = rule.count if rule.count is not None else rule.percentage
    return (
        (rule.count is None) != (rule.percentage is None)
        and given is not None
        and given >= 1
        and rule.interval > 0
        and rule.trip_duration >= 0
        and bool(rule.status_codes or rule.error_reasons)
    )


def _pairs(values: Mapping[str, tuple[str, ...]], reader: Reader, node: Node) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name, reader.substituted(value, node, "credentials")) for name, several in values.items() for value in several
    )
