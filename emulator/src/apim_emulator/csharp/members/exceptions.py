"""Exceptions: what an expression may throw, and what it may read of one."""

from apim_emulator.csharp.errors import BASES
from apim_emulator.csharp.exceptions import message, new_exception
from apim_emulator.csharp.members.table import define

for _name in ("Exception", *BASES):
    _constructors = {
        f"new(): {_name}": new_exception(_name),
        f"new(string): {_name}": new_exception(_name),
    }
    # The argument of these is a parameter's name.
    if _name in {"ArgumentNullException", "ArgumentOutOfRangeException", "AggregateException", "UriFormatException"}:
        _constructors = {}
    define(_name, properties_={"Message: string": message}, constructors=_constructors)
