from hypothesis import strategies as st

from policies import SetStatus
from tests.policies.record import Record
from tests.policies.values import any_type, expressions, lines, maybe, named_values, options

RECORD = Record(
    SetStatus,
    examples=(SetStatus(code=200),),
    drawn=options(SetStatus, code=st.integers(200, 599) | expressions | named_values, reason=maybe(lines)),
    renders={
        "set-status takes an expression": (
            SetStatus(id="s", code="@(context.Response.StatusCode)"),
            '<set-status id="s" code="@(context.Response.StatusCode)" />',
        ),
    },
    refuses=(
        (lambda: SetStatus(code=any_type(True)), "set-status code True is not allowed; use a whole number or text"),
        (lambda: SetStatus(code=any_type(200.0)), "set-status code 200.0 is not allowed; use a whole number or text"),
        (
            lambda: SetStatus(code="200"),
            "set-status code '200' is not allowed; use a whole number or an expression such as @(...)",
        ),
        *(
            (
                lambda code=code: SetStatus(code=code),
                f"set-status code {code} is not the status code of a response; use 200 to 599",
            )
            for code in (0, 199, 600)
        ),
        (lambda: SetStatus(code=200, reason="a\r\nb"), "set-status reason has a line break; write it on one line"),
        *(
            (lambda value=value: SetStatus(code=200, reason=value), f"set-status reason holds {code}, {problem}")
            for value, code in (("€", "U+20AC"), ("\x7f", "U+007F"))
            for problem in ("which headers cannot contain; encode it",)
        ),
    ),
)
