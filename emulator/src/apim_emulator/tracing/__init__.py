"""What became of each call, policy by policy, with every secret masked."""

from apim_emulator.tracing.model import CallTrace, Change, Read, Span
from apim_emulator.tracing.recorder import TraceRecorder
from apim_emulator.tracing.text import as_text

__all__ = ["CallTrace", "Change", "Read", "Span", "TraceRecorder", "as_text"]
