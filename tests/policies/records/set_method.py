from policies import SetMethod
from tests.policies.reader import read_text
from tests.policies.record import Record
from tests.policies.values import expressions, methods, named_values, options

RECORD = Record(
    SetMethod,
    examples=(SetMethod(value="GET"),),
    drawn=options(SetMethod, value=methods | expressions | named_values),
    renders={
        "set-method": (SetMethod(id="s", value="PATCH"), '<set-method id="s">PATCH</set-method>'),
    },
    refuses=(
        (
            lambda: SetMethod(value="Connect"),
            "set-method 'Connect' is not allowed; it would open a tunnel to the backend",
        ),
        *(
            (lambda value=value: SetMethod(value=value), f"set-method {value!r} is not a method; use one such as POST")
            for value in ("", "GET /", "GET\r\n")
        ),
    ),
    children=read_text,
)
