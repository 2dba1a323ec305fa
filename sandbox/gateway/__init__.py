"""The data plane: serves the deployed APIs over HTTP by executing the very policy documents that were deployed."""

from sandbox.gateway.core import CallRecord, Core, Recorder, Tracer
from sandbox.gateway.effective import effective_policy, effective_sections
from sandbox.gateway.errors import PolicyLoadError, Problem
from sandbox.gateway.identity import TokenSource
from sandbox.gateway.server import GatewayServer

__all__ = [
    "CallRecord",
    "Core",
    "GatewayServer",
    "PolicyLoadError",
    "Problem",
    "Recorder",
    "TokenSource",
    "Tracer",
    "effective_policy",
    "effective_sections",
]
