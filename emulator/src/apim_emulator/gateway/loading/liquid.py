"""Liquid templates of `set-body`, as far as text and variables go: `{{ context.Variables["name"] }}`."""

import re
from collections.abc import Callable

from apim_emulator.csharp.runtime.exceptions import unsure
from apim_emulator.csharp.runtime.meter import bounded, evaluated
from apim_emulator.gateway.context import Context

_TAG = re.compile(r"""\{\{\s*context\.Variables\[(?:"([^"]+)"|'([^']+)')\]\s*\}\}""")


def liquid_value(text: str) -> Callable[[Context], str]:
    """Make the text of a template; raises `ValueError` for any other tag."""
    pieces = _TAG.split(text)
    # Each tag leaves its name in one of two groups.
    literals, names = pieces[::3], [one or other for one, other in zip(pieces[1::3], pieces[2::3], strict=True)]
    for literal in literals:
        if "{{" in literal or "{%" in literal:
            raise ValueError('of Liquid only {{ context.Variables["name"] }} is supported: use an expression')

    def written(context: Context) -> str:
        values = [_written(context.variables.get(name)) for name in names]
        found = [piece for pair in zip(literals, [*values, ""], strict=True) for piece in pair]
        return bounded("".join(found))

    return lambda context: evaluated(written, context)


def _written(value: object) -> str:
    """Write a variable as Liquid does (inferred): nothing for null and for one that is not there."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int):
        return str(value)
    raise unsure(f"a {type(value).__name__} in a Liquid template")
