"""Backends: one URL with its credentials, or a pool that shares calls among several."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from yarl import URL

from sandbox.gateway.document import Node, Reader
from sandbox.gateway.errors import Problem, RefusedError
from sandbox.gateway.http import is_header_name, is_header_value
from sandbox.model import Backend, PoolMember


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

    def pick(self) -> "Endpoint":
        """Choose itself."""
        return self


class Target(Protocol):
    """What a call is sent to."""

    def pick(self) -> Endpoint:
        """Choose the endpoint of one call."""


class Pool:
    """Spreads calls by weight among the members of the lowest priority number.

    Higher numbers are for when every member before them is out of service.
    """

    def __init__(self, members: list[tuple[PoolMember, Endpoint]]) -> None:
        """Keep the first group; equal shares where all weights are 0."""
        first = min(member.priority for member, _ in members)
        self._members = [(member.weight, endpoint) for member, endpoint in members if member.priority == first]
        if not any(weight for weight, _ in self._members):
            self._members = [(1, endpoint) for _, endpoint in self._members]
        self._credit = [0] * len(self._members)

    def pick(self) -> Endpoint:
        """Choose the next member: weighted round robin without bursts."""
        for index, (weight, _) in enumerate(self._members):
            self._credit[index] += weight
        best = max(range(len(self._members)), key=self._credit.__getitem__)
        self._credit[best] -= sum(weight for weight, _ in self._members)
        return self._members[best][1]


def endpoint(url: str) -> Endpoint | None:
    """Make the endpoint of a base URL; None where it is no plain http(s) URL."""
    try:
        parsed = URL(url)
        origin = parsed.origin()
    except ValueError:
        return None
    extra = parsed.query_string or parsed.fragment or parsed.user or parsed.password
    if parsed.scheme not in {"http", "https"} or not parsed.host or extra:
        return None
    return Endpoint(str(origin), parsed.raw_path.rstrip("/"))


def compile_backends(backends: tuple[Backend, ...], reader: Reader, problems: list[Problem]) -> dict[str, Target]:
    """Make the targets that policies name by `backend-id`; problems are collected."""
    single: dict[str, Endpoint] = {}
    pools: dict[str, Target] = {}
    for backend in backends:
        try:
            if not backend.members:
                single[backend.id] = _endpoint(backend, reader)
        except RefusedError as refused:
            problems.append(refused.problem)
    for backend in backends:
        missing = [member.backend_id for member in backend.members if member.backend_id not in single]
        if missing:
            reason = f"pool member {', '.join(missing)} is not a backend with a URL"
            problems.append(Problem(f"backend {backend.id}", 1, "pool", reason))
        elif backend.members:
            pools[backend.id] = Pool([(member, single[member.backend_id]) for member in backend.members])
    return {**single, **pools}


def _endpoint(backend: Backend, reader: Reader) -> Endpoint:
    node = Node("backend", {}, (), "", f"backend {backend.id}", 1)
    found = endpoint(backend.url or "")
    if found is None:
        raise node.refused("needs an http or https URL without query and user", "url")
    headers = _pairs(backend.header, reader, node)
    query = _pairs(backend.query, reader, node)
    if not all(is_header_name(name) and is_header_value(value) for name, value in headers):
        raise node.refused("a credential is no valid header name or value", "credentials.header")
    return Endpoint(found.origin, found.path, backend.id, headers, query)


def _pairs(values: Mapping[str, tuple[str, ...]], reader: Reader, node: Node) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name, reader.substituted(value, node, "credentials")) for name, several in values.items() for value in several
    )
