"""The data plane: serves the deployed APIs over HTTP by executing the very policy documents that were deployed."""

from apim_emulator.gateway.backends.identity import TokenSource
from apim_emulator.gateway.core import CallRecord, Core, Recorder, Tracer
from apim_emulator.gateway.failures import PolicyLoadError, Problem
from apim_emulator.gateway.http.server import GatewayServer
from apim_emulator.gateway.loading.effective import effective_policy, effective_sections

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
