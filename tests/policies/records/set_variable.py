from policies import SetVariable
from tests.policies.record import Record
from tests.policies.values import VARIABLE, any_type, options, plain, texts

RECORD = Record(
    SetVariable,
    examples=(VARIABLE,),
    drawn=options(SetVariable, name=plain, value=texts),
    renders={
        "set-variable keeps the lines of an expression": (
            SetVariable(id="v", name="count", value="@{\n\treturn 1;\n}"),
            '<set-variable id="v" name="count" value="@{&#10;&#09;return 1;&#10;}" />',
        ),
    },
    refuses=(
        (lambda: SetVariable(name="a", value=any_type(7)), "set-variable value 7 is not allowed; use text"),
        (lambda: SetVariable(name="a", value=any_type(None)), "set-variable value None is not allowed; use text"),
        (
            lambda: SetVariable(name="a", value="b\x00"),
            "set-variable value contains the character U+0000 at 1, which XML does not allow; remove it",
        ),
        (
            lambda: SetVariable(name="a", value="@(1"),
            "set-variable value starts a policy expression that does not end; close its bracket at the end",
        ),
        (
            lambda: SetVariable(name="a", value=" @{return 1;} x"),
            "set-variable value starts a policy expression that does not end; close its bracket at the end",
        ),
        (lambda: SetVariable(name="", value="a"), "set-variable name '' is empty; give it a value"),
        (
            lambda: SetVariable(name="@(1)", value="a"),
            "set-variable name '@(1)' is a policy expression, which is not allowed here; give the value itself",
        ),
    ),
)
