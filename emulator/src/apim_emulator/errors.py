"""Mistakes of a person that the command line tells in one line."""


class EmulatorError(Exception):
    """Something the caller can mend; the message says how."""
