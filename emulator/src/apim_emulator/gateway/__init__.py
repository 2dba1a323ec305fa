"""The data plane: serves the deployed APIs over HTTP by executing the very policy documents that were deployed."""

from apim_emulator.gateway.core import CallRecord, Core, Recorder, Tracer
from apim_emulator.gateway.effective import effective_policy, effective_sections
from apim_emulator.gateway.errors import PolicyLoadError, Problem
from apim_emulator.gateway.identity import TokenSource
from apim_emulator.gateway.server import GatewayServer

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
