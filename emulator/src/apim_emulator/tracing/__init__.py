"""What became of each call, policy by policy, with every secret masked."""

from apim_emulator.tracing.model import (
    Attempt,
    CallTrace,
    Change,
    Claim,
    Read,
    Span,
    SubCall,
    TokenCheck,
    TokenCount,
)
from apim_emulator.tracing.recorder import TraceRecorder
from apim_emulator.tracing.text import as_text

__all__ = [
    "Attempt",
    "CallTrace",
    "Change",
    "Claim",
    "Read",
    "Span",
    "SubCall",
    "TokenCheck",
    "TokenCount",
    "TraceRecorder",
    "as_text",
]
