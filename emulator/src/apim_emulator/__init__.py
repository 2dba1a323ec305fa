"""Runs and tests Azure API Management policies on a laptop.

Public is what a module names in its `__all__`; a module without one is the emulator's own.
"""

__version__ = "0.3.0"
__all__ = [
    "__version__",
    "azure",
    "cli",
    "clock",
    "csharp",
    "environment",
    "errors",
    "gateway",
    "listening",
    "model",
    "network",
    "pulumi",
    "services",
    "testing",
    "tracing",
]
