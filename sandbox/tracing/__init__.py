"""What became of each call, policy by policy, with every secret masked."""

from sandbox.tracing.model import CallTrace, Change, Read, Span
from sandbox.tracing.recorder import TraceRecorder
from sandbox.tracing.text import as_text

__all__ = ["CallTrace", "Change", "Read", "Span", "TraceRecorder", "as_text"]
