"""The data plane: serves the deployed APIs over HTTP by executing the very policy documents that were deployed."""

from sandbox.gateway.effective import effective_policy
from sandbox.gateway.errors import PolicyLoadError, Problem
from sandbox.gateway.identity import TokenSource
from sandbox.gateway.server import RUNNER_OPTIONS, CallRecord, GatewayServer, Recorder

__all__ = [
    "RUNNER_OPTIONS",
    "CallRecord",
    "GatewayServer",
    "PolicyLoadError",
    "Problem",
    "Recorder",
    "TokenSource",
    "effective_policy",
]
