"""Importing this fills the tables of members."""

from apim_emulator.csharp.members import (
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
