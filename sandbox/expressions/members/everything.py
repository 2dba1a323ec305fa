"""Importing this fills the tables of members."""

from sandbox.expressions.members import (
    collections,
    context,
    dates,
    encoding,
    exceptions,
    json,
    linq,
    numbers,
    regex,
    text,
)

__all__ = ["collections", "context", "dates", "encoding", "exceptions", "json", "linq", "numbers", "regex", "text"]
