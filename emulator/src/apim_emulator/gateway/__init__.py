"""The data plane: serves the deployed APIs over HTTP by executing the very policy documents that were deployed."""

from apim_emulator.gateway.backends.identity import TokenSource
from apim_emulator.gateway.core import CallRecord, Core, Recorder, Tracer
from apim_emulator.gateway.diagnostics import Monitor
from apim_emulator.gateway.failures import PolicyLoadError, Problem
from apim_emulator.gateway.http.server import GatewayServer
from apim_emulator.gateway.loading import raw_xml, unsupported
from apim_emulator.gateway.loading.effective import effective_policy, effective_sections
from apim_emulator.gateway.loading.element import parts_read
from apim_emulator.gateway.loading.plan import compile_plan
from apim_emulator.gateway.policies import POLICIES
from apim_emulator.gateway.standalone import API, standalone
from apim_emulator.gateway.tokens.requirements import TokenRequirement, token_requirements

__all__ = [
    "API",
    "POLICIES",
    "CallRecord",
    "Core",
    "GatewayServer",
    "Monitor",
    "PolicyLoadError",
    "Problem",
    "Recorder",
    "TokenRequirement",
    "TokenSource",
    "Tracer",
    "compile_plan",
    "effective_policy",
    "effective_sections",
    "parts_read",
    "raw_xml",
    "standalone",
    "token_requirements",
    "unsupported",
]
