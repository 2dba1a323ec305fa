"""Mistakes of a person that the command line tells in one line."""

__all__ = ["EmulatorError"]


class EmulatorError(Exception):
    """Something the caller can mend; the message says how."""
