"""Tests of policy documents in milliseconds and without sockets; see docs/testing-policies.md."""

from apim_emulator.testing.bench import PolicyBench, identity_token
from apim_emulator.testing.tokens import EntraTenant, TokenIssuer
from apim_emulator.testing.values import BackendFunction, Reply, Request, Response, event_stream

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
