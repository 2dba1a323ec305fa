"""Tests of policy documents in milliseconds and without sockets; see docs/testing-policies.md."""

from sandbox.testing.bench import PolicyBench, identity_token
from sandbox.testing.tokens import EntraTenant, TokenIssuer
from sandbox.testing.values import BackendFunction, Reply, Request, Response, event_stream

__all__ = [
    "BackendFunction",
    "EntraTenant",
    "PolicyBench",
    "Reply",
    "Request",
    "Response",
    "TokenIssuer",
    "event_stream",
    "identity_token",
]
